"""Every notebook and Markdown file keeps its promises, and each check can fail."""

import nbformat
import pytest

from tests.notebooks import structure

NOTEBOOKS = pytest.mark.parametrize("path", structure.notebooks(), ids=lambda path: path.stem)
TEXTS = pytest.mark.parametrize("path", structure.notebooks() + structure.documents(), ids=lambda path: path.name)


@NOTEBOOKS
def test_every_cell_was_executed_in_order_without_error(path):
    assert structure.execution_faults(structure.read(path)) == []


@NOTEBOOKS
def test_every_section_asserts_its_claim(path):
    assert structure.assertion_faults(structure.read(path)) == []


@NOTEBOOKS
def test_cells_are_short(path):
    assert structure.size_faults(structure.read(path)) == []


@NOTEBOOKS
def test_every_import_exists(path):
    code = "\n".join(cell.source for cell in structure.code_cells(structure.read(path)))
    assert structure.import_faults(code) == []


@NOTEBOOKS
def test_no_path_of_a_machine_is_stored(path):
    assert structure.privacy_faults(path.read_text()) == []


@TEXTS
def test_every_link_leads_somewhere(path):
    assert structure.link_faults(structure.prose(path), path.parent) == []


@TEXTS
def test_every_command_setting_and_file_that_is_named_exists(path):
    text = structure.prose(path)
    assert structure.command_faults(text) + structure.setting_faults(text) + structure.path_faults(text) == []


def cell(code, count=None, outputs=()):
    return nbformat.v4.new_code_cell(code, execution_count=count, outputs=list(outputs))


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def heading(text):
    return nbformat.v4.new_markdown_cell(text)


def test_the_checks_speak_of_cells_not_executed_or_failed():
    error = nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
    assert structure.execution_faults(notebook(cell("1", 1), cell("2")))
    assert structure.execution_faults(notebook(cell("1", 2), cell("2", 1)))
    assert structure.execution_faults(notebook(cell("1", 1, [error])))
    assert structure.execution_faults(notebook(cell("1", 1), cell("2", 2))) == []


def test_the_checks_speak_of_a_section_that_asserts_nothing_or_only_constants():
    silent = notebook(heading("## 1 · One"), cell("x = 1"), heading("## 2 · Two"), cell("assert x"))
    assert structure.assertion_faults(silent) == ["section '1 · One' asserts nothing"]
    assert structure.assertion_faults(notebook(heading("## 1 · One"), cell("assert True")))


def test_the_checks_speak_of_what_does_not_exist(tmp_path):
    assert structure.import_faults("from helpers.inference import teleport") == ["helpers.inference has no teleport"]
    assert structure.import_faults("import nosuchmodule") == ["there is no module nosuchmodule"]
    assert structure.link_faults("[x](gone.ipynb)", tmp_path) == ["the link gone.ipynb leads nowhere"]
    assert structure.command_faults("`make coffee`") == ["make has no target coffee"]
    assert structure.command_faults("`python -m helpers.teleport`") == ["there is no python -m helpers.teleport"]
    assert structure.command_faults("`python -m helpers.sites.ledger`") == [
        "there is no python -m helpers.sites.ledger"
    ]
    assert structure.setting_faults("`WORKSHOP_COLOUR`") == ["there is no setting WORKSHOP_COLOUR"]
    assert structure.path_faults("`helpers/gone.py`") == ["there is no file helpers/gone.py"]


@pytest.mark.parametrize(
    "command",
    ["helpers.inference fetch x", 'helpers.knowledge serch "x"', "helpers.knowledge ingest", "helpers.fiction A B"],
)
def test_the_checks_speak_of_a_command_that_its_module_does_not_take(command):
    fault = f"python -m {command} is not a command"
    assert structure.command_faults(f"`python -m {command}`") == [fault]
    assert structure.command_faults(f"```\npython -m {command}\n```") == [fault]


@pytest.mark.parametrize(
    "command",
    [
        "helpers.knowledge",
        'helpers.knowledge search "x" -k 3  # the best three',
        "helpers.knowledge ingest FOLDER",
        "helpers.knowledge --help",
        "helpers.fiction FOLDER",
        "helpers.inference pull",
        "helpers.apps.pharmacy --port 9003",
    ],
)
def test_the_checks_take_commands_that_can_be_given(command):
    assert structure.command_faults(f"`python -m {command}`") == []


def test_the_checks_speak_of_long_cells_and_paths_of_a_machine():
    assert structure.size_faults(notebook(cell("x\n" * 31)))
    assert structure.privacy_faults('"/home/ada/project/x.py"') == ["a path of a machine: /home/ada/project/x.py"]
