"""`make tour`: real kernels, tiny notebooks."""

import nbformat
import pytest
import tour
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


@pytest.fixture
def kit(tmp_path):
    """A kit with a notebook that works and one whose second cell fails."""
    fine = [
        new_markdown_cell("# Fine"),
        new_code_cell("from pathlib import Path\nhere = Path.cwd().name"),
        new_code_cell("assert here == 'notebooks'"),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
        new_code_cell(""),
    ]
    failing = [new_code_cell("1"), new_code_cell("raise ValueError('no [site]\\nhere')"), new_code_cell("2")]
    write(tmp_path / "notebooks/01-fine.ipynb", fine)
    write(tmp_path / "notebooks/02-failing.ipynb", failing)
    return tmp_path


def write(path, cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)


def test_a_tour_tells_what_became_of_each_notebook_and_writes_nothing(kit):
    before = {path: path.read_bytes() for path in tour.find(kit)}
    visits = tour.tour(tour.find(kit), kit)
    rows = [(name, cells, result) for name, cells, _, result in map(tour.row, visits)]
    assert rows == [
        ("notebooks/01-fine.ipynb", "3 / 3", "ok"),
        ("notebooks/02-failing.ipynb", "2 / 3", "cell [2] ValueError: no [site]"),
    ]
    assert tour.exit_code(visits) == 1
    assert before == {path: path.read_bytes() for path in tour.find(kit)}


def test_the_table_shows_messages_as_they_are(kit, capsys):
    assert tour.main(["02-*"], kit) == 1
    printed = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "cell [2] ValueError: no [site]" in printed
    assert "01-fine" not in printed


def test_a_tour_without_failures_ends_with_zero(kit):
    assert tour.main(["01-fine"], kit) == 0


def test_a_cell_that_takes_too_long_is_a_failure_of_that_cell(kit, monkeypatch):
    write(kit / "notebooks/03-slow.ipynb", [new_code_cell("1"), new_code_cell("import time; time.sleep(60)")])
    monkeypatch.setattr(tour, "CELL_TIMEOUT", 1)
    [visit] = tour.tour([kit / "notebooks/03-slow.ipynb"], kit)
    assert visit.error.startswith("cell [2] CellTimeoutError: A cell timed out")


def test_a_file_that_is_no_notebook_is_a_row_and_not_the_end_of_the_tour(kit):
    (kit / "notebooks/00-broken.ipynb").write_text("{")
    visits = tour.tour(tour.choose(tour.find(kit), ["00-*", "01-*"], kit), kit)
    assert [(visit.total, bool(visit.error)) for visit in visits] == [(0, True), (3, False)]


def test_an_interrupt_shuts_the_kernel_down(kit, monkeypatch):
    managers = []
    client_for = tour.client_for

    def interrupted(path):
        client = client_for(path)
        managers.append(client.create_kernel_manager())
        client.execute_cell = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        return client

    monkeypatch.setattr(tour, "client_for", interrupted)
    assert tour.main(["01-fine"], kit) == 130
    assert not managers[0].has_kernel


@pytest.mark.parametrize(
    "pattern", ["labs/02-chat", "02-chat", "./labs/02-chat/", "labs/*", "labs/02-chat/solution.ipynb"]
)
def test_a_lab_is_chosen_by_its_folder(kit, pattern):
    write(kit / "labs/02-chat/solution.ipynb", [])
    assert tour.choose(tour.find(kit), [pattern], kit) == [kit / "labs/02-chat/solution.ipynb"]


def test_a_name_that_matches_nothing_is_told(kit, capsys):
    assert tour.main(["07-*"], kit) == 1
    assert "no notebook matches '07-*'" in capsys.readouterr().err


def test_a_kit_without_notebooks_is_no_success(tmp_path, capsys):
    assert tour.main([], tmp_path) == 1
    assert "there is no notebook" in capsys.readouterr().err
