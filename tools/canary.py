"""Tries the newest versions that requirements.txt allows, and tells what breaks through which package.

    python tools/canary.py [-- PYTEST_OPTIONS]

Builds `.venv-canary` without the lock and runs the whole suite in it. For a failing test each suspected package is put
back to its locked version, alone or with those it pins exactly: the one that mends the test is the confirmed cause.
Exit codes: 0 nothing broke, 1 something broke, 2 the newest versions do not install together.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
SUITE = "the suite as a whole"
# What an environment holds. A package installed from a folder is the workshop's own: no version of it can move.
PROBE = """
import json, importlib.metadata as m
found = [d for d in m.distributions() if not d.read_text("direct_url.json")]
print(json.dumps({"versions": {d.name: d.version for d in found}, "requires": {d.name: d.requires for d in found},
                  "modules": m.packages_distributions()}))
"""
COLOUR = re.compile(r"(?:\x1b|#x1B)\[[0-9;]*m")  # pytest's report spells the escape character out
ERROR = re.compile(r"^(?:E\s+)?((?:[\w.]*(?:Error|Exception|Warning|Exit)|Cell \d+|\S+: error): .*)$", re.MULTILINE)
NAMED = re.compile(r"site-packages[/\\](\w+)|No module named '(\w+)|from '(\w+)|module '(\w+)")

console = Console(markup=False, highlight=False)
Run = Callable[[list[str]], tuple[int, str]]
Blame = dict[str, list[str]]  # test: the package that broke it and those put back with it
Moved = dict[str, tuple[str | None, str | None]]  # package: locked and newest version, None where it is absent


class NotInstallable(Exception):
    """The newest versions do not install, or not together."""


@dataclass(frozen=True)
class Case:
    """One test of a report: its pytest id, 'passed', 'failed' or 'skipped', and what the report says of a failure."""

    test: str
    outcome: str
    line: str = ""
    text: str = ""


@dataclass(frozen=True)
class Packages:
    """What environments hold: versions, the packages behind a module name, the packages that one pins exactly."""

    versions: dict[str, str]
    modules: dict[str, list[str]]
    pins: dict[str, list[str]]


def canonical(name: str) -> str:
    """A package's name as the index spells it."""
    return str(canonicalize_name(name))


def parse_lock(text: str) -> dict[str, str]:
    """The versions of a lock file that this Python and platform install."""
    lines = [line.rstrip("\\ ") for line in text.splitlines() if line[:1] not in ("", " ", "#", "-")]
    applying = [r for r in map(Requirement, lines) if r.marker is None or r.marker.evaluate()]
    return {canonical(r.name): next(iter(r.specifier)).version for r in applying}


def parse_direct(text: str) -> list[str]:
    """The packages that requirements.txt names."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return [canonical(Requirement(line).name) for line in lines if line]


def parse_packages(probed: str) -> Packages:
    """What PROBE printed."""
    found = json.loads(probed)
    versions = {canonical(name): version for name, version in found["versions"].items()}
    modules = {module: list(dict.fromkeys(map(canonical, names))) for module, names in found["modules"].items()}
    return Packages(versions, modules, {canonical(name): pinned(r or []) for name, r in found["requires"].items()})


def pinned(requires: Sequence[str]) -> list[str]:
    """The packages that must have one exact version."""
    applying = [r for r in map(Requirement, requires) if r.marker is None or r.marker.evaluate({"extra": ""})]
    exact = [r for r in applying if any(s.operator == "==" and not s.version.endswith("*") for s in r.specifier)]
    return [canonical(r.name) for r in exact]


def compare(locked: dict[str, str], newest: dict[str, str]) -> Moved:
    """The packages whose version differs, came or went."""
    pairs = {name: (locked.get(name), newest.get(name)) for name in sorted({*locked, *newest})}
    return {n: (old, new) for n, (old, new) in pairs.items() if not (old and new and Version(old) == Version(new))}


def parse_report(text: str) -> list[Case]:
    """The tests of a JUnit report of the xunit1 family, the one that names files."""
    return [parse_case(element) for element in ET.fromstring(text).iter("testcase")]


def parse_case(element: ET.Element) -> Case:
    """One test, with the last error that its report names, else with the report's first line."""
    bad = [part for part in element if part.tag in ("failure", "error")]
    if not bad:
        return Case(node_id(element), "passed" if element.find("skipped") is None else "skipped")
    text = COLOUR.sub("", "\n".join(f"{part.get('message')}\n{part.text}" for part in bad))
    return Case(node_id(element), "failed", first_line(text), text)


def first_line(text: str) -> str:
    """The line that says what went wrong."""
    return [*text.splitlines()[:1], *ERROR.findall(text)][-1] if text else ""


