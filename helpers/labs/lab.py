"""A guided lab, as a notebook uses it.

lab = Lab("finance")
lab.check("bursts", bursts)     # passed, or what was expected, what was seen and where to look
lab.hint()                      # the next of three
lab.solution()                  # after a pass, or when asked twice
lab.progress()
"""

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.labs.board import Board, class_table
from helpers.labs.progress import Progress
from helpers.labs.running import run
from helpers.labs.steps import Step, plan
from helpers.labs.verdict import Verdict
from helpers.settings import settings

if TYPE_CHECKING:
    import pandas as pd

HINTS = 3


class Told(str):
    """A text that a cell shows as it is, without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Lab:
    """One lab of one learner. The progress is on disk: a new kernel goes on where the last one was."""

    def __init__(self, name: str, learner: str | None = None) -> None:
        """`learner` tells people apart who share an account of the machine; by default, who is logged in.

        Raises:
            UnknownLab: there is no such lab.
            BadLearner: the name cannot be that of a folder.
        """
        self.plan = plan(name)
        self.name = name
        self.learner = learner or _user()
        self._progress = Progress.of(settings().cache_dir / "labs", self.learner, name)

    def __repr__(self) -> str:
        return f"{self.plan.title}: {len(self.plan.steps)} steps, learner {self.learner}"

    @property
    def file(self) -> Path:
        """Where the progress is kept; hand it to your instructor."""
        return self._progress.path

    def check(self, step: str, value: object) -> Verdict:
        """Judge what the learner has made. Never raises for what is wrong with it, and ends in time.

        Raises:
            UnknownStep: the lab has no such step.
        """
        return run(self.name, self.plan.step(step).name, value, self._progress)

    def hint(self, step: str | None = None) -> Told:
        """The next of three hints, each plainer than the one before; by default for the step that was last tried.

        Raises:
            UnknownStep: the lab has no such step.
            ProgressFailed: it cannot be noted.
        """
        found = self._step(step)
        with self._progress.change() as state:
            own = state.of(found.name)
            if own.hints == HINTS:
                hints = "\n".join(f"  {number}. {hint}" for number, hint in enumerate(found.hints, 1))
                return Told(f"{found.name}: all three hints again; then comes lab.solution({found.name!r}).\n{hints}")
            own.hints += 1
            return Told(f"{found.name}, hint {own.hints} of {HINTS}: {found.hints[own.hints - 1]}")

    def solution(self, step: str | None = None) -> Told:
        """One solution, once the step is passed or the second time that it is asked for.

        Raises:
            UnknownStep: the lab has no such step.
            ProgressFailed: it cannot be noted.
        """
        found = self._step(step, passed=True)
        with self._progress.change() as state:
            own = state.of(found.name)
            own.asked += not own.passed
            if not own.passed and own.asked < 2:
                left = HINTS - own.hints
                hints = (
                    f" There {'is' if left == 1 else 'are'} {left} more of lab.hint({found.name!r})." if left else ""
                )
                return Told(f"{found.name} is not passed yet.{hints} Ask once more to see a solution.")
            own.shown = True
            return Told(found.solution)

    def reset(self, step: str) -> Told:
        """Forget all about a step; returns its cell as the exercise gives it.

        Raises:
            UnknownStep: the lab has no such step.
            ProgressFailed: it cannot be noted.
        """
        found = self.plan.step(step)
        with self._progress.change() as state:
            state.steps.pop(found.name, None)
            state.last = "" if state.last == found.name else state.last
        return Told(found.todo)

    def progress(self, folder: Path | str | None = None) -> "Board | pd.DataFrame":
        """Where the learner stands; with a folder of files of progress, where a class does, as a table.

        Raises:
            ProgressFailed: the file cannot be read.
        """
        return class_table(self.plan, Path(folder)) if folder else Board(self.plan, self._progress.read())

    def _step(self, name: str | None, passed: bool = False) -> Step:
        """The step that is meant: named, last tried unless passed, or the first that is not passed."""
        if name is not None:
            return self.plan.step(name)
        state = self._progress.read()
        last = [step for step in self.plan.steps if step.name == state.last]
        if last and (passed or not state.of(last[0].name).passed):
            return last[0]
        return next((step for step in self.plan.steps if not state.of(step.name).passed), self.plan.steps[-1])


def _user() -> str:
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user-{os.getuid()}"
