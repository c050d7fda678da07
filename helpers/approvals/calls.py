"""Calls and answers on disk, so that a call outlives its connection and the process that made it.

A call is stored before it is sent, and again before each of its rounds. An answer is stored before it is sent: when
the server asks the same again, because it did not get it, no person is asked twice.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from helpers.approvals.question import Answer, Question

SCHEMA = """
create table if not exists calls (
    operation text primary key,
    server text not null,
    tool text not null,
    arguments text not null, -- JSON
    state text not null, -- open, returned, failed
    request_state text, -- what the server wants to see again in the next round
    responses text, -- JSON: answers of that round; null as long as they were not sent
    result text, -- JSON
    at real not null -- when it was first made
);
create table if not exists answers (
    question text primary key,
    attempt text not null, -- of the call in which it was given
    deadline real not null,
    answer text not null -- JSON
);
"""
COLUMNS = ("operation", "server", "tool", "arguments", "state", "request_state", "responses", "result", "at")
JSON_COLUMNS = ("arguments", "responses", "result")
INSERT = f"insert or replace into calls values ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
MEMORY = Path(":memory:")
WAIT_SECONDS = 10


@dataclass(eq=False)
class Call:
    """One call of a tool; the same one for the server, however often it is sent."""

    server: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    operation: str = field(default_factory=lambda: uuid4().hex)
    state: Literal["open", "returned", "failed"] = "open"
    request_state: str | None = None
    responses: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    at: float = field(default_factory=time.time)
    questions: int = 0  # asked so far in this process
    attempt: str = ""  # changes each time that it is sent anew


class _Store:
    """One SQLite file, used by any thread."""

    def __init__(self, path: Path = MEMORY) -> None:
        """The file is made, for this user alone, when there is none; without a path all is forgotten at the end."""
        if path != MEMORY:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        # A power cut must not undo what was stored before something was sent.
        self._connection.executescript("pragma journal_mode = wal; pragma synchronous = full;" + SCHEMA)

    def _run(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class Calls(_Store):
    """The calls of this and earlier processes."""

    def store(self, call: Call) -> None:
        """Insert, or replace what is there; it is on disk when this returns."""
        row = {name: getattr(call, name) for name in COLUMNS}
        for name in JSON_COLUMNS:
            row[name] = None if row[name] is None else json.dumps(row[name], default=str)
        self._run(INSERT, *row.values())

    def find(self, operation: str) -> Call | None:
        """The call with this operation id; None if there is none."""
        rows = self._run(f"select {', '.join(COLUMNS)} from calls where operation = ?", operation)  # noqa: S608
        return _call(rows[0]) if rows else None

    def open(self, server: str) -> list[Call]:
        """The calls to a server that have neither returned nor failed, oldest first."""
        query = f"select {', '.join(COLUMNS)} from calls where server = ? and state = 'open' order by at"  # noqa: S608
        return [_call(row) for row in self._run(query, server)]


class Answers(_Store):
    """The answers that were given to questions whose operation is known."""

    def store(self, question: Question, answer: Answer, attempt: str = "") -> None:
        """Remember an answer until the deadline of its question."""
        text = json.dumps(asdict(answer), default=str)
        self._run("insert or replace into answers values (?, ?, ?, ?)", question.id, attempt, question.deadline, text)

    def find(self, question: Question, attempt: str = "") -> Answer | None:
        """What was answered when this was asked before the call was sent anew; None if it was not, or too long ago.

        In the same attempt a tool that asks the same again means something else by it.
        """
        query = "select answer from answers where question = ? and deadline > ? and (? = '' or attempt != ?)"
        rows = self._run(query, question.id, time.time(), attempt, attempt)
        return Answer(**json.loads(rows[0][0])) if rows else None


def _call(row: tuple[Any, ...]) -> Call:
    values = dict(zip(COLUMNS, row, strict=True))
    for name in JSON_COLUMNS:
        values[name] = None if values[name] is None else json.loads(values[name])
    return Call(**values)
