"""Which files of the repository a builder of images gets, by .dockerignore: the last pattern that fits decides."""

import subprocess
from fnmatch import fnmatch
from pathlib import Path


def sent(root: Path, ignore: str) -> set[Path]:
    """The files, relative to `root`; those that git knows or would add, and none that are ignored there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True
    )
    files = map(Path, listed.stdout.decode().splitlines())
    return {file for file in files if is_sent(file, ignore)}


def is_sent(file: Path, ignore: str) -> bool:
    """Whether the builder gets `file`."""
    answer = True
    for line in ignore.splitlines():
        if pattern := line.partition("#")[0].strip():
            kept = pattern.startswith("!")
            if _fits(file, pattern.lstrip("!")):
                answer = kept
    return answer


def _fits(file: Path, pattern: str) -> bool:
    """Whether the pattern fits the file or a folder that it is in; **/ is any number of folders, none too."""
    places = [file, *file.parents[:-1]]
    if pattern.startswith("**/"):
        return any(fnmatch(place.name, pattern[3:]) for place in places)
    return any(fnmatch(str(place), pattern) for place in places)
