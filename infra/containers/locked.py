"""What an image installs: the part of requirements.lock that some packages need, with its versions and hashes.

    python locked.py requirements.lock apps.txt > apps.lock

The lock says of each package which others asked for it (`# via`); followed from there, nothing is resolved anew. The
whole lock brings tests, notebooks and a package that has no wheel for ARM64. Only Python's own library is needed.
"""

import re
import sys
from pathlib import Path

START = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==", re.IGNORECASE)
VIA = re.compile(r"^    #(?: via)?\s+([a-z0-9][a-z0-9._-]*)$", re.IGNORECASE)


class NotLocked(ValueError):
    """A package that an image needs is not in the lock."""


def entries(lock: str) -> dict[str, list[str]]:
    """The lines of each package of the lock, by its name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if start := START.match(line):
            name = start[1].lower()
        if name:
            found.setdefault(name, []).append(line)
    return found


def needed(lock: dict[str, list[str]], roots: list[str]) -> set[str]:
    """`roots`, and what they need.

    Raises:
        NotLocked: a root is not in the lock.
    """
    if missing := sorted(set(roots) - set(lock)):
        raise NotLocked(f"{', '.join(missing)} is not in the lock. Add it to requirements.txt, then run: make lock")
    needs: dict[str, set[str]] = {}
    for name, lines in lock.items():
        for asker in filter(None, map(VIA.match, lines)):
            needs.setdefault(asker[1].lower(), set()).add(name)
    found, left = set[str](), list(roots)
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            left += needs.get(name, ())
    return found


def names(text: str) -> list[str]:
    """The packages of a list, one a line; what follows # is a comment."""
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip().lower())]


def part(lock: str, roots: list[str]) -> str:
    """The lines of the lock that `roots` need."""
    known = entries(lock)
    return "".join(f"{line}\n" for name in sorted(needed(known, roots)) for line in known[name])


if __name__ == "__main__":
    lock, listed = (Path(name).read_text("utf-8") for name in sys.argv[1:3])
    sys.stdout.write(part(lock, names(listed)))
