"""Packages of code: zips that callers upload, unpacked where they can do no harm."""

import io
import zipfile
from pathlib import Path, PurePosixPath

from helpers.region.errors import InvalidZip

MOST = 250 * 2**20  # bytes of a function, unpacked; Lambda's own limit


def unpack(code: bytes, folder: Path) -> None:
    """Unpack a zip into a new folder for this user alone.

    Raises:
        InvalidZip: it is none, it is too large, or it would write elsewhere.
    """
    folder.mkdir(mode=0o700)
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as package:
            members = package.infolist()
            _check(members)
            package.extractall(folder, members)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise InvalidZip(f"Lambda was not able to unzip the file: {error}") from error


def _check(members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise InvalidZip(
                f"Lambda was not able to unzip the file: {member.filename} would be outside of its folder."
            )
    if sum(member.file_size for member in members) > MOST:
        raise InvalidZip(f"Unzipped size must be smaller than {MOST} bytes")
