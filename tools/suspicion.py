"""Reads what pip and pytest left behind, and judges which package is behind a failure. No input or output."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

COLOUR = re.compile(r"(?:\x1b|#x1B)\[[0-9;]*m")  # pytest's report spells the escape character out
ERROR = re.compile(r"^(?:E\s+)?((?:[\w.]*(?:Error|Exception|Warning|Exit)|Cell \d+|\S+: error): .*)$", re.MULTILINE)
NAMED = re.compile(r"site-packages[/\\](\w+)|No module named '(\w+)|from '(\w+)|module '(\w+)")


Moved = dict[str, tuple[str | None, str | None]]  # package: locked and newest version, None where it is absent


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
