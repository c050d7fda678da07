"""Calls of Lambda's functions: what is called, with what, and how its answer, its errors and its log read."""

import base64
import json
import math
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from helpers.region.bootstrap import MOST

LOG_BYTES = 64 * 1024  # of what a call prints, its end
TAIL_BYTES = 4 * 1024
Json = dict[str, Any]


@dataclass(frozen=True)
class Function:
    """A version of a function, as it is when it is called."""

    name: str
    version: str
    arn: str  # with the qualifier of the call
    region: str
    runtime: str
    handler: str
    seconds: int
    memory: int  # MB
    variables: Mapping[str, str]
    code: bytes


@dataclass(frozen=True)
class Call:
    """A call: the event as JSON, and what the caller's program tells of itself."""

    event: str
    client_context: Json | None = None
    request_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True)
class Answer:
    """The answer, or how the function failed, as JSON; and the end of the log."""

    payload: bytes
    failed: bool
    log: bytes

    @property
    def tail(self) -> str:
        """What `LogType=Tail` asks for."""
        return base64.b64encode(self.log[-TAIL_BYTES:]).decode()


def answer(function: Function, call: Call, folder: Path, printed: bytes) -> Answer:
    """What a call has left in its folder, and its log."""
    outcome = _outcome(folder)
    kind, payload = _result(function, call, folder, outcome)
    log = f"START RequestId: {call.request_id} Version: {function.version}\n".encode() + printed
    log += b"" if log.endswith(b"\n") else b"\n"
    log += _report(function, call, outcome, kind, payload).encode()
    return Answer(payload, bool(kind), log[-LOG_BYTES:])


def _outcome(folder: Path) -> Json:
    try:
        found: Json = json.loads((folder / "outcome.json").read_text())
    except (OSError, ValueError):
        found = {"timed_out": False, "status": -signal.SIGKILL, "init": 0.0, "duration": 0.0, "memory": 0.0}
    return found


def _result(function: Function, call: Call, folder: Path, outcome: Json) -> tuple[str, bytes]:
    """What kind of failure it is, if any, and the payload."""
    if outcome["timed_out"]:
        said = f"Task timed out after {function.seconds:.2f} seconds"
        return "Sandbox.Timedout", _error("Sandbox.Timedout", f"RequestId: {call.request_id} Error: {said}")
    if (folder / "result").exists():
        return "", _read(folder / "result")
    if (folder / "error").exists():
        return "Function", _read(folder / "error")
    how = _exit(outcome["status"])
    return "Runtime.ExitError", _error("Runtime.ExitError", f"RequestId: {call.request_id} Error: Runtime exited {how}")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST)


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _exit(status: int) -> str:
    if status < 0:
        return f"with error: signal: {signal.strsignal(-status) or -status}".lower()
    return f"with error: exit status {status}" if status else "without providing a reason"


def _report(function: Function, call: Call, outcome: Json, kind: str, payload: bytes) -> str:
    """The last lines of a call's log, as Lambda writes them."""
    duration, init = outcome["duration"], outcome["init"]
    status = {"": "", "Sandbox.Timedout": "\tStatus: timeout"}.get(kind, "\tStatus: error")
    said = (
        {"Runtime.ExitError": f"{json.loads(payload)['errorMessage']}\n{kind}\n"} if kind == "Runtime.ExitError" else {}
    )
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if kind == "Sandbox.Timedout":
        said[kind] = f"{now} {call.request_id} Task timed out after {function.seconds:.2f} seconds\n\n"
    return (
        f"{said.get(kind, '')}END RequestId: {call.request_id}\n"
        f"REPORT RequestId: {call.request_id}\tDuration: {duration:.2f} ms\t"
        f"Billed Duration: {math.ceil(duration + init)} ms\tMemory Size: {function.memory} MB\t"
        f"Max Memory Used: {math.ceil(outcome['memory'])} MB\tInit Duration: {init:.2f} ms{status}\n"
    )
