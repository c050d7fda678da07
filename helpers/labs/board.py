"""Where a learner stands, and where a class does."""

from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.labs.progress import State, StepState, gathered
from helpers.labs.steps import Plan

if TYPE_CHECKING:
    import pandas as pd

SIGNS = {"passed": "●", "tried": "◐", "open": "○"}
COLOURS = {"passed": "#009e73", "tried": "#e69f00", "open": "#8c8c8c"}  # told apart by colour-blind people too

LEGEND = "● passed, ◐ tried, ○ not tried yet"


class Board:
    """A line of signs and one line a step; a drawing in a notebook."""

    def __init__(self, plan: Plan, state: State) -> None:
        self._rows = [(step.name, step.title, state.steps.get(step.name, StepState())) for step in plan.steps]
        self.passed = [name for name, _, step in self._rows if step.passed]
        self.next = next((name for name, _, step in self._rows if not step.passed), None)
        self._head = f"{plan.title}: {len(self.passed)} of {len(self._rows)} steps passed"

    def __repr__(self) -> str:
        lines = [f"  {SIGNS[step.word]} {name:<16}{title}{_help(step)}" for name, title, step in self._rows]
        signs = "".join(SIGNS[step.word] for _, _, step in self._rows)
        return "\n".join([f"{self._head}  {signs}", *lines, LEGEND, self._foot()])

    def _repr_html_(self) -> str:
        boxes = "".join(
            f'<div style="border-left: 6px solid {COLOURS[step.word]}; padding: 1px 10px; margin: 3px 0">'
            f"{SIGNS[step.word]} <b>{escape(name)}</b> {escape(title)}"
            f'<span style="color: var(--jp-ui-font-color2, inherit)">{escape(_help(step))}</span></div>'
            for name, title, step in self._rows
        )
        return f"<div><b>{escape(self._head)}</b>{boxes}{LEGEND}<br>{escape(self._foot())}</div>"

    def _foot(self) -> str:
        return f"Next: {self.next}" if self.next else "All steps are passed."


def class_table(plan: Plan, folder: Path) -> "pd.DataFrame":
    """One row a learner, one column a step, then sums: `●` passed, `◐` tried, `○` open, `*` the solution was seen."""
    import pandas as pd

    names = [step.name for step in plan.steps]
    rows = []
    for state in [state for state in gathered(folder) if state.lab == plan.name]:
        steps = {name: state.steps.get(name, StepState()) for name in names}
        signs = {name: SIGNS[step.word] + "*" * step.shown for name, step in steps.items()}
        sums = {
            "passed": sum(bool(step.passed) for step in steps.values()),
            "tries": sum(step.tries for step in steps.values()),
            "hints": sum(step.hints for step in steps.values()),
            "minutes": _minutes(steps),
        }
        rows.append({"learner": state.learner, **signs, **sums})
    columns = ["learner", *names, "passed", "tries", "hints", "minutes"]
    return pd.DataFrame(rows, columns=columns).set_index("learner")


def _minutes(steps: dict[str, StepState]) -> int:
    """From the first try to the last pass."""
    begun = [datetime.fromisoformat(step.first) for step in steps.values() if step.first]
    ended = [datetime.fromisoformat(step.passed) for step in steps.values() if step.passed]
    return round((max(ended) - min(begun)).total_seconds() / 60) if begun and ended else 0


def _help(step: StepState) -> str:
    return " (solution seen)" if step.shown and not step.passed else ""
