"""The ledger: what crossed the links between sites, and which classified values were in it.

    network.ledger.table()
    network.ledger.assert_never_left("campus-a", "patient")

One row a message and direction. It holds the number of different values of each classification, never a value. The
links write it, in SQLite; anyone may read it while they do.
"""

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.sites.errors import LedgerGone, LeftTheSite, UnknownSite

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = """
create table if not exists crossings (
    id integer primary key,
    at real not null,
    source text not null,
    target text not null,
    protocol text not null,
    operation text not null,
    status integer, -- of an answer; null: a request
    bytes integer not null,
    unread integer not null, -- of these, how many could not be read
    whole integer not null, -- 0: under way, or cut off
    classified text not null -- JSON: classification to number of different values
);
create index if not exists crossings_by_source on crossings (source);
create table if not exists watched (site text, classification text);
"""
COLUMNS = ("at", "source", "target", "protocol", "operation", "status", "bytes", "unread", "whole", "classified")


@dataclass
class Crossing:
    """One message, or the part of it that crossed, from `source` to `target`."""

    source: str
    target: str
    protocol: str = "HTTP"
    operation: str = ""
    status: int | None = None
    bytes: int = 0
    unread: int = 0
    whole: bool = False
    classified: dict[str, int] = field(default_factory=dict)
    at: float = field(default_factory=time.time)
    id: int | None = None

    def row(self) -> tuple[object, ...]:
        """The values of `COLUMNS`."""
        return tuple(json.dumps(v) if isinstance(v := getattr(self, name), dict) else v for name in COLUMNS)


class LedgerWriter:
    """The side of the links: writes crossings, and again when more is known of one."""

    def __init__(self, path: Path, sites: list[str], classifications: list[str]) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        # With WAL a reader never waits for the links; what is committed survives the end of this process.
        self._connection.executescript("pragma journal_mode = wal; pragma synchronous = off;" + SCHEMA)
        watched = [(site, name) for site in sites for name in classifications or [""]]
        self._connection.executemany("insert into watched values (?, ?)", watched)

    def write(self, crossing: Crossing) -> None:
        """Insert, or update what was inserted."""
        if crossing.id is None:
            crossing.id = self._connection.execute(INSERT, crossing.row()).lastrowid
        else:
            self._connection.execute(UPDATE, (*crossing.row(), crossing.id))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


INSERT = f"insert into crossings ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
UPDATE = f"update crossings set {', '.join(f'{name} = ?' for name in COLUMNS)} where id = ?"  # noqa: S608


class Ledger:
    """The side of those who read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def table(self, *, telemetry: bool = False) -> "pd.DataFrame":
        """Every crossing, oldest first: what it was, how large, how much of it unread, and what was found in it.

        What programs send of their own accord to a receiver of telemetry is in it only if asked for.
        """
        import pandas as pd  # not above: the links write ledgers, and would start half a second later

        which = "" if telemetry else "where protocol != 'OTLP'"
        rows = self._rows(f"select {', '.join(COLUMNS)} from crossings {which} order by id")  # noqa: S608
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        table["at"] = pd.to_datetime(table["at"], unit="s").dt.strftime("%H:%M:%S.%f").str[:-3]
        table["status"] = table["status"].astype("Int64")
        table["whole"] = table["whole"].astype(bool)
        counts = table["classified"].map(json.loads)
        table["classified"] = counts.map(lambda found: ", ".join(f"{n} {name}" for name, n in found.items()))
        return table.rename(columns={"at": "time", "source": "from", "target": "to"})

    def assert_never_left(self, site: str, classification: str) -> int:
        """Nothing of `classification` crossed from `site`; returns how many crossings from there were read for it.

        Raises:
            LeftTheSite: something did, or some bytes could not be read, so that nobody can say.
            UnknownSite: the ledger does not watch that site, or does not look for that classification.
            LedgerGone: the network was closed.
        """
        self._require(site, classification)
        rows = self._rows("select operation, target, unread, classified from crossings where source = ?", site)
        left = [(operation, to, json.loads(found)) for operation, to, _, found in rows]
        with_it = [f"{found[classification]} in {op} to {to}" for op, to, found in left if classification in found]
        if with_it:
            raise LeftTheSite(f"{classification} left {site}: {'; '.join(with_it)}.")
        unread = [f"{count} bytes of {operation} to {to}" for operation, to, count, _ in rows if count]
        if unread:
            raise LeftTheSite(
                f"Whether {classification} left {site} cannot be told. Not read, because encrypted, compressed in an "
                f"unknown way, no text, too large or not yet whole: {'; '.join(unread)}."
            )
        return len(rows)

    def _require(self, site: str, classification: str) -> None:
        watched = self._rows("select site, classification from watched")
        if (site, classification) not in watched:
            sites, names = (sorted({str(row[place]) for row in watched}) for place in (0, 1))
            raise UnknownSite(
                f"This ledger watches {', '.join(sites)} for {', '.join(names) or 'nothing'}, not {site!r} for "
                f"{classification!r}. "
                "Name the classification when the network is made: Network(topology, classified={...})."
            )

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            raise LedgerGone(f"{self.path} is gone, because its network was closed. Read a ledger before you close it.")
        with closing(sqlite3.connect(self.path, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()
