"""Writes a lab's two notebooks anew: the steps' cells from `steps.toml`, all else from the solution, then runs both.

    python tools/lab_notebooks.py finance

Edit text and other cells in `labs/NAME/solution.ipynb`, steps in `helpers/labs/NAME/steps.toml`. The cell of a step
has the tag `step-NAME`.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from helpers.labs.steps import Plan, plan
from helpers.settings import settings

ROOT = Path(__file__).resolve().parent.parent
TAG, LEARNER = "step-", ', learner="solution"'  # the solution passes for nobody


def main(names: list[str]) -> int:
    """Write the notebooks of the labs of these names."""
    os.environ["WORKSHOP_CACHE_DIR"] = tempfile.mkdtemp(prefix="lab-")  # nobody's progress counts
    settings.cache_clear()
    for name in names:
        folder = ROOT / "labs" / name
        solved = nbformat.read(folder / "solution.ipynb", 4)
        for file, exercise in (("solution.ipynb", False), ("exercise.ipynb", True)):
            made = filled(solved, plan(name), exercise)
            NotebookClient(made, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
            for cell in made.cells:
                cell.metadata.pop("execution", None)  # times of day, which change with every run
            nbformat.write(made, folder / file)
    return 0


def filled(solved: Any, lab: Plan, exercise: bool) -> Any:  # noqa: ANN401 - nbformat has no types
    """The notebook with the cells of its steps: solved, or as the exercise gives them."""
    made = nbformat.from_dict(solved)
    for cell in made.cells:
        name = step_of(cell)
        if name:
            step = lab.step(name)
            cell.source = (step.todo if exercise else step.solution).strip("\n")
        elif exercise and cell.cell_type == "code":
            cell.source = cell.source.replace(LEARNER, "")
        elif exercise:
            cell.source = cell.source.replace(": the solution", "", 1)
    return made


def step_of(cell: Any) -> str | None:  # noqa: ANN401
    """The step whose cell it is."""
    return next((tag.removeprefix(TAG) for tag in cell.metadata.get("tags", []) if tag.startswith(TAG)), None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
