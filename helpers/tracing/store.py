"""What was received, in a file of SQLite: written by one process or several, read by anyone meanwhile.

store = Store(path)
store.traces()                      # the latest, each in a line
store.trace(trace_id)               # its spans
store.table(service="pharmacy")     # spans as a table, for questions about service levels
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.tracing.errors import StoreFailed
from helpers.tracing.logs import Log
from helpers.tracing.points import Point
from helpers.tracing.spans import Span
from helpers.tracing.summary import LINES, Summary
from helpers.tracing.tables import LOGS, POINTS, SCHEMA, SPANS, VERSION, T, Table

if TYPE_CHECKING:
    import pandas as pd

BATCH = 5_000  # rows deleted at a time
EVERY_ROWS = 1_000  # written, after which it is time to look for what is to be deleted
EVERY_SECONDS = 60.0
COLUMNS = ("trace_id", "span_id", "parent_id", "site", "service", "name", "kind", "start", "seconds", "status")
ABOUT = "select user_version, (select count(*) from sqlite_master) from pragma_user_version"
ROWS = (  # of COLUMNS
    'select trace_id, span_id, parent_id, site, service, name, kind, start, ("end" - start) / 1e9, status, attributes '
    "from spans"
)
REMEDIES = {  # by SQLite's names of errors
    "FULL": "Free some space on its disk",
    "READONLY": "Make the file and its folder writable",
    "CANTOPEN": "See to it that its folder is there and writable",
    "PERM": "Make the file and its folder writable",
    "BUSY": "Another process is writing: wait for it, or end it",
    "LOCKED": "Another process is writing: wait for it, or end it",
    "CORRUPT": "Move the file away, with those beside it that end in -wal and -shm; a new one is made",
    "NOTADB": "This is another file: choose another path for the store, or move the file away",
}
OTHERWISE = "See to it that its folder is writable and its disk has space"


class Store:
    """One file; threads may share a store, and several processes may have one each."""

    def __init__(
        self,
        path: Path,
        keep: timedelta = timedelta(days=14),
        most_spans: int = 1_000_000,
        *,
        wait: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """The store in this file, which is made when there is none.

        What arrived longer than `keep` ago is deleted, and so are the oldest spans, logs and points beyond
        `most_spans` of each; a little later, when more is written. `wait` seconds are given to others who write.

        Raises:
            StoreFailed: it cannot be opened or made.
        """
        self.path, self.keep, self.most, self.wait, self.clock = Path(path), keep, most_spans, wait, clock
        self._lock = threading.Lock()  # held by who writes
        self._connection: sqlite3.Connection | None = None
        self._unchecked = 0  # rows written since what is too old was looked for
        self._checked = float("-inf")  # and when that was
        with self._writing():
            pass

    def add_spans(self, spans: Iterable[Span]) -> int:
        """Keep these, all or none of them. How many are new: what is there already stays as it is.

        Raises:
            StoreFailed: they could not be written.
        """
        return self._add(SPANS, spans)

    def add_logs(self, logs: Iterable[Log]) -> int:
        """Keep these, as `add_spans` does."""
        return self._add(LOGS, logs)

    def add_metrics(self, points: Iterable[Point]) -> int:
        """Keep these, as `add_spans` does."""
        return self._add(POINTS, points)

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace by their start; none, if it is not known."""
        return self._records(SPANS, "where trace_id = ? order by start, id", trace_id)

    def logs(self, trace_id: str | None = None) -> list[Log]:
        """The log records by their time; only those written in a trace, if one is given."""
        where, values = ("where trace_id = ?", (trace_id,)) if trace_id is not None else ("", ())
        return self._records(LOGS, f"{where} order by time, id", *values)

    def metrics(self, name: str | None = None) -> list[Point]:
        """The points by their time; only those of one metric, if it is named."""
        where, values = ("where name = ?", (name,)) if name is not None else ("", ())
        return self._records(POINTS, f"{where} order by time, id", *values)

    def traces(self, limit: int = 20, session: str | None = None) -> list[Summary]:
        """The traces of which a span arrived last; only those of a session, if one is given.

        The session of a span is what its attribute `session.id` or `gen_ai.conversation.id` says.
        """
        of, values = ("where session = ? and session != ''", (session,)) if session is not None else ("", ())
        query = f"select trace_id from spans {of} group by trace_id order by max(id) desc limit ?"  # noqa: S608
        with self._reading() as connection:
            found = connection.execute(query, (*values, limit)).fetchall()
            return [Summary.of(connection.execute(LINES, row).fetchall()) for row in found]

    def table(
        self,
        attributes: Iterable[str] = (),
        *,
        service: str | None = None,
        name: str | None = None,
        since: datetime | None = None,
    ) -> "pd.DataFrame":
        """Spans by their start, one a row: `COLUMNS`, and these attributes, which are None where a span lacks them.

        `start` is in UTC; `since` compares with it, and has to have a time zone.

        Raises:
            StoreFailed: the file cannot be read.
            ValueError: `since` has no time zone.
        """
        import pandas as pd  # not above: the receiver would start half a second later

        if since is not None and since.tzinfo is None:
            raise ValueError(
                f"since={since} has no time zone. Write, for example, datetime.now(UTC) - timedelta(hours=1)."
            )
        start = round(since.timestamp() * 1e9) if since else None
        given = {"service = ?": service, "name = ?": name, "start >= ?": start}
        conditions = {condition: value for condition, value in given.items() if value is not None}
        where = f"where {' and '.join(conditions)}" if conditions else ""
        names = tuple(attributes)
        with self._reading() as connection:
            found = connection.execute(f"{ROWS} {where} order by start, id", tuple(conditions.values()))
            rows = [(*row, *_values(document, names)) for *row, document in found]
        table = pd.DataFrame(rows, columns=[*COLUMNS, *names])
        table["start"] = pd.to_datetime(table["start"].astype("int64"), unit="ns", utc=True)
        return table

    def close(self) -> None:
        """Give the file back. Whoever reads or writes afterwards opens it again."""
        with self._lock:
            self._drop()

    def _add(self, table: Table[T], records: Iterable[T]) -> int:
        rows = list(table.rows(records, self.clock()))
        with self._writing() as connection:
            before = connection.total_changes
            with _transaction(connection):
                connection.executemany(table.insert, rows)
            new = connection.total_changes - before
            self._unchecked += len(rows)
            self._delete_old(connection)
            return new

    def _delete_old(self, connection: sqlite3.Connection) -> None:
        now = self.clock()
        if self._unchecked < min(EVERY_ROWS, self.most) and abs(now - self._checked) < EVERY_SECONDS:
            return
        for table in ("spans", "logs", "points"):
            oldest = f"delete from {table} where id in (select id from {table} %s order by arrived, id limit ?)"  # noqa: S608
            while _delete(connection, oldest % "where arrived < ?", now - self.keep.total_seconds(), BATCH) == BATCH:
                pass
            ((count,),) = connection.execute(f"select count(*) from {table}")  # noqa: S608
            for first in range(0, count - self.most, BATCH):
                _delete(connection, oldest % "", min(BATCH, count - self.most - first))
        self._unchecked, self._checked = 0, now

    def _records(self, table: Table[T], which: str, *values: object) -> list[T]:
        with self._reading() as connection:
            return [table.record(row) for row in connection.execute(f"{table.select} {which}", values)]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read what is there at this moment."""
        with self._telling(), closing(self._connect()) as connection:
            connection.execute("begin")
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The one connection that writes. After an error it is opened anew: by then the disk may be another."""
        if not self._lock.acquire(timeout=self.wait):
            raise self._failed("other threads are still writing", OTHERWISE)
        try:
            with self._telling():
                if self._connection and not self.path.exists():  # else what is written would go nowhere
                    self._drop()
                self._connection = self._connection or self._open()
                yield self._connection
        except StoreFailed:
            self._drop()
            raise
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        """A connection to the file, which is made, for this user alone, when there is none."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600)
        connection = self._connect()
        try:
            ((version, there),) = connection.execute(ABOUT)
            if version == 0 and there:
                raise self._failed("it is a database of something else", REMEDIES["NOTADB"])
            if version not in (0, VERSION):
                raise self._failed(f"its tables are of version {version}, not {VERSION}", REMEDIES["CORRUPT"])
            # With WAL a reader never waits for who writes; what is committed survives the end of this process.
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            if version == 0:
                connection.executescript(f"begin immediate; {SCHEMA} pragma user_version = {VERSION}; commit;")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode=rw"  # to read, too: what a killed process left is put in order
        return sqlite3.connect(address, uri=True, timeout=self.wait, isolation_level=None, check_same_thread=False)

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What goes wrong, with its remedy."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_")
            raise self._failed(str(error), REMEDIES.get(name.partition("_")[0], OTHERWISE)) from error
        except OSError as error:
            raise self._failed(str(error.strerror or error), OTHERWISE) from error

    def _failed(self, what: str, remedy: str) -> StoreFailed:
        return StoreFailed(f"The store of traces {self.path} cannot be used: {what}. {remedy}, then try again.")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled it back already
            connection.execute("rollback")
        raise


def _delete(connection: sqlite3.Connection, query: str, *values: object) -> int:
    """One batch, in a transaction of its own, so that others get their turn."""
    return connection.execute(query, values).rowcount


def _values(document: str, names: tuple[str, ...]) -> list[object]:
    """These of the attributes in a JSON text."""
    if not names:
        return []
    there = json.loads(document)
    return [there.get(name) for name in names]
