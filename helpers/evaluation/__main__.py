"""`python -m helpers.evaluation`: run, report, compare, check, schema."""

import argparse
import json
import math
import re
import sys
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from helpers.evaluation.cases import Case, read, select
from helpers.evaluation.errors import EvaluationError
from helpers.evaluation.leaderboard import CATEGORIES, read_leaderboard
from helpers.evaluation.models import MAX_TOKENS, SERVERS, model_at
from helpers.evaluation.report import compare, failures, table
from helpers.evaluation.results import Result, read_results
from helpers.evaluation.runner import run
from helpers.inference import InferenceError
from helpers.settings import SettingsError, settings
from helpers.settings.settings import ROOT

console = Console()
OWN = ROOT / "notebooks" / "data" / "evaluation" / "hospital.jsonl"
LEADERBOARD = "bfcl"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors are told in a sentence, without a traceback."""
    given = parser().parse_args(arguments)
    try:
        given.run(given)
    except (EvaluationError, InferenceError, SettingsError, ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; what was done stays, and the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    parser = argparse.ArgumentParser(prog="python -m helpers.evaluation", description="Accuracy of tool calls")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("run", help="ask a model all cases; run again, it goes on where it was")
    _cases(command)
    command.add_argument("--model", default="", metavar="MODEL", help=f"{SERVERS}; the kit's chat model if none")
    command.add_argument("--limit", type=_positive, help="at most so many of each category, evenly spread")
    command.add_argument("--tokens", type=_positive, default=MAX_TOKENS, help="at most so many in one answer")
    command.add_argument("--ids", choices=("even", "odd", "all"), default="all", help="by the number in the id")
    command.add_argument("--out", type=Path, metavar="FILE", help="the file of results; in the kit's cache if none")
    command.set_defaults(run=_run)
    command = commands.add_parser("report", help="accuracy and kinds of failure of a run")
    command.add_argument("results", type=Path, metavar="RESULTS")
    command.set_defaults(run=lambda given: _report(given.results))
    command = commands.add_parser("compare", help="two runs over the same cases, with McNemar's test")
    command.add_argument("before", type=Path, metavar="RESULTS")
    command.add_argument("after", type=Path, metavar="RESULTS")
    command.set_defaults(run=_compare)
    command = commands.add_parser("check", help="whether a file of cases can be used")
    _cases(command)
    command.set_defaults(run=_check)
    commands.add_parser("schema", help="the JSON schema of a case").set_defaults(
        run=lambda _: print(json.dumps(Case.model_json_schema(), indent=1))
    )
    return parser


def _cases(command: argparse.ArgumentParser) -> None:
    known = ",".join(CATEGORIES)
    about = f"a file of cases, or {LEADERBOARD}:{known} for some or all of those; the hospital's if none"
    command.add_argument("--cases", default=str(OWN), metavar="CASES", help=about)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def read_any(name: str) -> list[Case]:
    """The cases of a file, or of the leaderboard: `bfcl`, or `bfcl:multiple,irrelevance`.

    Raises:
        CasesUnusable: the file cannot be read, or a line of it.
        LeaderboardUnusable: there is no such category, or its file is not BFCL's.
    """
    source, _, categories = name.partition(":")
    if source == LEADERBOARD:
        return read_leaderboard(categories.split(",") if categories else CATEGORIES)
    return read(Path(name))


def _run(given: argparse.Namespace) -> None:
    cases = select(read_any(given.cases), given.ids, given.limit)
    model = model_at(given.model, given.tokens)
    name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{Path(given.cases).stem}-{given.model or settings().chat_model}")
    file = given.out or settings().cache_dir / "evaluation" / f"{name}.jsonl"
    _show(run(cases, model, file))
    console.print(f"The answers are in {file}", markup=False, highlight=False, soft_wrap=True)


def _report(file: Path) -> None:
    _show(read_results(file))


def _show(results: list[Result]) -> None:
    _print("accuracy", table(results))
    _print("verdicts", failures(results))


def _compare(given: argparse.Namespace) -> None:
    _print(f"{given.before.stem}, then {given.after.stem}", compare(*map(read_results, (given.before, given.after))))


def _check(given: argparse.Namespace) -> None:
    counts = pd.Series([case.category for case in read_any(given.cases)]).value_counts(sort=False)
    _print(given.cases, counts.to_frame("cases"))


def _print(title: str, frame: pd.DataFrame) -> None:
    shown = Table("", *map(str, frame.columns), title=title)
    for name, *row in frame.itertuples(name=None):
        shown.add_row(str(name), *map(_cell, row))
    console.print(shown)


def _cell(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