def node_id(element: ET.Element) -> str:
    """What pytest calls the test; a file that could not be collected has no class name."""
    file, name, classname = (element.get(key, "") for key in ("file", "name", "classname"))
    classes = classname.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    return "::".join([file, *filter(None, classes.split(".")), name]) if classname else file


def suspects(text: str, modules: dict[str, list[str]], moved: Moved, direct: Sequence[str]) -> list[str]:
    """The moved packages that a failure names, deepest frame first; else those of requirements.txt, else all."""
    names = ["".join(groups) for groups in NAMED.findall(text)]
    found = [package for name in reversed(names) for package in modules.get(name, [])]
    had = [name for name, (locked, _) in moved.items() if locked]
    named = [package for package in dict.fromkeys(found) if package in had]
    return named or [package for package in direct if package in had] or had


def story(case: Case, failures: Sequence[Case]) -> str:
    """What the report says of a failure; for a notebook's cell also of the others, for one breaks the next."""
    return "\n".join(other.text for other in failures if targets([other.test]) == targets([case.test]))


def company(package: str, pins: dict[str, list[str]], moved: Moved) -> list[str]:
    """The package and the moved ones tied to it by exact pins: pydantic does not import without its own core."""
    group = [package]
    for name in group:  # grows while it is walked
        near = [*pins.get(name, []), *(other for other, exact in pins.items() if name in exact)]
        group += [other for other in dict.fromkeys(near) if other in moved and other not in group]
    return group


def mended(test: str, cases: Sequence[Case]) -> bool:
    """Whether a test, or all of a file that could not be collected, passes in a report."""
    outcomes = {case.outcome for case in cases if case.test == test or case.test.startswith(test + "::")}
    return "passed" in outcomes and "failed" not in outcomes


def targets(tests: Sequence[str]) -> list[str]:
    """What to run again: a notebook as a whole, for its cells stand on those before them."""
    return list(dict.fromkeys(test.split("::")[0] if ".ipynb::" in test else test for test in tests))


def reasons(output: str) -> str:
    """What pip says from its first error on."""
    lines = output.strip().splitlines()
    start = next((i for i, line in enumerate(lines) if line.lower().lstrip().startswith("error")), -5)
    return "\n".join(lines[start:][:30])


@dataclass(frozen=True)
class Canary:
    """The environment with the newest versions, and the suite that is run in it."""

    root: Path
    options: Sequence[str]
    run: Run

    @property
    def python(self) -> str:
        return str(self.root / ".venv-canary" / "bin" / "python")

    def build(self) -> None:
        """Make the environment; raises NotInstallable with pip's reasons."""
        install = [self.python, "-m", "pip", "install", "--progress-bar=off"]  # not quiet: that hides conflicts
        steps = {
            "make .venv-canary": [sys.executable, "-m", "venv", "--clear", str(self.root / ".venv-canary")],
            "install the newest versions": [*install, "-U", "--upgrade-strategy=eager", "-r", "requirements.txt"],
            "install the workshop itself": [*install, "--no-deps", "--no-build-isolation", "-e", "."],
            "find the newest versions in agreement": [self.python, "-m", "pip", "check"],
        }
        for what, command in steps.items():
            console.print(f"canary: {what}")
            code, output = self.run(command)
            if code:
                raise NotInstallable(f"could not {what}:\n{reasons(output)}")

    def probe(self) -> Packages:
        """The newest versions; modules and pins of the locked environment too, which has what is gone here."""
        texts = [self.run([python, "-I", "-c", PROBE])[1] for python in (sys.executable, self.python)]
        locked, newest = map(parse_packages, texts)
        return Packages(newest.versions, {**locked.modules, **newest.modules}, {**locked.pins, **newest.pins})

    def pytest(self, name: str, *arguments: str) -> tuple[int, str, list[Case]]:
        """Run tests; the exit code, the output and what the report `name` says of each."""
        folder = self.root / "artefacts" / "canary"
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / f"{name}.xml"
        report.unlink(missing_ok=True)
        # Without the first option one file that cannot be imported would keep all others from running.
        ours = ["--continue-on-collection-errors", "-o", f"cache_dir={folder}/cache", "-o", "junit_family=xunit1"]
        command = [self.python, "-m", "pytest", *self.options, *ours, f"--junitxml={report}", *arguments]
        code, output = self.run(command)
        return code, output, parse_report(report.read_text()) if report.exists() else []

    def failures(self) -> list[Case]:
        """What fails in the whole suite; a suite that does not even start is one failure."""
        code, output, cases = self.pytest("suite")
        failed = [case for case in cases if case.outcome == "failed"]
        if code and not failed:
            last = output.strip().rpartition("\n")[2]
            return [Case(SUITE, "failed", first_line(f"{last}\n{output}"), output)]
        return failed

    def passing(self, tests: Sequence[str], name: str) -> set[str]:
        """Which of the failed tests pass now."""
        if SUITE in tests:
            return {SUITE} if self.pytest(name, "--collect-only", "-q")[0] == 0 else set()
        cases = self.pytest(name, *targets(tests))[2]
        return {test for test in tests if mended(test, cases)}

    def settle(self, versions: dict[str, str | None]) -> bool:
        """Give packages these versions, and nothing else; None removes one."""
        pip = [self.python, "-m", "pip", "--quiet"]
        wanted = [f"{name}=={version}" for name, version in versions.items() if version]
        absent = [name for name, version in versions.items() if not version]
        installed = not wanted or self.run([*pip, "install", "--no-deps", *wanted])[0] == 0
        return installed and (not absent or self.run([*pip, "uninstall", "--yes", *absent])[0] == 0)

    def put_back(self, group: Sequence[str], tests: Sequence[str], moved: Moved) -> set[str]:
        """Which tests pass with packages at their locked versions; afterwards all are at their newest again."""
        console.print(f"canary: put back {', '.join(group)}")
        settled = self.settle({name: moved[name][0] for name in group})
        fixed = self.passing(tests, f"without-{group[0]}") if settled else set()
        if not self.settle({name: moved[name][1] for name in group}):
            raise NotInstallable(f"could not install the newest {', '.join(group)} again.")
        return fixed


