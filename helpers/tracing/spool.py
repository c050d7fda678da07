"""Telemetry on its way out, on disk: nothing is lost while the link is cut, and nobody waits for it.

One file for each service. Its processes may share it, for a receiver stores what comes twice only once.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tenacity import RetryCallState, RetryError, Retrying, retry_if_exception_type, wait_exponential_jitter

logger = logging.getLogger(__name__)
SCHEMA = "create table if not exists batches (number integer primary key autoincrement, path text, body blob)"
MOST_BYTES = 64 * 2**20
LONGEST_WAIT = 30.0  # seconds between two tries
POST_SECONDS = 10.0
CLOSE_SECONDS = 1.0
AGAIN = (408, 429, 502, 503, 504)  # by OTLP's rules, and 408, for a link may be slow; what else fails is not sent again
BACKOFF = wait_exponential_jitter(multiplier=0.1, max=LONGEST_WAIT)


class Unreachable(Exception):
    """The receiver cannot be reached, or has no time; `after` so many seconds, if it says so."""

    def __init__(self, after: float = 0) -> None:
        super().__init__()
        self.after = after


class Spool:
    """Batches of OTLP that are still to be sent, and the thread that sends them, oldest first."""

    def __init__(
        self, path: Path, endpoint: str, headers: dict[str, str] | None = None, most_bytes: int = MOST_BYTES
    ) -> None:
        """`endpoint` is the address without `/v1/traces`; beyond `most_bytes` the oldest are dropped and counted."""
        self.path, self.endpoint, self.most_bytes = path, endpoint.rstrip("/"), most_bytes
        self.dropped = 0  # batches: no room, or the receiver refuses them
        self.refused = 0  # records of batches that the receiver took otherwise
        self._client = httpx.Client(timeout=POST_SECONDS, trust_env=False, headers=headers)
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._stuck = False  # nothing can be sent at the moment
        self._told = set[str]()  # what was complained of, and has not mended since
        self._ready = False
        self._begin()
        self._thread = threading.Thread(target=self._work, daemon=True, name="telemetry")
        self._thread.start()

    def put(self, path: str, body: bytes) -> bool:
        """Keep a batch for `path`, such as `/v1/traces`; whether that worked. It raises nothing."""
        try:
            with self._transaction() as database:
                database.execute("insert into batches (path, body) values (?, ?)", (path, body))
                self._make_room(database)
        except (sqlite3.Error, OSError) as error:
            self.dropped += 1
            self._complain("written", f"telemetry is dropped: {self.path} cannot be written ({error})")
            return False
        self._told.discard("written")
        with self._changed:
            self._changed.notify_all()
        return True

    def __len__(self) -> int:
        """Batches that are still here."""
        with self._transaction() as database:
            count: int = database.execute("select count(*) from batches").fetchone()[0]
        return count

    def flush(self, seconds: float) -> bool:
        """Wait until all is sent, at most so long; whether it is."""
        with self._changed:
            return self._changed.wait_for(self._all_sent, seconds)

    def close(self, seconds: float = 2) -> None:
        """Send what can be sent in so many seconds; the rest stays on disk for the next process."""
        with self._changed:
            self._changed.wait_for(lambda: self._stuck or self._all_sent(), seconds)
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(CLOSE_SECONDS)
        if not self._thread.is_alive():  # else it waits for a receiver that says nothing, and ends with the process
            self._client.close()

    def _begin(self) -> None:
        """Make the file. One that is damaged is put aside, for it would stay so; without a disk the work goes on."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            len(self)
        except (OSError, sqlite3.OperationalError) as error:
            self._complain("written", f"telemetry will be dropped: {self.path} cannot be made ({error})")
        except sqlite3.DatabaseError as error:
            logger.warning("telemetry begins anew: %s is damaged (%s), and kept as *.damaged", self.path, error)
            for file in self.path.parent.glob(f"{self.path.name}*"):
                file.replace(file.with_name(f"{file.name}.damaged"))

    def _all_sent(self) -> bool:
        try:
            return len(self) == 0
        except (sqlite3.Error, OSError):
            return False

    def _complain(self, of: str, words: str) -> None:
        """Once, until it is mended: a batch comes every second."""
        if of not in self._told:
            self._told.add(of)
            logger.warning(words)

    def _get_stuck(self, words: str) -> None:
        self._complain("sent", words)
        with self._changed:
            self._stuck = True
            self._changed.notify_all()

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                if batch := self._next():
                    self._send(*batch)
            except (sqlite3.Error, OSError) as error:
                self._get_stuck(f"telemetry cannot be read from {self.path} ({error})")
                self._closing.wait(LONGEST_WAIT)

    def _next(self) -> tuple[int, str, bytes] | None:
        """The oldest batch; none when there was none for a while, for another process may have left something."""
        with self._changed:
            batch = self._oldest()
            if batch is None and not self._closing.is_set():
                self._changed.wait(LONGEST_WAIT)
        return batch

    def _send(self, number: int, path: str, body: bytes) -> None:
        """Send one batch, however often that has to be tried."""
        waiting = Retrying(
            retry=retry_if_exception_type(Unreachable),
            wait=_patience,
            sleep=self._pause,
            stop=lambda _: self._closing.is_set(),
        )
        try:
            waiting(self._post, path, body)
        except RetryError:
            return  # it stays for the next process
        with self._changed:
            with self._transaction() as database:
                database.execute("delete from batches where number = ?", (number,))
            self._changed.notify_all()

    def _pause(self, seconds: float) -> None:
        self._closing.wait(seconds)

    def _post(self, path: str, body: bytes) -> None:
        with suppress_instrumentation():
            try:
                answer = self._client.post(
                    self.endpoint + path, content=body, headers={"Content-Type": "application/x-protobuf"}
                )
            except httpx.HTTPError as error:
                self._get_stuck(f"telemetry waits on disk: {self.endpoint} cannot be reached ({type(error).__name__})")
                raise Unreachable from error
        if answer.status_code in AGAIN:
            self._get_stuck(f"telemetry waits on disk: {self.endpoint} answered {answer.status_code}")
            after = answer.headers.get("retry-after", "")
            raise Unreachable(float(after) if after.isdecimal() else 0)
        self._stuck = False
        self._told.discard("sent")
        if answer.is_success:
            self._count_refused(answer.content)
        else:
            self.dropped += 1
            logger.warning("telemetry is dropped: the receiver answered %s", answer.status_code)

    def _count_refused(self, content: bytes) -> None:
        try:  # the answers of all three signals are written alike
            partial = ExportTraceServiceResponse.FromString(content).partial_success
        except DecodeError:  # some receivers answer in words
            return
        if partial.rejected_spans:
            self.refused += partial.rejected_spans
            logger.warning("the receiver refused %d records: %.200s", partial.rejected_spans, partial.error_message)

    def _oldest(self) -> tuple[int, str, bytes] | None:
        with self._transaction() as database:
            found: tuple[int, str, bytes] | None = database.execute(
                "select number, path, body from batches order by number limit 1"
            ).fetchone()
        return found

    def _make_room(self, database: sqlite3.Connection) -> None:
        """Drop the oldest until what is left fits."""
        total = database.execute("select coalesce(sum(length(body)), 0) from batches").fetchone()[0]
        while total > self.most_bytes:
            number, size = database.execute("select number, length(body) from batches order by number").fetchone()
            database.execute("delete from batches where number = ?", (number,))
            total -= size
            self.dropped += 1

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=5)) as database, database:
            if not self._ready:
                database.execute("pragma journal_mode = wal")
                database.execute(SCHEMA)
                self._ready = True
            database.execute("pragma synchronous = normal")
            yield database


def _patience(state: RetryCallState) -> float:
    """Longer each time, and not shorter than the receiver asks for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, Unreachable) else 0
    return max(BACKOFF(state), min(asked, LONGEST_WAIT))
