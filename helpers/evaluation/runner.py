"""Runs cases against a model, one after the other; interrupted however, the same call goes on where it was."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from strands.models import Model
from strands.types.content import Messages

from helpers.evaluation.cases import Case
from helpers.evaluation.errors import ModelFailed
from helpers.evaluation.models import Evaluated, ask, asked, continued
from helpers.evaluation.results import Result, Results, key, opened
from helpers.evaluation.scoring import Reply, judge, matched, score

CASE_SECONDS = 180.0
ERRORS_IN_A_ROW = 5  # after which it is not the cases but the model's server

Watch = Callable[[Result], None]


def run(
    cases: Sequence[Case],
    model: Model | Evaluated,
    file: Path,
    *,
    seconds: float = CASE_SECONDS,
    progress: bool = True,
) -> list[Result]:
    """The results of all `cases`, in their order; those that `file` holds already are not asked again.

    A case is asked again if it or the model's configuration has changed, or if it ended with an error. One that takes
    longer than `seconds` ends with an error. A case of several turns ends with the first wrong one.

    Raises:
        RunUnusable: `file` is of another configuration, damaged, or another run writes to it.
        ModelFailed: several cases in a row ended with an error.
    """
    evaluated = model if isinstance(model, Evaluated) else Evaluated(model)
    configuration = evaluated.configuration()
    keys = {case.id: key(case, configuration) for case in cases}
    with opened(file, configuration) as results:
        results.renew(keys)
        left = [case for case in cases if _is_open(results.kept.get(keys[case.id]))]
        with _bar(progress) as bar:
            task = bar.add_task("", total=len(cases), completed=len(cases) - len(left), right="")

            def watch(_: Result) -> None:
                done = [results.kept[name] for name in keys.values() if name in results.kept]
                bar.update(task, advance=1, right=f"{sum(each.right for each in done)} right")

            _finish(_run_all(left, evaluated.model, results, seconds, watch))
        return [_judged_anew(case, results.kept[keys[case.id]]) for case in cases]


def _is_open(result: Result | None) -> bool:
    return result is None or bool(result.error)


def _judged_anew(case: Case, result: Result) -> Result:
    """The rules may have changed since the replies were stored."""
    return result.model_copy(update={"score": score(case, result.replies, result.error)})


def _bar(shown: bool) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[right]}"), TimeRemainingColumn())
    return Progress(*columns, disable=not shown)


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end; in a notebook, whose loop runs already, in a thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
    else:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, work).result()


async def _run_all(cases: Sequence[Case], model: Model, results: Results, seconds: float, watch: Watch) -> None:
    errors = 0
    for case in cases:
        replies, error = await _replies(case, model, seconds)
        result = Result(
            id=case.id,
            category=case.category,
            key=key(case, results.configuration),
            score=score(case, replies, error),
            replies=replies,
            error=error,
        )
        results.append(result)
        watch(result)
        errors = errors + 1 if error else 0
        if errors == ERRORS_IN_A_ROW:
            raise ModelFailed(
                f"{errors} cases in a row ended with an error, the last with {error} See whether the model's server "
                f"runs and has the model. What was done stays in {results.file}; the same call goes on from there."
            )


async def _replies(case: Case, model: Model, seconds: float) -> tuple[list[Reply], str]:
    """The model's replies to the turns up to the first wrong one, and the error that ended them, if one did."""
    replies: list[Reply] = []
    try:
        async with asyncio.timeout(seconds):
            await _converse(case, model, replies)
    except TimeoutError:
        return replies, f"TimeoutError: no answer within {seconds:g} seconds."
    except Exception as error:  # a case's error is a result like another: a model's class may raise anything
        return replies, f"{type(error).__name__}: {error}"
    return replies, ""


async def _converse(case: Case, model: Model, replies: list[Reply]) -> None:
    messages: Messages = []
    tools = {tool.name: tool for tool in case.tools}
    for turn in case.turns:
        messages = asked(messages, turn.question)
        reply = await ask(model, case, messages)
        replies.append(reply)
        if not judge(case, turn, reply).right:
            return
        messages = continued(messages, turn, reply, matched(turn, reply, tools) or [])
