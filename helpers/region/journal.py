"""What a Region keeps: the calls that changed it, in order, in a file. A Region that starts again repeats them.

A call is written when it is done and before its caller knows, so a file ends with the last call that was answered; a
line that is cut off was not. Each is repeated at the time and with the chance numbers of its first time, so that ids
and dates come out the same. The file holds what the calls held, secrets too: only its user can read it.
"""

import base64
import fcntl
import io
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import time_machine
from moto.moto_api._internal import mock_random

from helpers.region.errors import StateDamaged, StateTaken

Environ = dict[str, Any]
Answer = tuple[str, list[tuple[str, str]], bytes]  # status, headers, body
CarryOut = Callable[[Environ], Answer]

READS = ("Get", "List", "Describe", "BatchGet", "Query", "Scan", "Head", "Lookup", "Search", "Filter")


class Chance(threading.local):
    """moto's chance numbers, for each thread its own: calls of data planes draw too, while a call is carried out."""

    def __init__(self) -> None:
        self.numbers = Random()  # noqa: S311 - ids, not secrets

    def seed(self, seed: int) -> None:
        """Begin anew, in this thread."""
        self.numbers.seed(seed)

    def install(self) -> None:
        """Let moto draw from here."""
        mock_random.random = lambda: self.numbers.random()
        mock_random.getrandbits = lambda bits: self.numbers.getrandbits(bits)


chance = Chance()


class Journal:
    """A file of calls."""

    def __init__(self, path: Path) -> None:
        chance.install()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self.file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b")

    def repeat(self, carry_out: CarryOut) -> int:
        """Carry out all calls again; how many there were. A last line that was cut off is taken out."""
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateTaken(
                f"Another Region keeps its state in {self.path.parent}. Give this one another folder."
            ) from None
        self.file.seek(0)
        whole, count = 0, 0
        for line in self.file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            count += 1
            entry = self._entry(line, count)
            with time_machine.travel(entry["at"], tick=False):
                chance.seed(entry["seed"])
                carry_out(_environ(entry))
        self.file.truncate(whole)
        return count

    def _entry(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise StateDamaged(
                f"Line {number} of {self.path} is damaged. Delete it, or begin with an empty folder."
            ) from error
        return entry

    def carry_out(self, body: bytes, carry_out: CarryOut, environ: Environ) -> Answer:
        """Carry out a call, and write it down if it succeeds."""
        entry = {"at": time.time(), "seed": secrets.randbits(64), **_entry(environ, body)}
        chance.seed(entry["seed"])
        answer = carry_out(environ)
        if answer[0] < "400":
            self.file.write(json.dumps(entry).encode() + b"\n")
            self.file.flush()
        return answer


def changes(environ: Environ) -> bool:
    """Whether a call may change something; when in doubt, it may."""
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return False
    action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return not action.startswith(READS)


def _entry(environ: Environ, body: bytes) -> dict[str, Any]:
    kept = {name: value for name, value in environ.items() if isinstance(value, str)}
    return {"environ": kept, "body": base64.b64encode(body).decode()}


def _environ(entry: dict[str, Any]) -> Environ:
    body = base64.b64decode(entry["body"])
    fixed = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return {**entry["environ"], **fixed, "wsgi.input": io.BytesIO(body)}
