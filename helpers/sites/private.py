"""Files that hold secrets: for this user alone, and there whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """What a file holds; when there is none it is made, once, however many processes come at the same time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():  # another process may have been first
                write_private(path, make())
    return path.read_bytes()


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only this user can read, whatever was there before."""
    prepare_private(path, data).replace(path)


def prepare_private(path: Path, data: bytes) -> Path:
    """Write what is to replace a file that only this user can read; where it lies until then."""
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)  # whoever began one may have had another mode in mind
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return scratch
