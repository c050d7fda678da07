"""A lab's steps: `helpers/labs/NAME/steps.toml`, and the checks of the same names in a module beside it."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from helpers.labs.errors import UnknownLab, UnknownStep
from helpers.labs.judging import Check

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """One step, with what the learner gets as help."""

    name: str
    title: str
    todo: str  # the cell as the exercise gives it
    solution: str  # the cell as it may be solved
    hints: tuple[str, str, str]
    checks: str = "checks"  # the module beside steps.toml that judges it
    value: str = ""  # what the cell defines and the check takes; by default, the name of the step
    seconds: float = 5  # of computing, for each call of the learner's code

    @property
    def defines(self) -> str:
        """The name that the cell gives to what is checked."""
        return self.value or self.name.replace("-", "_")


@dataclass(frozen=True)
class Plan:
    """One lab."""

    name: str
    title: str
    steps: tuple[Step, ...]
    setup: str = ""  # what the cells of the steps take for granted: imports, and what was agreed on

    def step(self, name: str) -> Step:
        """The step of this name.

        Raises:
            UnknownStep: there is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        names = [step.name for step in self.steps]
        near = get_close_matches(str(name), names, 1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownStep(f"The lab {self.name!r} has no step {name!r}.{meant} Its steps: {', '.join(names)}.")


def labs() -> list[str]:
    """The names of all labs."""
    return sorted(path.parent.name for path in HERE.glob("*/steps.toml"))


def plan(name: str) -> Plan:
    """The lab of this name.

    Raises:
        UnknownLab: there is none.
    """
    if name not in labs():
        raise UnknownLab(f"There is no lab {name!r}. There are: {', '.join(labs())}.")
    told = tomllib.loads((HERE / name / "steps.toml").read_text("utf-8"))
    steps = tuple(Step(**{**step, "hints": tuple(step["hints"])}) for step in told["step"])
    return Plan(name, told["title"], steps, told.get("setup", ""))


def check(lab: str, step: Step) -> Check:
    """The function that judges a step."""
    found: Check = getattr(import_module(f"helpers.labs.{lab}.{step.checks}"), step.name.replace("-", "_"))
    return found
