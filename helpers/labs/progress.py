"""How far a learner is: one JSON file for each learner and lab.

    {"learner": "maria", "lab": "finance", "last": "bursts", "steps": {"bursts": {"tries": 3, "passed": "2026-…"}}}

Whoever writes it holds a lock, and replaces the file whole: two kernels of one learner lose nothing.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.labs.errors import BadLearner, ProgressFailed

WAIT_SECONDS = 10
NAME = re.compile(r"[\w@+-][\w.@+-]{0,63}")


@dataclass
class StepState:
    """What a learner has done about one step."""

    tries: int = 0
    hints: int = 0  # shown, of three
    asked: int = 0  # for the solution, before it was shown
    shown: bool = False  # the solution
    first: str = ""  # when it was first tried
    passed: str = ""  # when it first passed, UTC; empty if it has not

    @property
    def word(self) -> str:
        """Where the learner stands: passed, tried or open."""
        return "passed" if self.passed else "tried" if self.tries else "open"


@dataclass
class State:
    """What is in one file."""

    learner: str
    lab: str
    last: str = ""  # the step that was last tried
    steps: dict[str, StepState] = field(default_factory=dict)

    def of(self, step: str) -> StepState:
        """The state of a step, which may be new."""
        return self.steps.setdefault(step, StepState())


class Progress:
    """One file of progress."""

    def __init__(self, path: Path, learner: str, lab: str) -> None:
        self.path, self.learner, self.lab = path, learner, lab

    @classmethod
    def of(cls, folder: Path, learner: str, lab: str) -> "Progress":
        """The file of a learner: `folder/learner/lab.json`.

        Raises:
            BadLearner: the name is none that a folder may have.
        """
        if not NAME.fullmatch(learner):
            raise BadLearner(
                f"{learner!r} cannot be a learner's name: up to 64 letters, digits and . _ @ + - are taken, and no dot "
                "at the beginning. Give another: Lab(…, learner='maria')."
            )
        return cls(folder / learner / f"{lab}.json", learner, lab)

    def read(self) -> State:
        """What is known; of a file that is broken, nothing: it is kept beside, as `.broken`.

        Raises:
            ProgressFailed: the file is there and cannot be read.
        """
        try:
            return _state(json.loads(self.path.read_text("utf-8")))
        except FileNotFoundError:
            return State(self.learner, self.lab)
        except (ValueError, TypeError, KeyError, AttributeError):
            with suppress(OSError):
                self.path.replace(self.path.with_suffix(".broken"))
            return State(self.learner, self.lab)
        except OSError as error:
            raise self._failed(error) from error

    @contextmanager
    def change(self) -> Iterator[State]:
        """The state, which is written when the block ends; nobody else changes it meanwhile.

        Raises:
            ProgressFailed: it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self.path.with_suffix(".lock"), timeout=WAIT_SECONDS):
                state = self.read()
                yield state
                self._write(state)
        except Timeout as error:
            raise ProgressFailed(f"Another process holds {self.path.name} for too long; restart its kernel.") from error
        except OSError as error:
            raise self._failed(error) from error

    def tried(self, step: str, passed: bool) -> None:
        """Note what came of a check.

        Raises:
            ProgressFailed: it cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self.change() as state:
            own = state.of(step)
            own.tries += 1
            own.first = own.first or now
            own.passed = own.passed or (now if passed else "")
            state.last = step

    def _write(self, state: State) -> None:
        handle, name = tempfile.mkstemp(prefix=".progress.", dir=self.path.parent)
        draft = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(state), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> ProgressFailed:
        return ProgressFailed(
            f"The progress in {self.path.name} is not kept ({error.strerror}). Make room on the disk, or set "
            "WORKSHOP_CACHE_DIR to a folder that can be written."
        )


def gathered(folder: Path) -> list[State]:
    """The states of all files of progress in a folder and below, in the order of lab and learner.

    What is no file of progress is left out.
    """
    found = []
    for path in sorted(folder.rglob("*.json")):
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            found.append(_state(json.loads(path.read_text("utf-8"))))
    return sorted(found, key=lambda state: (state.lab, state.learner))


def _state(told: dict[str, Any]) -> State:
    steps = {str(name): StepState(**step) for name, step in told["steps"].items()}
    return State(str(told["learner"]), str(told["lab"]), str(told.get("last", "")), steps)
