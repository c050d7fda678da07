"""The files of a folder that may be read, and why the others may not."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from helpers.knowledge.errors import DocumentRefused, DocumentUnreadable, FolderUnusable


def files(folder: Path) -> Iterator[tuple[str, Path | DocumentRefused]]:
    """Each file below `folder`, by its path in it, in order of the paths; hidden ones are left out.

    Links are not followed: what they lead to is either in the folder, and read under its own name, or not part of it.

    Raises:
        FolderUnusable: there is no such folder, or it may not be read.
    """
    if not folder.is_dir():
        raise FolderUnusable(f"There is no folder {folder}. Name one that holds documents.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise FolderUnusable(f"The folder {folder} may not be read by you. Look at its permissions: ls -ld {folder}")
    root = folder.resolve()
    for path in sorted(_walk(root)):
        name = path.relative_to(root).as_posix()
        if (readable := os.fsencode(name).decode("utf-8", "replace")) != name:
            yield readable, DocumentRefused("its name is not UTF-8; rename it")
        elif path.is_symlink():
            yield name, DocumentRefused(_about_link(path, root))
        elif path.is_dir():
            yield name, DocumentUnreadable("a folder that may not be read; look at its permissions")
        elif not stat.S_ISREG(path.lstat().st_mode):
            yield name, DocumentRefused("not a regular file")
        else:
            yield name, path


def _walk(root: Path) -> Iterator[Path]:
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(root, onerror=unreadable.append):
        if not os.access(parent, os.X_OK):  # its files can be named, but not looked at
            folders.clear()
            yield Path(parent)
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        found = [Path(parent, name) for name in (*folders, *names) if not name.startswith(".")]
        yield from (path for path in found if path.is_symlink() or not path.is_dir())
    yield from (Path(error.filename) for error in unreadable)


def _about_link(path: Path, root: Path) -> str:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a loop is an OSError from Python 3.13 on
        return "a link that leads nowhere or round in a loop"
    if target.is_relative_to(root):
        return f"a link to {target.relative_to(root).as_posix()}, which is read under its own name"
    return "a link that leads outside the folder; copy the file into it"
