"""Both notebooks of each lab have the cells of its steps, are the same in all else, and lead somewhere."""

import nbformat
import pytest

from helpers.labs.steps import plan
from tests.notebooks import structure
from tools.lab_notebooks import LEARNER, filled, step_of

FOLDERS = sorted(path.parent for path in structure.ROOT.glob("labs/*/exercise.ipynb"))
EACH = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
BOTH = pytest.mark.parametrize(
    "path",
    [folder / name for folder in FOLDERS for name in ("exercise.ipynb", "solution.ipynb")],
    ids=lambda path: path.stem,
)


@EACH
def test_the_exercise_is_the_solution_without_what_is_to_be_found(folder):
    solved = structure.read(folder / "solution.ipynb")
    for name, exercise in (("exercise.ipynb", True), ("solution.ipynb", False)):
        expected = filled(solved, plan(folder.name), exercise)
        there = structure.read(folder / name)
        assert [cell.source for cell in there.cells] == [cell.source for cell in expected.cells], (
            "tools/lab_notebooks.py"
        )


@EACH
def test_each_step_has_its_cell_and_a_check_below_it(folder):
    cells = structure.read(folder / "exercise.ipynb").cells
    places = {step_of(cell): place for place, cell in enumerate(cells) if step_of(cell)}
    steps = plan(folder.name).steps
    assert list(places) == [step.name for step in steps]
    assert 6 <= len(steps) <= 10
    for step in steps:
        assert cells[places[step.name] + 1].source == f'lab.check("{step.name}", {step.defines})'


@EACH
def test_the_exercise_fails_every_check_without_an_error_and_the_solution_passes(folder):
    for name, sign in (("exercise.ipynb", "✗"), ("solution.ipynb", "✓")):
        said = [
            shown(cell) for cell in structure.code_cells(structure.read(folder / name)) if "lab.check" in cell.source
        ]
        assert len(said) == len(plan(folder.name).steps)
        assert all(text.startswith(sign) for text in said), said


@EACH
def test_the_solution_passes_for_nobody(folder):
    assert any(LEARNER in cell.source for cell in structure.read(folder / "solution.ipynb").cells)
    assert not any(
        "learner=" in cell.source for cell in structure.code_cells(structure.read(folder / "exercise.ipynb"))
    )


@BOTH
def test_a_labs_notebook_is_executed_short_and_leads_somewhere(path):
    notebook = structure.read(path)
    text = structure.prose(path)
    assert structure.execution_faults(notebook) + structure.size_faults(notebook) == []
    assert structure.import_faults("\n".join(cell.source for cell in structure.code_cells(notebook))) == []
    assert structure.link_faults(text, path.parent) + structure.path_faults(text) == []
    assert structure.privacy_faults(path.read_text()) == []


@EACH
def test_the_instructors_page_says_what_it_must(folder):
    text = (folder / "instructor.md").read_text()
    for heading in ("Timing", "Common mistakes", "To discuss", "Extensions", "The class"):
        assert f"## {heading}" in text
    assert structure.link_faults(text, folder) + structure.path_faults(text) == []


def test_every_lab_with_notebooks_is_in_the_list():
    text = (structure.ROOT / "labs" / "README.md").read_text()
    assert all(f"({folder.name}/exercise.ipynb)" in text for folder in FOLDERS)
    assert structure.link_faults(text, structure.ROOT / "labs") == []


def test_a_cell_that_was_changed_by_hand_is_seen():
    cell = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["step-double"]})
    made = filled(nbformat.v4.new_notebook(cells=[cell]), plan("practice"), exercise=True)
    assert "raise NotImplementedError" in made.cells[0].source
    assert cell.source == "x = 1", "the solution is not touched"


def shown(cell):
    return "".join(output["data"]["text/plain"] for output in cell.outputs)
