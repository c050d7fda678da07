"""`make canary`: what it concludes, without a network; pip and pytest are played by a small stand-in."""

import json
import re
from pathlib import Path

import canary
import pytest
import suspicion
from canary import Canary
from suspicion import Case

from helpers.doctor.lock import parse_lock

LOCK = """\
# renewed by make lock
httpx==0.28.1 \\
    --hash=sha256:00
    # via openai
numpy==2.4.6 ; python_full_version < '3' \\
    --hash=sha256:00
numpy==2.5.5 ; python_full_version >= '3' \\
    --hash=sha256:00
colorama==0.4.6 ; sys_platform == 'no-such-system' \\
    --hash=sha256:00
Typing_Extensions==4.16.0
"""
MODULES = {"httpx": ["httpx"], "httpcore": ["httpcore"], "opentelemetry": ["opentelemetry-api", "opentelemetry-sdk"]}
MOVED = {
    "httpcore": ("1.0", "1.1"),
    "httpx": ("0.28.1", "0.29.0"),
    "opentelemetry-sdk": ("1.44", "1.45"),
    "rich": ("15.0.0", "15.1.0"),
    "newcomer": (None, "1.0"),
}
TRACEBACK = """\
tests/test_agent.py:7: in test_agent
    agent("hello")
.venv-canary/lib/python3.11/site-packages/strands/agent.py:20: in __call__
    self.client.post("/")
.venv-canary/lib/python3.11/site-packages/httpx/_client.py:1070: in post
    return self.send(request)
.venv-canary/lib/python3.11/site-packages/httpcore/_sync/connection.py:99: in send
E   TypeError: send() got an unexpected keyword argument 'proxy'
"""


def test_a_lock_is_read_with_the_markers_of_this_python():
    assert parse_lock(LOCK) == {"httpx": "0.28.1", "numpy": "2.5.5", "typing-extensions": "4.16.0"}


def test_the_lock_of_this_kit_can_be_read_and_holds_what_requirements_name():
    root = Path(canary.__file__).parents[1]
    direct = suspicion.parse_direct((root / "requirements.txt").read_text())
    assert set(direct) <= set(parse_lock((root / "requirements.lock").read_text()))
    assert "strands-agents" in direct


def test_versions_that_differ_only_in_spelling_have_not_moved():
    locked = {"same": "1.0", "up": "1.0", "gone": "1"}
    assert suspicion.compare(locked, {"same": "1.0.0", "up": "1.1", "came": "2"}) == {
        "came": (None, "2"),
        "gone": ("1", None),
        "up": ("1.0", "1.1"),
    }


def test_the_deepest_package_of_a_traceback_that_moved_is_suspected_first():
    assert suspicion.suspects(TRACEBACK, MODULES, MOVED, ["rich"]) == ["httpcore", "httpx"]


@pytest.mark.parametrize(
    "line",
    [
        "E   ModuleNotFoundError: No module named 'httpx.gone'",
        "E   ImportError: cannot import name 'Gone' from 'httpx._client' (/somewhere/__init__.py)",
        "E   AttributeError: module 'httpx' has no attribute 'Gone'",
    ],
)
def test_an_error_names_its_package_even_without_a_frame_in_it(line):
    assert suspicion.suspects(line, MODULES, MOVED, ["rich"]) == ["httpx"]


def test_a_module_shared_by_packages_suspects_those_that_moved():
    assert suspicion.suspects("site-packages/opentelemetry/trace.py:1", MODULES, MOVED, []) == ["opentelemetry-sdk"]


def test_without_a_name_the_moved_packages_of_requirements_are_suspected():
    assert suspicion.suspects("E   assert 1 == 2", MODULES, MOVED, ["pytest", "rich", "newcomer"]) == ["rich"]
    assert suspicion.suspects("E   assert 1 == 2", MODULES, MOVED, []) == [
        "httpcore",
        "httpx",
        "opentelemetry-sdk",
        "rich",
    ]