def confirm(canary: Canary, suspected: dict[str, list[str]], moved: Moved, pins: dict[str, list[str]]) -> Blame:
    """For each failed test the packages whose putting back mends it; none if it passes again by itself."""
    # A test that fails now and then would be blamed on whichever package is put back when it passes.
    blame: Blame = {test: [] for test in canary.passing(list(suspected), "again")}
    for package in dict.fromkeys(name for names in suspected.values() for name in names):
        waiting = [test for test, names in suspected.items() if package in names and test not in blame]
        if waiting:
            group = company(package, pins, moved)
            blame.update(dict.fromkeys(canary.put_back(group, waiting, moved), group))
    return blame


def row(case: Case, suspected: Sequence[str], group: Sequence[str] | None, moved: Moved) -> tuple[str, str, str, str]:
    """The words of a row: test, first line of the error, through which package, confirmed."""
    if group:
        along = f" with {', '.join(group[1:])}" if group[1:] else ""
        return case.test, case.line, move(group[0], moved) + along, "yes"
    if group is not None:
        return case.test, case.line, "none: it passes when run again", "no"
    return case.test, case.line, f"not found: suspects {', '.join(suspected) or 'none, no package moved'}", "no"


def move(package: str, moved: Moved) -> str:
    """A package with its two versions."""
    locked, newest = moved[package]
    return f"{package} ({locked or 'absent'} -> {newest or 'absent'})"


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for words in rows:
        table.add_row(*words)
    console.print(table)


def fly(canary: Canary) -> int:
    """Build, run, compare, confirm; the exit code."""
    canary.build()
    packages = canary.probe()
    moved = compare(parse_lock((canary.root / "requirements.lock").read_text()), packages.versions)
    versions = [(name, locked or "-", newest or "-") for name, (locked, newest) in moved.items()]
    show("Moved", ("package", "locked", "newest"), versions or [("nothing", "", "")])
    failures = canary.failures()
    if not failures:
        console.print("canary: nothing broke.")
        return 0
    direct = parse_direct((canary.root / "requirements.txt").read_text())
    suspected = {case.test: suspects(story(case, failures), packages.modules, moved, direct) for case in failures}
    blame = confirm(canary, suspected, moved, packages.pins)
    rows = [row(case, suspected[case.test], blame.get(case.test), moved) for case in failures]
    show("Broke", ("test", "error", "through which package", "confirmed"), rows)
    return 1


def stream(command: list[str]) -> tuple[int, str]:
    """Run a command in the kit's folder; show and keep what it prints."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    path = f"{ROOT / '.venv-canary' / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    environment |= {"PATH": path, "PYTHONUNBUFFERED": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            console.out(line, end="")
    return process.returncode, "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the newest versions with the given pytest options; the exit code."""
    parser = argparse.ArgumentParser(prog="canary.py", description="Try the newest versions of all dependencies")
    parser.add_argument("options", nargs="*", metavar="-- PYTEST_OPTIONS", help="what make test gives to pytest")
    try:
        return fly(Canary(ROOT, parser.parse_args(arguments).options, stream))
    except NotInstallable as problem:
        console.print(f"canary: {problem}", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.print("canary: interrupted.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
