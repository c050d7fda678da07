"""Requests to an agent that is a tool, on disk: what operation each is about, what the agent proposed, what was told.

A request that is repeated with the id of its call goes on where the first came to; without an id, the same words of the
same caller go on as long as nothing was told and its question may still be answered.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any
from uuid import uuid4

from mcp.server.mcpserver import Context
from pydantic import BaseModel

from helpers.apps.database import create, transaction
from helpers.apps.gate import NotApproved, caller, operation_id

KEPT_SECONDS = 86_400.0  # what was told, and sessions that nobody came back for
SCHEMA = """
create table if not exists requests (
    caller text not null,
    operation text not null, -- the id that the call gives, or one of our own
    request text not null,
    began real not null,
    proposal text, -- JSON
    told text, -- JSON
    primary key (caller, operation)
)
"""
COLUMNS = ("caller", "operation", "request", "began", "proposal", "told")


class Proposal(BaseModel):
    """What an agent wants to be done, and by which interrupt it waits for it."""

    interrupt: str
    arguments: dict[str, Any]


class Told(BaseModel):
    """What an agent says. `done` and `not_done` come from the gate, not from the model."""

    answer: str = ""
    done: dict[str, Any] | None = None  # what was carried out
    not_done: str = ""  # why what was asked for was not carried out


@dataclass(frozen=True)
class AgentRequest:
    """One request, as it was last seen."""

    caller: str
    operation: str
    request: str
    began: float
    proposal: Proposal | None
    told: Told | None

    @property
    def session(self) -> str:
        """The name of its session: the same for the same operation of the same caller, and fit for a file."""
        return _session(self.caller, self.operation)


class AgentRequests:
    """The requests to one agent."""

    def __init__(self, path: Path, seconds: float) -> None:
        """`seconds` is how long one that has no id may go on. What is older than a day is forgotten."""
        self.path, self.seconds = path, seconds
        create(path, SCHEMA)
        with transaction(path) as database:
            database.execute("delete from requests where began < ?", [time.time() - KEPT_SECONDS])

    def begin(self, request: str, context: Context) -> AgentRequest:
        """The request of this call: a new one, or the one that it goes on with.

        Raises:
            NotApproved: the id is that of another request.
        """
        who, wanted = caller(), operation_id(context)
        with transaction(self.path) as database:
            if wanted is None:
                late = context.input_responses is not None  # which the gate then says
                same = "caller = ? and request = ? and told is null and began > ? order by began desc"
                given = [who, request, 0 if late else time.time() - self.seconds]
                row = database.execute(f"select operation from requests where {same}", given).fetchone()  # noqa: S608
                wanted = str(row[0]) if row else str(uuid4())
            new = "insert into requests (caller, operation, request, began) values (?, ?, ?, ?) on conflict do nothing"
            database.execute(new, [who, wanted, request, time.time()])
            found = _find(database, who, wanted)
        if found.request != request:
            raise NotApproved(f"Operation {wanted} is another request. Call with an id of its own, or with none.")
        return found

    def again(self, request: AgentRequest) -> AgentRequest:
        """The request as it is now: other calls may go on with it too."""
        with transaction(self.path) as database:
            return _find(database, request.caller, request.operation)

    def put_down(self, request: AgentRequest, **values: BaseModel) -> AgentRequest:
        """Put down its `proposal`, or what was `told`; it is on disk when this returns."""
        with transaction(self.path) as database:
            for name, value in values.items():
                change = f"update requests set {name} = ? where caller = ? and operation = ?"  # noqa: S608
                database.execute(change, [value.model_dump_json(), request.caller, request.operation])
            return _find(database, request.caller, request.operation)

    def open_sessions(self) -> set[str]:
        """The sessions of those that nothing was told to yet."""
        with transaction(self.path) as database:
            rows = database.execute("select caller, operation from requests where told is null").fetchall()
            return {_session(*row) for row in rows}


def _session(who: str, operation: str) -> str:
    return hashlib.sha256(json.dumps([who, operation]).encode()).hexdigest()


def _find(database: Connection, who: str, operation: str) -> AgentRequest:
    query = f"select {', '.join(COLUMNS)} from requests where caller = ? and operation = ?"  # noqa: S608
    values = dict(zip(COLUMNS, database.execute(query, [who, operation]).fetchone(), strict=True))
    values["proposal"] = values["proposal"] and Proposal.model_validate_json(values["proposal"])
    values["told"] = values["told"] and Told.model_validate_json(values["told"])
    return AgentRequest(**values)
