"""A gate: operations that run at most once, and only after a recorded approval of exactly these arguments.

    operation = gate.open(context, "discard_stock", sku="GT-201", quantity=3)
    answer = ...  # to operation.ask("Discard 3 spades?", Discard), resolved by the MCP server
    operation.run(answer, Discarded, lambda approved: discard(approved))

An operation has the id that its caller gives in `_meta` as `workshop/operation`. A call that is repeated with it goes
on where the first came to, be it after a cut or after this program was killed: what was approved is not asked again,
what was done is told again. Without an id, the same call by the same caller goes on as long as it is not settled.

Each step is on disk before the next begins. What was begun when the program died may have been done or not: it is never
done again, and the log says that it is not known.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any, TypeVar
from uuid import uuid4

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit
from pydantic import BaseModel, ConfigDict, TypeAdapter

from helpers.apps.audit import AuditLog
from helpers.apps.database import create, transaction
from helpers.apps.retail import Refused

OPERATION = "workshop/operation"  # in the `_meta` of a call: its id
GATED = {"workshop/gated": True}  # in the `_meta` of a tool: its calls may be repeated with the same id
ANNOTATION = "x-operation"  # in the schema of a question: which operation it is about
SCHEMA = """
create table if not exists operations (
    caller text not null,
    id text not null,
    tool text not null,
    arguments text not null, -- JSON, as the caller gave them
    question text, -- JSON: its words
    expires real not null, -- when the question does
    state text not null, -- new, asked, approved, begun, done; or refused, failed, unknown
    approved text, -- JSON: the values that were approved
    outcome text, -- JSON: of what was done; or the reason why it was not
    changed real not null,
    primary key (caller, id)
)
"""
COLUMNS = ("caller", "id", "tool", "arguments", "question", "expires", "state", "approved", "outcome")
OPEN = "'new', 'asked', 'approved'"  # states in which a call goes on with an operation
T = TypeVar("T")


class NotApproved(Refused):
    """The operation was not carried out, because nobody approved it."""


class NotKnown(Refused):
    """The operation was begun, and its end is not known."""


class Gate:
    """The operations of one program. Several processes may use one folder."""

    def __init__(self, folder: Path, site: str, seconds: float) -> None:
        """What was begun by a process that ended is looked at, and logged as not known."""
        self.path, self.site, self.seconds = folder / "gate.sqlite", site, seconds
        self.log = AuditLog(folder / "gate-log.sqlite")
        create(self.path, SCHEMA)
        with transaction(self.path) as database:
            begun = database.execute("select caller, id from operations where state = 'begun'").fetchall()
            interrupted = [self._operation(database, *key) for key in begun]
        for operation in interrupted:
            operation.interrupted()

    def open(self, context: Context, tool: str, **arguments: Any) -> "Operation":  # noqa: ANN401 - JSON
        """The operation of this call: a new one, or the one that it goes on with.

        Raises:
            NotApproved: the id is that of an operation with other arguments.
        """
        return self.open_as(operation_id(context), context, tool, arguments)

    def open_as(self, wanted: str | None, context: Context, tool: str, arguments: Mapping[str, Any]) -> "Operation":
        """As `open`, with an id that is known otherwise."""
        who, given = caller(), _canonical(arguments)
        with transaction(self.path) as database:
            if wanted is None:
                same = f"caller = ? and tool = ? and arguments = ? and state in ({OPEN}) and expires > ?"
                query = f"select id from operations where {same} order by changed desc"  # noqa: S608
                answers = context.input_responses is not None  # late, perhaps, which is then said
                found = database.execute(query, [who, tool, given, 0 if answers else time.time()]).fetchone()
                wanted = str(found[0]) if found else str(uuid4())
            new = "insert into operations (caller, id, tool, arguments, expires, state, changed) "
            values = (who, wanted, tool, given, time.time() + self.seconds, "new", time.time())
            database.execute(f"{new} values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing", values)
            operation = self._operation(database, who, wanted)
        if (operation.tool, _canonical(operation.arguments)) != (tool, given):
            raise NotApproved(f"Operation {wanted} is another one. Call with an id of its own, or with none.")
        return operation

    def _operation(self, database: Connection, caller: str, operation_id: str) -> "Operation":
        query = f"select {', '.join(COLUMNS)} from operations where caller = ? and id = ?"  # noqa: S608
        row = database.execute(query, [caller, operation_id]).fetchone()
        return Operation(self, **dict(zip(COLUMNS, row, strict=True)))


@dataclass
class Operation:
    """One operation, as it was last seen."""

    gate: Gate
    caller: str
    id: str
    tool: str
    arguments: Any
    question: Any
    expires: float
    state: str
    approved: Any
    outcome: Any
    form: type[BaseModel] | None = None

    def __post_init__(self) -> None:
        for name in ("arguments", "question", "approved", "outcome"):
            if value := getattr(self, name):
                setattr(self, name, json.loads(value))

    def ask(self, message: str, form: type[BaseModel]) -> Elicit[BaseModel] | BaseModel | None:
        """What a resolver returns: the question; or what was approved already; or None, if nothing is left to ask."""
        self.form = form
        if self.state == "new":
            self.move(["new"], "asked", question=f"{message}{self._before()} Answer by {_time(self.expires)}.")
        if self.state == "approved":
            return form.model_validate(self.approved)
        if self.state != "asked":
            return None
        return Elicit(self.question, self._annotated(form))

    def run(self, answer: ElicitationResult[Any], returns: type[T], work: Callable[[Any], T]) -> T:
        """Carry it out with what was approved, unless that was done; returns what came of it.

        Raises:
            NotApproved: nobody approved it, or not in time.
            NotKnown: it was begun before, and whether it was done is not known.
            Refused: it was carried out and failed.
        """
        if self.state == "asked":
            self._record(answer)
        if self.state != "approved" or not self.move(["approved"], "begun"):
            return self.told(returns)
        assert self.form is not None
        try:
            done = work(self.form.model_validate(self.approved))  # what was put down, whoever answered meanwhile
        except Exception as error:
            self.move(["begun", "unknown"], "failed", outcome=str(error))
            raise
        self.move(["begun", "unknown"], "done", outcome=TypeAdapter(returns).dump_python(done, mode="json"))
        return done

    def told(self, returns: type[T]) -> T:
        """What came of it; raises as `run` does."""
        if self.state == "done":
            return TypeAdapter(returns).validate_python(self.outcome)
        if self.state == "refused":
            raise NotApproved(self.outcome)
        if self.state == "failed":
            raise Refused(self.outcome)
        if self.state == "begun":
            raise NotKnown(f"Operation {self.id} is being carried out. Ask again in a moment.")
        raise NotKnown(f"{self.outcome} It is not done again. Look whether it was, then call with a new id.")

    def move(self, before: list[str], after: str, **values: Any) -> bool:  # noqa: ANN401 - JSON
        """Go from one state to the next, on disk and in the log; False if another call went there first."""
        with transaction(self.gate.path) as database:
            marks = ", ".join("?" * len(before))
            where = f"where caller = ? and id = ? and state in ({marks})"
            fields = {name: json.dumps(value) for name, value in values.items()} | {"changed": time.time()}
            change = f"update operations set state = ?, {', '.join(f'{name} = ?' for name in fields)} {where}"  # noqa: S608
            given = [after, *fields.values(), self.caller, self.id, *before]
            moved = database.execute(change, given).rowcount == 1
            if moved:  # an entry that cannot be written undoes the step
                self._log(after, **values)
            found = self.gate._operation(database, self.caller, self.id)
        self.state, self.question = found.state, found.question
        self.approved, self.outcome = found.approved, found.outcome
        return moved

    def interrupted(self) -> None:
        """The process that carried it out is gone: what the log says of its end is known, and nothing else."""
        last = [entry for entry in self.gate.log.entries() if entry.operation == self.id][-1]
        if last.event in ("done", "failed"):
            self.move(["begun"], last.event, outcome=last.details["outcome"])
        else:
            reason = "The program ended while it was carried out; whether it was done is not known."
            self.move(["begun"], "unknown", outcome=reason)

    def _record(self, answer: ElicitationResult[Any]) -> None:
        """Put down what was answered; what comes too late is no approval."""
        if time.time() >= self.expires:
            self.move(["asked"], "refused", outcome=f"Nobody approved {self.tool} by {_time(self.expires)}.")
        elif not isinstance(answer, AcceptedElicitation):
            word = {"decline": "declined", "cancel": "cancelled"}[answer.action]
            self.move(["asked"], "refused", outcome=f"{self.tool} was {word}; nothing was done.")
        elif answer.data is not None:
            self.move(["asked"], "approved", approved=answer.data.model_dump(mode="json"))

    def _before(self) -> str:
        """What is to be known of the same operation before this one."""
        with transaction(self.gate.path) as database:
            same = "tool = ? and arguments = ? and id != ? and state in ('done', 'unknown') order by changed desc"
            given = [self.tool, _canonical(self.arguments), self.id]
            row = database.execute(f"select state, changed from operations where {same}", given).fetchone()  # noqa: S608
        words = {"done": "The same was done", "unknown": "The same was begun, and it is not known whether it was done,"}
        return f" {words[row[0]]} at {_time(row[1])}." if row else ""

    def _annotated(self, form: type[BaseModel]) -> type[BaseModel]:
        """The form, whose schema tells which operation it is about."""
        about = {"id": self.id, "site": self.gate.site, "tool": self.tool, "arguments": self.arguments}
        config = ConfigDict(json_schema_extra={ANNOTATION: about | {"expires": self.expires}})
        return type(form.__name__, (form,), {"model_config": config, "__module__": form.__module__})

    def _log(self, event: str, **details: Any) -> None:  # noqa: ANN401 - JSON
        about: dict[str, Any] = {"operation": self.id, "server": self.gate.site, "tool": self.tool}
        self.gate.log.write(event, **about, arguments=self.arguments, who=self.caller, **details)


def caller() -> str:
    """Who makes this call, as the server's guard found; empty if there is none."""
    token = get_access_token()
    return str(token.subject or token.client_id) if token else ""


def operation_id(context: Context) -> str | None:
    """The id that a call gives its operation, if it gives one."""
    meta: Mapping[str, Any] = context.request_context.meta or {}
    return str(meta[OPERATION]) if meta.get(OPERATION) is not None else None


def _canonical(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"))


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
