"""The audit log: what was asked, by which tool of which server, who answered what and when, and what happened then.

    log = AuditLog(path)
    log.write("answered", tool="discard_stock", arguments={"sku": "A1"}, who="Maria", action="accept")
    log.verify()  # 1

Append-only SQLite. The hash of an entry covers the one before and is made with a key of this user, which is not in the
log. So a changed, deleted, inserted or moved entry is found, also at the end, whoever made it without the key. Not
found: what is done by those who can read this user's files, since they have the key; and that the log *and* its anchor
were replaced by earlier copies, or deleted. Against both, keep `log.head` where they cannot reach, and give it to
`verify`. Arguments and details are written as they are given: give no secrets.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from helpers.apps.seals import Anchor, AuditFailed, Seal, Tampered
from helpers.sites.private import write_private

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = """
create table log (id text not null);
create table entries (
    number integer primary key, -- from 1
    at real not null,
    event text not null,
    operation text not null,
    server text not null,
    tool text not null,
    arguments text not null, -- JSON
    who text not null,
    details text not null, -- JSON
    hash text not null
);
create trigger no_update before update on entries begin select raise(abort, 'an audit log is not changed'); end;
create trigger no_delete before delete on entries begin select raise(abort, 'an audit log is not changed'); end;
create trigger at_the_end before insert on entries
when new.number is not (select coalesce(max(number), 0) + 1 from entries)
begin select raise(abort, 'an audit log is only appended to'); end;
"""
COLUMNS = ("number", "at", "event", "operation", "server", "tool", "arguments", "who", "details", "hash")
SELECT = f"select {', '.join(COLUMNS)} from entries order by number"  # noqa: S608
INSERT = f"insert into entries values ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
# Delete the journal and sync the folder too: after a power failure no journal comes back and undoes what was committed.
PRAGMAS = "pragma journal_mode = delete; pragma synchronous = extra;"
MACHINE = ("FULL", "READONLY", "IOERR", "BUSY", "LOCKED", "CANTOPEN", "PERM", "NOMEM")  # SQLite's errors that it causes
WAIT_SECONDS = 30.0
SHORT = 120  # characters of JSON in a table

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Entry:
    """One entry, as it was written."""

    number: int  # from 1
    at: float  # time.time()
    event: str
    operation: str = ""
    server: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    who: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    hash: str = ""


class AuditLog:
    """One log. Several threads and processes may write it at once."""

    def __init__(self, path: Path) -> None:
        """The log in this file, which is made, for this user alone, when there is none.

        Raises:
            AuditFailed: it cannot be made.
        """
        self.path = path
        self.anchor = path.with_name(path.name + ".anchor")
        self.seal = Seal.of_this_user()
        if not path.exists():
            with self._telling():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._create()

    def write(
        self,
        event: str,
        *,
        operation: str = "",
        server: str = "",
        tool: str = "",
        arguments: Mapping[str, Any] | None = None,
        who: str = "",
        **details: Any,  # noqa: ANN401 - what JSON holds; what it does not is written as text
    ) -> Entry:
        """Append an entry; when this returns, it is on disk.

        Raises:
            AuditFailed: it could not be written, and is not there. Do not do what was to be logged.
            Tampered: the end of the log is not what was last written, so that nothing may be added.
        """
        texts = (event, operation, server, tool, _json(arguments or {}), who, _json(details))
        with self._telling(), self._alone(), closing(self._connect()) as connection:
            connection.execute("begin immediate")
            anchor = self._checked_end(connection)
            row: Row = (anchor.count + 1, time.time(), *map(_storable, texts))
            head = self.seal.following(anchor.hash, _canonical(row))
            connection.execute(INSERT, (*row, head))
            scratch = Anchor(anchor.log, anchor.count + 1, head).prepare(self.anchor, self.seal)
            connection.execute("commit")
            scratch.replace(self.anchor)
        return _entry((*row, head))

    def entries(self) -> list[Entry]:
        """All entries, oldest first, as the file has them: `verify` says whether they are what was written.

        Raises:
            AuditFailed: the file cannot be read.
            Tampered: the file is gone, or is no such log.
        """
        with self._telling(), closing(self._connect()) as connection:
            return [_entry(row) for row in connection.execute(SELECT)]

    def table(self) -> "pd.DataFrame":
        """The entries to look at, one a row, with the time in UTC and what is long cut off."""
        import pandas as pd  # not above: servers write logs, and would start half a second later

        entries = self.entries()
        table = pd.DataFrame([vars(entry) for entry in entries], columns=list(COLUMNS[:-1])).set_index("number")
        table["at"] = pd.to_datetime(table["at"], unit="s").dt.strftime("%H:%M:%S.%f").str[:-3]
        for name in ("arguments", "details"):
            table[name] = table[name].map(_short)
        return table.rename(columns={"at": "time"})

    @property
    def head(self) -> str:
        """The hash of the last entry, to be kept elsewhere and given to `verify`."""
        with self._telling(), closing(self._connect()) as connection:
            rows = connection.execute(f"{SELECT} desc limit 1").fetchall()
            return str(rows[0][-1]) if rows else self.seal.begin(self._id(connection))

    def verify(self, head: str | None = None) -> int:
        """Check every entry, and that none is missing; returns how many there are.

        `head`, which somebody kept elsewhere, must be the hash of one of them.

        Raises:
            Tampered: the log is not what was written; names the first entry that is wrong.
            AuditFailed: the file cannot be read.
        """
        with self._telling():
            before = Anchor.read(self.anchor, self.seal)
            with closing(self._connect()) as connection:
                connection.execute("begin")
                self._check_schema(connection)
                hashes = self._checked_chain(self._id(connection), connection.execute(SELECT))
            after = Anchor.read(self.anchor, self.seal)  # others may have written meanwhile
        self._check_anchors(before, after, hashes)
        if head is not None and head not in hashes:
            raise Tampered(f"No entry of {self.path} has the head that was kept: the log was replaced, or cut short.")
        return len(hashes) - 1

    def _create(self) -> None:
        """Make anchor and file, in this order: an anchor that tells of no entries cannot hide any."""
        with self._alone():
            if self.path.exists():
                return
            if not self.anchor.exists():
                name = secrets.token_hex(16)
                Anchor(name, 0, self.seal.begin(name)).prepare(self.anchor, self.seal).replace(self.anchor)
            write_private(self.path, _empty(Anchor.read(self.anchor, self.seal).log))

    def _checked_end(self, connection: sqlite3.Connection) -> Anchor:
        """Where to go on. One entry may be ahead of the anchor: its writer was killed before it replaced that."""
        anchor = Anchor.read(self.anchor, self.seal)
        rows = connection.execute(f"{SELECT} desc limit 2").fetchall()
        number, last = (rows[0][0], rows[0][-1]) if rows else (0, self.seal.begin(self._id(connection)))
        if (number, last) == (anchor.count, anchor.hash):
            return anchor
        if number == anchor.count + 1 and last == self.seal.following(anchor.hash, _canonical(rows[0][:-1])):
            return Anchor(anchor.log, number, last)
        raise self._tampered(min(number, anchor.count), "is not followed by what was last written")

    def _checked_chain(self, log: str, rows: Iterator[Row]) -> list[str]:
        """The hashes from the beginning, before the first entry, to the last."""
        hashes = [self.seal.begin(log)]
        for expected, row in enumerate(rows, 1):
            if row[0] != expected:
                raise self._tampered(expected, f"is missing; after it comes {row[0]}")
            hashes.append(self.seal.following(hashes[-1], _canonical(row[:-1])))
            if hashes[-1] != row[-1]:
                raise self._tampered(expected, "was changed, or one was put in its place")
        return hashes

    def _check_anchors(self, before: Anchor, after: Anchor, hashes: list[str]) -> None:
        count = len(hashes) - 1
        if count < before.count:
            raise self._tampered(count + 1, f"is missing, and what comes after it: there were {before.count}")
        for anchor in (before, after):
            if anchor.count <= count and hashes[anchor.count] != anchor.hash:
                raise self._tampered(
                    anchor.count, f"is not the one that {self.anchor.name} tells of: one of both was replaced"
                )
        if count > after.count + 1:
            raise self._tampered(
                after.count + 1, f"is not yet known to {self.anchor.name}, which was replaced by an earlier one"
            )

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        query = "select type, name, sql from sqlite_master order by name"
        with closing(sqlite3.connect(":memory:")) as fresh:
            fresh.executescript(SCHEMA)
            if connection.execute(query).fetchall() != fresh.execute(query).fetchall():
                raise self._tampered(
                    1, "and all others can be changed: the tables or triggers of the log are not its own"
                )

    def _tampered(self, number: int, what: str) -> Tampered:
        return Tampered(
            f"{self.path}: entry {number} {what}. Keep the file as evidence, and begin a new log elsewhere."
        )

    def _id(self, connection: sqlite3.Connection) -> str:
        rows = connection.execute("select id from log").fetchall()
        return str(rows[0][0]) if len(rows) == 1 else ""

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise Tampered(f"{self.path} is gone. Put back a copy of it.")
        # Writable even to read: what a killed writer left is undone by whoever comes next.
        address = f"{self.path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
        connection.text_factory = lambda data: data.decode(errors="backslashreplace")  # may be anybody's bytes
        connection.executescript(PRAGMAS)
        return connection

    def _alone(self) -> FileLock:
        """Held from the end of the log to its anchor, so that no more than one entry is ahead of that."""
        return FileLock(self.path.with_name(self.path.name + ".lock"), timeout=WAIT_SECONDS, mode=0o600)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What goes wrong, as one of the two errors of a log."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.removeprefix("SQLITE_").startswith(MACHINE):
                raise self._failed(error) from error
            raise Tampered(f"{self.path} is not the log that was written: {error}. Put back a copy of it.") from error
        except (OSError, Timeout) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> AuditFailed:
        return AuditFailed(
            f"The audit log {self.path} cannot be used: {error}. Nothing was written. See to it that its folder is "
            "writable and its disk has space, then try again."
        )


def _empty(log: str) -> bytes:
    """The file of a log without entries."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SCHEMA)
        connection.execute("insert into log values (?)", [log])
        return connection.serialize()


def _canonical(row: Row) -> str:
    """What the hash of a row covers: all before it."""
    return json.dumps(row, default=repr)  # bytes, which no log has, get a hash that does not fit


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, default=str)


def _storable(text: str) -> str:
    """Without lone surrogates, which SQLite does not take."""
    return text.encode(errors="backslashreplace").decode()


def _entry(row: Row) -> Entry:
    values = dict(zip(COLUMNS, row, strict=True))
    try:
        arguments, details = json.loads(values["arguments"]), json.loads(values["details"])
    except (ValueError, TypeError):
        raise Tampered(f"Entry {values['number']} was changed: its arguments or details are no JSON.") from None
    return Entry(**values | {"arguments": arguments, "details": details})


def _short(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False) if value else ""
    return _storable(text if len(text) <= SHORT else text[: SHORT - 1] + "…")
