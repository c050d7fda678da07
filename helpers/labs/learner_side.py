"""The learner's side of a check: a forked copy of the notebook's process, which does what the judge asks of it.

A copy, since the learner's functions refer to all that the notebook has defined. What they break breaks here only; the
process is killed at the end, with its threads. It gives no verdict.
"""

import asyncio
import builtins
import faulthandler
import importlib
import inspect
import io
import json
import os
import resource
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

from helpers.labs.wire import MARK, TooMuch, line, pack

MEMORY = 2 << 30  # bytes that the learner's code may take on top of what the notebook has
PATIENCE = 4  # times the seconds of computing that a call has, it may take in all: other programs compute too
MOST_PRINTED = 400  # characters that are passed on


class OutOfTime(BaseException):
    """Raised in the learner's code where it is when its time is over; no Exception, which it may catch."""


def serve(value: object, connection: socket.socket) -> None:
    """Answer the judge until it has asked all; then wait to be killed. To be called in a forked process."""
    _seclude()
    printed = sys.stdout = sys.stderr = _Printed()
    side = Side(value, connection.makefile("rw", encoding="utf-8"))
    for clock in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(clock, _ring)
    before = set(threading.enumerate())
    with suppress(OSError, ValueError):  # the judge is gone
        while side.answer():
            pass
        left = [thread.name for thread in threading.enumerate() if thread not in before]
        side.send({"threads": left, "printed": printed.getvalue()[:MOST_PRINTED]})
    while True:  # what it has started can be found as long as it lives
        signal.pause()


class NotCallable(Exception):
    """The learner has given no function where one is called."""


class Side:
    """Calls the learner's value."""

    def __init__(self, value: object, channel: IO[str]) -> None:
        self._value, self._channel = value, channel
        self._changed: list[int] = []  # places of arguments that the last call has changed

    def answer(self) -> bool:
        """Do what the judge asks next; False when it has no more questions."""
        asked = self._receive()
        if asked["do"] == "end":
            return False
        signal.setitimer(signal.ITIMER_PROF, asked["seconds"])
        signal.setitimer(signal.ITIMER_REAL, asked["seconds"] * PATIENCE)
        try:
            returned = pack(self._value if asked["do"] == "value" else self._call(asked))
            answer = {"returned": returned, "changed": self._changed}
            line(answer)
        except BaseException as error:  # whatever it is, the judge is told
            answer = {"raised": _told(error)}
        finally:
            for clock in (signal.ITIMER_PROF, signal.ITIMER_REAL):
                signal.setitimer(clock, 0)
        self.send(answer)
        return True

    def send(self, message: dict[str, Any]) -> None:
        """Tell the judge."""
        self._channel.write(line(message))
        self._channel.flush()

    def _call(self, asked: dict[str, Any]) -> object:
        arguments = [self._given(one) for one in asked["arguments"]]
        named = {name: self._given(one) for name, one in asked["named"].items()}
        function: Any = self._value
        if not callable(function):
            raise NotCallable(repr(function)[:200])
        result = function(*arguments, **named)
        result = asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result
        pairs = enumerate(zip(asked["arguments"], arguments, strict=True))
        self._changed = [place for place, (sent, left) in pairs if _data(sent) and sent != left]
        return result

    def _given(self, value: Any) -> Any:  # noqa: ANN401
        """An argument as the learner's code gets it."""
        if isinstance(value, list):
            return [self._given(one) for one in value]
        if not isinstance(value, dict):
            return value
        if value.get(MARK) == "callback":
            return self._callback(value["name"])
        if value.get(MARK) == "stand-in":
            module, name = value["path"].split(":")
            made = getattr(importlib.import_module(module), name)
            return made(*self._given(value["arguments"]))
        return {key: self._given(one) for key, one in value.items()}

    def _callback(self, name: str) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            self.send({"callback": name, "arguments": pack(list(arguments)), "named": pack(named)})
            answer = self._receive()
            if "error" in answer:
                raise _error(*answer["error"])
            return answer["answer"]

        call.__name__ = name
        return call

    def _receive(self) -> dict[str, Any]:
        text = self._channel.readline()
        if not text:
            raise ValueError("the judge is gone")
        message: dict[str, Any] = json.loads(text)
        return message


class _Printed(io.StringIO):
    """What is printed, up to a size."""

    def write(self, text: str) -> int:
        return super().write(text) if self.tell() < 10 * MOST_PRINTED else len(text)


async def _awaited(result: Any) -> object:  # noqa: ANN401
    return await result


def _data(sent: object) -> bool:
    """Whether an argument came without callbacks and stand-ins, so that it can be compared."""
    return json.dumps(MARK) not in json.dumps(sent)


def _error(name: str, text: str) -> Exception:
    """The error of Python that has this name."""
    found = getattr(builtins, name, None)
    kind = found if isinstance(found, type) and issubclass(found, Exception) else RuntimeError
    return kind(text)


def _ring(number: int, __: FrameType | None) -> None:
    clock = signal.ITIMER_REAL if number == signal.SIGALRM else signal.ITIMER_PROF
    signal.setitimer(clock, 0.2)  # again, for those who catch everything
    raise OutOfTime


def _told(error: BaseException) -> dict[str, Any]:
    """Class, text and place of an error: the last line that is neither the kit's nor a library's."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _learners(frame.filename)]
    where = f"line {own[-1].lineno}, in {own[-1].name}" if own else ""
    text = str(error)[:500] if not isinstance(error, TooMuch) else f"it returned {error}"
    return {"kinds": kinds, "text": text, "where": where, "code": (own[-1].line or "").strip() if own else ""}


def _learners(file: str) -> bool:
    return not file.startswith((str(Path(__file__).parent), sys.base_prefix, sys.prefix, "<frozen"))


def _seclude() -> None:
    """A group of its own, no terminal, no end of memory that would take the machine along."""
    os.setsid()
    faulthandler.disable()  # a crash is told by the judge
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_DFL)
    asyncio.events._set_running_loop(None)  # a notebook's cell runs in one
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