def test_packages_with_exact_pins_are_put_back_together():
    pins = {"pydantic": suspicion.pinned(["pydantic-core==2.50.4", "typing-extensions>=4", "email; extra == 'email'"])}
    moved = {"pydantic": ("1", "2"), "pydantic-core": ("1", "2"), "typing-extensions": ("1", "2")}
    assert suspicion.company("pydantic", pins, moved) == ["pydantic", "pydantic-core"]
    assert suspicion.company("pydantic-core", pins, moved) == ["pydantic-core", "pydantic"]
    assert suspicion.company("typing-extensions", pins, moved) == ["typing-extensions"]


def test_a_report_gives_back_what_pytest_calls_a_test():
    report = """<testsuites><testsuite>
    <testcase classname="tests.test_a" name="test_x[a::b]" file="tests/test_a.py"/>
    <testcase classname="tests.test_a.TestIt" name="test_y" file="tests/test_a.py"><skipped/></testcase>
    <testcase classname="" name="tests.test_b" file="tests/test_b.py">
      <error message="collection failure">Traceback:&#10;E   ImportError: no 'x'</error></testcase>
    <testcase classname="notebooks.00-a.ipynb" name="Cell 2" file="notebooks/00-a.ipynb">
      <failure message="Notebook failed">#x1B[31mNameError#x1B[39m: name 'y'</failure></testcase>
    </testsuite></testsuites>"""
    assert [(case.test, case.outcome, case.line) for case in suspicion.parse_report(report)] == [
        ("tests/test_a.py::test_x[a::b]", "passed", ""),
        ("tests/test_a.py::TestIt::test_y", "skipped", ""),
        ("tests/test_b.py", "failed", "ImportError: no 'x'"),
        ("notebooks/00-a.ipynb::Cell 2", "failed", "NameError: name 'y'"),
    ]


def test_a_file_that_could_not_be_collected_is_mended_when_its_tests_pass():
    assert suspicion.mended("tests/b.py", [Case("tests/b.py::test_x", "passed"), Case("tests/b.py::test_y", "skipped")])
    assert not suspicion.mended(
        "tests/b.py", [Case("tests/b.py::test_x", "passed"), Case("tests/b.py::test_y", "failed")]
    )
    assert not suspicion.mended("tests/b.py", [Case("tests/b2.py::test_x", "passed")])


def test_a_notebook_is_run_again_as_a_whole_and_its_cells_share_their_suspects():
    cells = [Case(f"notebooks/00.ipynb::Cell {n}", "failed", text=f"text {n}") for n in (1, 2)]
    other = Case("tests/a.py::test_x", "failed", text="other")
    assert suspicion.targets([case.test for case in [*cells, other]]) == ["notebooks/00.ipynb", "tests/a.py::test_x"]
    assert suspicion.story(cells[1], [*cells, other]) == "text 1\ntext 2"


class Machine:
    """Plays pip and pytest: test_agent breaks with the newest httpx, test_old always, test_flaky once."""

    def __init__(self, root, suite=("test_agent", "test_old", "test_flaky", "test_fine")):
        self.root = root
        self.suite = suite
        self.installed = {"httpx": "0.29.0", "httpcore": "1.1", "rich": "15.1.0"}
        self.commands = []
        self.runs = 0
        self.pip_error = ""

    def run(self, command):
        self.commands.append(command)
        if "pytest" in command:
            return self.pytest(command)
        if "-c" in command:
            requires = {name: None for name in self.installed}
            return 0, json.dumps({"versions": self.installed, "requires": requires, "modules": MODULES})
        if "install" in command and "-U" in command and self.pip_error:
            return 1, self.pip_error
        self.installed.update(word.split("==") for word in command if "==" in word)
        return 0, ""

    def pytest(self, command):
        self.runs += 1
        wanted = {word.split("::")[1] for word in command if "::" in word} or set(self.suite)
        broken = {"test_old"} | ({"test_agent"} if self.installed["httpx"] == "0.29.0" else set())
        broken |= {"test_flaky"} if self.runs == 1 else set()
        cases = [self.case(name, name in broken) for name in self.suite if name in wanted]
        report = next(word.removeprefix("--junitxml=") for word in command if word.startswith("--junitxml="))
        Path(report).write_text(f"<testsuites>{''.join(cases)}</testsuites>")
        return int(bool(broken & wanted & set(self.suite))), ""

    def case(self, name, broken):
        text = TRACEBACK if name == "test_agent" else "E   assert 1 == 2"
        failure = f'<failure message="message of {name}">{text}</failure>' if broken else ""
        return f'<testcase classname="tests.test_a" name="{name}" file="tests/test_a.py">{failure}</testcase>'


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "requirements.lock").write_text("httpcore==1.0\nhttpx==0.28.1\nrich==15.0.0\n")
    (tmp_path / "requirements.txt").write_text("rich>=15  # tables\n")
    return Machine(tmp_path)


