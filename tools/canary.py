"""Tries the newest versions that requirements.txt allows, and tells what breaks through which package.

    python tools/canary.py [-- PYTEST_OPTIONS]

Builds `.venv-canary` without the lock and runs the whole suite in it. For a failing test each suspected package is put
back to its locked version, alone or with those it pins exactly: the one that mends the test is the confirmed cause.
Exit codes: 0 nothing broke, 1 something broke, 2 the newest versions do not install together.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from suspicion import (
    Case,
    Moved,
    Packages,
    company,
    compare,
    first_line,
    mended,
    parse_direct,
    parse_packages,
    parse_report,
    reasons,
    row,
    story,
    suspects,
    targets,
)

from helpers.doctor.lock import parse_lock

ROOT = Path(__file__).resolve().parent.parent
SUITE = "the suite as a whole"
# What an environment holds. A package installed from a folder is the workshop's own: no version of it can move.
PROBE = """
import json, importlib.metadata as m
found = [d for d in m.distributions() if not d.read_text("direct_url.json")]
print(json.dumps({"versions": {d.name: d.version for d in found}, "requires": {d.name: d.requires for d in found},
                  "modules": m.packages_distributions()}))
"""
console = Console(markup=False, highlight=False)
Run = Callable[[list[str]], tuple[int, str]]
Blame = dict[str, list[str]]  # test: the package that broke it and those put back with it


class NotInstallable(Exception):
    """The newest versions do not install, or not together."""


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
