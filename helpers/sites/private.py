"""Files that hold secrets: for this user alone, and there whole or not at all."""

import os
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only this user can read, whatever was there before."""
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)  # whoever began one may have had another mode in mind
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    scratch.replace(path)
