"""`python -m helpers.knowledge`: ingest, search, evaluate, list, drop, stop."""

import argparse
import re
import sys
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from helpers.inference import InferenceError
from helpers.knowledge.beir import read_data_set
from helpers.knowledge.errors import KnowledgeError
from helpers.knowledge.evaluation import evaluate, read_questions
from helpers.knowledge.ingest import ingest
from helpers.knowledge.knowledge_base import KnowledgeBase
from helpers.knowledge.postgres import stop
from helpers.knowledge.report import Report
from helpers.knowledge.store import Store, collections
from helpers.settings import SettingsError
from helpers.settings.settings import ROOT

console = Console()
DATA = ROOT / "notebooks" / "data"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors are told in a sentence, without a traceback."""
    given = parser().parse_args(arguments)
    try:
        given.run(given)
    except (KnowledgeError, InferenceError, SettingsError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; what was committed stays, and the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    parser = argparse.ArgumentParser(prog="python -m helpers.knowledge", description="The knowledge base of this site")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("ingest", help="make a collection mirror a folder of documents")
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--language", default="english", help="a text search configuration of PostgreSQL")
    command.set_defaults(run=_ingest)
    _collection(command)
    command = commands.add_parser("search", help="the best passages for a question")
    command.add_argument("question", metavar="QUESTION")
    command.add_argument("-k", type=int, default=5, help="how many")
    command.add_argument("--mode", choices=("dense", "text", "fused"), default="fused")
    command.set_defaults(run=_search)
    _collection(command)
    command = commands.add_parser("evaluate", help="recall, nDCG and MRR of dense, full-text and fused search")
    command.add_argument(
        "--beir", type=Path, metavar="FOLDER", help="a data set in BEIR's layout; the kit's own if none"
    )
    command.set_defaults(run=_evaluate)
    commands.add_parser("list", help="the collections").set_defaults(run=_list)
    command = commands.add_parser("drop", help="delete a collection; its folder stays")
    command.add_argument("collection", metavar="COLLECTION")
    command.set_defaults(run=lambda given: KnowledgeBase(given.collection).drop())
    commands.add_parser("stop", help="end the kit's own PostgreSQL").set_defaults(run=_stop)
    return parser


def _collection(command: argparse.ArgumentParser) -> None:
    command.add_argument("--collection", default="documents", metavar="NAME", help="documents, if none is given")


def _ingest(given: argparse.Namespace) -> None:
    console.print(
        str(KnowledgeBase(given.collection, given.language).ingest(given.folder)), markup=False, highlight=False
    )


def _search(given: argparse.Namespace) -> None:
    for passage in KnowledgeBase(given.collection).search(given.question, given.k, given.mode):
        console.print(f"[bold]{escape(passage.source)}[/bold]  similarity {passage.similarity:.2f}")
        console.print(passage.text, markup=False, highlight=False, end="\n\n")


def _evaluate(given: argparse.Namespace) -> None:
    if given.beir:
        name = given.beir.resolve().name
        data = read_data_set(given.beir)
        knowledge = KnowledgeBase("beir_" + re.sub(r"[^a-z0-9]+", "_", name.lower()))
        report = ingest(Store(knowledge.name), data.sources, knowledge.language, Report())
        _print(name, report, evaluate(knowledge, data.queries, data.relevant))
    else:
        knowledge = KnowledgeBase("hospital")
        report = knowledge.ingest(DATA / "hospital")
        _print("the hospital's questions", report, evaluate(knowledge, *read_questions(DATA / "questions.jsonl")))


def _print(name: str, report: Report, results: pd.DataFrame) -> None:
    console.print(str(report).split("\n")[0])
    if report.taken:
        console.print(f"{report.chunks / report.seconds:.1f} chunks a second")
    table = Table("", *results.columns, title=name)
    for mode, row in results.iterrows():
        table.add_row(str(mode), *(f"{value:.3f}" if value <= 1 else f"{value:.1f}" for value in row))
    console.print(table)


def _list(_: argparse.Namespace) -> None:
    for name in collections():
        console.print(name)


def _stop(_: argparse.Namespace) -> None:
    console.print("PostgreSQL has ended." if stop() else "The kit's PostgreSQL does not run.")


if __name__ == "__main__":
    sys.exit(main())
