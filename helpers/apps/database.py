"""SQLite as the programs of the sites use it: a file of their own, and transactions that nobody else writes in."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


def create(path: Path, *statements: str) -> None:
    """Make the folder and the tables, where they are not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with transaction(path) as database:
        for statement in statements:
            database.execute(statement)


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction: committed, and on disk, when the block ends; undone when it raises."""
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
        database.execute("pragma synchronous = full")
        database.execute("begin immediate")
        try:
            yield database
        except BaseException:
            database.rollback()
            raise
        database.commit()
