"""The judge: a fresh interpreter, which nothing that the learner's notebook has patched can reach.

It takes the order as JSON from its standard input, asks the learner's side through a socket that it inherits, notes
the result in the file of progress, and prints the verdict as JSON.
"""

import json
import random
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers.labs.errors import ProgressFailed
from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.progress import Progress
from helpers.labs.steps import check, plan
from helpers.labs.verdict import Verdict


def main() -> None:
    """Judge one value."""
    order = json.load(sys.stdin)
    with socket.socket(fileno=order["socket"]) as connection:
        verdict = judged(order, connection)
    print(json.dumps(asdict(verdict)))


def judged(order: dict[str, Any], connection: socket.socket) -> Verdict:
    """The verdict, after it is noted."""
    step = plan(order["lab"]).step(order["step"])
    learner = Learner(connection, step.seconds)
    try:
        check(order["lab"], step)(learner, random.Random(order["seed"]), Path(order["folder"]))  # noqa: S311
        verdict = Verdict(step.name, True, cases=learner.cases)
    except Wrong as wrong:
        verdict = Verdict(step.name, False, wrong.expected, wrong.seen, wrong.look, wrong.case)
    except Exception as error:  # the value is of another shape than the check takes for granted
        seen = f"{shown(learner.last)}, which led to {type(error).__name__}: {error}"
        look = "the description of the step: what is to be returned, and with which keys"
        verdict = Verdict(step.name, False, "a value of the shape that the step describes", seen, look)
    learner.finish()
    notes = tuple(learner.notes) + _noted(order, verdict)
    return Verdict(**{**asdict(verdict), "notes": notes})


def _noted(order: dict[str, Any], verdict: Verdict) -> tuple[str, ...]:
    try:
        Progress(Path(order["progress"]), order["learner"], order["lab"]).tried(verdict.step, verdict.passed)
    except ProgressFailed as error:
        return (str(error),)
    return ()


if __name__ == "__main__":
    main()
