"""Writes a database file so that it is there whole or not at all."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = Sequence[str | int | float | None]


class FictionError(RuntimeError):
    """The room's errors; the message names the remedy."""


class PathTaken(FictionError):
    """Something that these generators did not write has the name that the file is to get."""


@dataclass(frozen=True)
class Design:
    """What makes a database: its schema, a mark that tells it from all others, its version, and what it says of itself.

    Raise `version` whenever the content changes, so that files of the old one are written anew.
    """

    schema: Path
    mark: int  # PRAGMA application_id
    version: int  # PRAGMA user_version
    about: dict[str, str]


def write(path: Path, design: Design, fill: Callable[[sqlite3.Connection], None]) -> Path:
    """Write the database at `path` unless it is there already, and return the path.

    Raises:
        PathTaken: there is a file of another origin.
    """
    if _is_complete(path, design):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        _build(draft, design, fill)
        draft.chmod(0o644)  # mkstemp gives 0600; these files hold nothing to hide
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
        draft.with_name(f"{draft.name}-journal").unlink(missing_ok=True)
    return path


def counts(path: Path) -> dict[str, int]:
    """How many rows each table has, in the order of the schema."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("select name from sqlite_schema where type = 'table' order by rowid").fetchall()
        return {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for (name,) in tables}  # noqa: S608


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows that give every column of `table`, in order."""
    rows = list(rows)
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"insert into {table} values ({places})", rows)  # noqa: S608


def _build(draft: Path, design: Design, fill: Callable[[sqlite3.Connection], None]) -> None:
    with contextlib.closing(sqlite3.connect(draft)) as connection:
        connection.executescript(f"pragma foreign_keys = on; {design.schema.read_text(encoding='utf-8')}")
        with connection:
            insert(connection, "about", design.about.items())
            fill(connection)
        connection.execute(f"pragma application_id = {design.mark}")
        connection.execute(f"pragma user_version = {design.version}")


def _is_complete(path: Path, design: Design) -> bool:
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return False
    mark, version = _marks(path)
    if mark != design.mark:
        raise PathTaken(f"{path} is there and was not written by this generator. Move it away, or give another path.")
    return version == design.version


def _marks(path: Path) -> tuple[int | None, int | None]:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            mark, version = (
                connection.execute(f"pragma {p}").fetchone()[0] for p in ("application_id", "user_version")
            )
            return mark, version
    except sqlite3.Error:
        return None, None
