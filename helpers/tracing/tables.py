"""The tables of the store: how a record becomes a row of SQLite, and a row a record."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from helpers.tracing.logs import Log
from helpers.tracing.points import Point
from helpers.tracing.spans import Span

VERSION = 1  # of these tables, in the file as `user_version`
SESSION = (
    "session.id",
    "gen_ai.conversation.id",
)  # attributes that name the session of a span, the first that is there
SCHEMA = """
create table if not exists spans (
    id integer primary key,
    arrived real not null, -- by the receiver's clock
    session text not null,
    trace_id text not null,
    span_id text not null,
    parent_id text not null,
    name text not null,
    kind text not null,
    start integer not null,
    "end" integer not null,
    status text not null,
    status_message text not null,
    service text not null,
    site text not null,
    scope text not null,
    attributes text not null, -- this and what follows are JSON
    events text not null,
    links text not null,
    resource text not null,
    unique (trace_id, span_id)
);
create index if not exists spans_by_trace on spans (trace_id, start);
create index if not exists spans_by_session on spans (session, trace_id) where session != '';
create index if not exists spans_by_start on spans (start);
create index if not exists spans_by_arrival on spans (arrived);
create table if not exists logs (
    id integer primary key,
    arrived real not null,
    digest blob not null unique, -- of the record, so that one that is sent twice is stored once
    time integer not null,
    body text not null,
    severity text not null,
    trace_id text not null,
    span_id text not null,
    event text not null,
    service text not null,
    site text not null,
    scope text not null,
    attributes text not null,
    resource text not null
);
create index if not exists logs_by_trace on logs (trace_id, time);
create index if not exists logs_by_arrival on logs (arrived);
create table if not exists points (
    id integer primary key,
    arrived real not null,
    digest blob not null unique,
    name text not null,
    kind text not null,
    time integer not null,
    start integer not null,
    unit text not null,
    temporality text not null,
    value, -- a whole number or a real one
    count integer,
    sum real,
    bounds text not null,
    counts text not null,
    service text not null,
    site text not null,
    scope text not null,
    attributes text not null,
    resource text not null
);
create index if not exists points_by_name on points (name, time);
create index if not exists points_by_arrival on points (arrived);
"""
DOCUMENTS = frozenset({"attributes", "resource", "body"})  # are kept as JSON
SEQUENCES = frozenset({"events", "links", "bounds", "counts"})  # likewise, and are tuples

T = TypeVar("T", bound=Span | Log | Point)
Row = tuple[Any, ...]


class Table(Generic[T]):
    """The table `name`, of records of one class; besides its fields it has `arrived`, and a column `own`."""

    def __init__(self, name: str, of: type[T], own: str) -> None:
        self.name, self.of = name, of
        self.fields = tuple(each.name for each in dataclasses.fields(of))
        columns = ", ".join(f'"{each}"' for each in self.fields)
        places = ", ".join("?" * (len(self.fields) + 2))
        # Not `insert or ignore`, which would pass over a null as well as over what is there already.
        into = f"insert into {name} (arrived, {own}, {columns})"
        self.insert = f"{into} values ({places}) on conflict do nothing"
        self.select = f"select {columns} from {name}"  # noqa: S608

    def rows(self, records: Iterable[T], arrived: float) -> Iterator[Row]:
        """What to insert."""
        seen = Counter[str]()
        for record in records:
            row = tuple(_kept(name, getattr(record, name)) for name in self.fields)
            yield arrived, _session(record) if isinstance(record, Span) else _digest(row, seen), *row

    def record(self, row: Row) -> T:
        """What `select` found."""
        return self.of(**{name: _found(name, value) for name, value in zip(self.fields, row, strict=True)})


SPANS = Table("spans", Span, "session")
LOGS = Table("logs", Log, "digest")
POINTS = Table("points", Point, "digest")


def _kept(name: str, value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if name in DOCUMENTS | SEQUENCES else value


def _found(name: str, value: Any) -> Any:  # noqa: ANN401 - what SQLite has
    if name in DOCUMENTS:
        return json.loads(value)
    return tuple(json.loads(value)) if name in SEQUENCES else value


def _session(span: Span) -> str:
    return next((str(span.attributes[name]) for name in SESSION if name in span.attributes), "")


def _digest(row: Row, seen: Counter[str]) -> bytes:
    """The same for the same record of the same batch; two that are alike in one batch stay two."""
    text = json.dumps(row)
    seen[text] += 1
    return blake2b(f"{seen[text]} {text}".encode(), digest_size=16).digest()