def fly(machine, monkeypatch):
    """The exit code and the rows of the table of what broke."""
    tables = {}
    monkeypatch.setattr(canary, "show", lambda title, columns, rows: tables.update({title: rows}))
    return canary.fly(Canary(machine.root, ["--nbval"], machine.run)), tables.get("Broke")


def test_the_package_whose_putting_back_mends_a_test_is_blamed(machine, monkeypatch):
    code, rows = fly(machine, monkeypatch)
    error = "TypeError: send() got an unexpected keyword argument 'proxy'"
    assert code == 1
    assert rows == [
        ("tests/test_a.py::test_agent", error, "httpx (0.28.1 -> 0.29.0)", "yes"),
        ("tests/test_a.py::test_old", "message of test_old", "not found: suspects rich", "no"),
        ("tests/test_a.py::test_flaky", "message of test_flaky", "none: it passes when run again", "no"),
    ]


def test_suspects_are_put_back_one_by_one_and_the_newest_versions_return(machine, monkeypatch):
    fly(machine, monkeypatch)
    steps = [words[-1] for words in machine.commands if "--no-deps" in words and "-e" not in words]
    assert steps == ["httpcore==1.0", "httpcore==1.1", "httpx==0.28.1", "httpx==0.29.0", "rich==15.0.0", "rich==15.1.0"]
    assert machine.installed == {"httpx": "0.29.0", "httpcore": "1.1", "rich": "15.1.0"}


def test_only_the_failing_tests_are_run_again_with_the_same_options(machine, monkeypatch):
    fly(machine, monkeypatch)
    suite, again, *trials = [words for words in machine.commands if "pytest" in words]
    assert not [word for word in suite if "::" in word]
    assert len([word for word in again if "::" in word]) == 3
    assert [[word for word in words if "::" in word] for words in trials] == [
        ["tests/test_a.py::test_agent"],
        ["tests/test_a.py::test_agent"],
        ["tests/test_a.py::test_old"],
    ]
    assert all("--nbval" in words for words in (suite, again, *trials))


def test_nothing_broken_ends_with_zero(machine, monkeypatch):
    machine.suite = ["test_fine"]
    assert fly(machine, monkeypatch) == (0, None)


def test_a_suite_that_does_not_start_is_something_broken(machine, monkeypatch):
    machine.pytest = lambda command: (4, "ImportError while loading conftest\nE   ImportError: no 'x'\nbye")
    code, rows = fly(machine, monkeypatch)
    assert code == 1
    assert rows == [(canary.SUITE, "ImportError: no 'x'", "not found: suspects rich", "no")]


def test_versions_that_do_not_install_together_are_told_and_end_with_two(machine, monkeypatch, capsys):
    conflict = "ERROR: Cannot install -r requirements.txt (line 5) and mcp==1.0"
    machine.pip_error = (
        f"WARNING: something else\n{conflict}\nThe conflict is caused by:\n    The user requested mcp==1.0"
    )
    monkeypatch.setattr(canary, "ROOT", machine.root)
    monkeypatch.setattr(canary, "stream", machine.run)
    assert canary.main(["--", "--nbval"]) == 2
    printed = capsys.readouterr().out
    assert re.search(r"could not install the newest versions:\nERROR: Cannot install", printed)
    assert "something else" not in printed
    assert not [words for words in machine.commands if "pytest" in words]
