"""What checks are written with: the learner's value, asked from afar, and what is said when it is wrong.

    def doubles(learner, chance, folder):
        with learner.case("a hidden number"):
            number = chance.randint(2, 99)
            learner.expect(learner.call(number), 2 * number, look="multiply; do not look up")

Checks run in a fresh interpreter that never executes the learner's code.
"""

import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from helpers.labs.learner_side import PATIENCE
from helpers.labs.wire import TooMuch, line, pack, unpack

GRACE = 1.0  # seconds after the time limit, in which the learner's side tells where it was
REFUSALS = {"TooMuch": "a value of a size that can be looked at", "NotCallable": "a function"}
SHORT = 300  # characters of a value that is shown


class Wrong(Exception):
    """The learner's value did not do what was expected."""

    def __init__(self, expected: str, seen: str, look: str = "", case: str = "") -> None:
        super().__init__(f"expected {expected}, seen {seen}")
        self.expected, self.seen, self.look, self.case = expected, seen, look, case


@dataclass(frozen=True)
class Raised:
    """An error in the learner's code."""

    kinds: tuple[str, ...]  # names of its class and of that class's bases
    text: str
    where: str = ""
    code: str = ""

    def __str__(self) -> str:
        place = f" ({self.where}: {self.code})" if self.where else ""
        return f"{self.kinds[0]}: {self.text}{place}" if self.text else f"{self.kinds[0]}{place}"


@dataclass(frozen=True)
class Outcome:
    """What came of a call: a value or an error."""

    value: Any = None
    raised: Raised | None = None


Check = Callable[["Learner", random.Random, Path], None]


class Learner:
    """The learner's value, in another process. `callbacks` are the functions that calls of `Callback` arrive at."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._buffer = connection, b""
        self._seconds = seconds
        self._deadline = 0.0
        self.callbacks: dict[str, Callable[..., Any]] = {}
        self.cases = 0
        self.last: Any = None  # what was last returned
        self.changed: list[int] = []  # places of arguments that the last call has changed
        self.notes: list[str] = []

    @contextmanager
    def case(self, name: str, look: str = "") -> Iterator[None]:
        """Names what is tried in a message about it; `look` is where to look if nothing better is said."""
        self.cases += 1
        try:
            yield
        except Wrong as wrong:
            wrong.case, wrong.look = wrong.case or name, wrong.look or look or "the cell above"
            raise

    def value(self) -> Any:  # noqa: ANN401
        """The value itself, as data.

        Raises:
            Wrong: it cannot be told in time.
        """
        value = self.answered(self._ask({"do": "value"}))
        if value is None:
            raise self._todo()
        return value

    def call(self, *arguments: object, **named: object) -> Any:  # noqa: ANN401
        """What the value returns when it is called.

        Raises:
            Wrong: it raises, or does not end in time.
        """
        return self.answered(self.attempt(*arguments, **named))

    def attempt(self, *arguments: object, **named: object) -> Outcome:
        """What comes of a call, be it an error.

        Raises:
            Wrong: it does not end in time, or nothing was done yet.
        """
        return self._ask({"do": "call", "arguments": pack(list(arguments)), "named": pack(named)})

    def expect(self, seen: object, expected: object, look: str = "") -> None:
        """Both are equal, types included.

        Raises:
            Wrong: they are not.
        """
        if seen != expected or type(seen) is not type(expected):
            raise Wrong(shown(expected), shown(seen), look)

    def expect_type(self, seen: object, kind: type, what: str) -> None:
        """It is a `kind`; `what` describes it in words.

        Raises:
            Wrong: it is not.
        """
        if not isinstance(seen, kind):
            raise Wrong(what, f"{shown(seen)}", f"what your code returns: it must be {what}")

    def finish(self) -> None:
        """Ask what it has printed and which threads it has left."""
        try:
            self._deadline = time.monotonic() + GRACE
            self._send({"do": "end"})
            told = self._receive()
        except (OSError, EOFError, ValueError):
            return
        if told.get("threads"):
            self.notes.append(f"Your code left threads running, which were ended: {', '.join(told['threads'])}.")
        if told.get("printed"):
            self.notes.append(f"Your code printed (what is printed is not judged): {told['printed'].strip()}")

    def _ask(self, question: dict[str, Any]) -> Outcome:
        self._deadline = time.monotonic() + PATIENCE * self._seconds + GRACE
        try:
            self._send({**question, "seconds": self._seconds})
            while "callback" in (answer := self._receive()):
                self._call_back(answer)
        except TimeoutError:
            self._too_slow("")
        except (OSError, EOFError, ValueError) as error:
            seen = "a broken message" if isinstance(error, ValueError) else "the process in which it ran has ended"
            raise Wrong("an answer", seen, "calls that end the process, such as os._exit, or crash it") from None
        if "raised" not in answer:
            self.last, self.changed = unpack(answer.get("returned")), answer.get("changed", [])
            return Outcome(self.last)
        told = answer["raised"]
        raised = Raised(tuple(told["kinds"]), told["text"], told["where"], told["code"])
        return self._judge_error(raised)

    def _judge_error(self, raised: Raised) -> Outcome:
        if raised.kinds[0] == "OutOfTime":
            self._too_slow(f", and was then at {raised.where}: {raised.code}" if raised.where else "")
        if "NotImplementedError" in raised.kinds:
            raise self._todo()
        return Outcome(raised=raised)

    def _todo(self) -> Wrong:
        return Wrong("your code in the place of the TODO", "the TODO, which is still there", "the cell above")

    def answered(self, outcome: Outcome) -> Any:  # noqa: ANN401
        """The value that came of a call.

        Raises:
            Wrong: an error came of it.
        """
        if outcome.raised and outcome.raised.kinds[0] in REFUSALS:
            raise Wrong(REFUSALS[outcome.raised.kinds[0]], outcome.raised.text, "what is given to the check")
        if outcome.raised:
            raise Wrong(
                "an answer", str(outcome.raised), outcome.raised.where and f"{outcome.raised.where} of the cell"
            )
        return outcome.value

    def _too_slow(self, where: str) -> NoReturn:
        raise Wrong(
            f"an answer within {self._seconds:g} s of computing and {PATIENCE * self._seconds:g} s in all",
            f"it was still running{where}: a loop without an end, or waiting for what never comes",
        ) from None

    def _call_back(self, message: dict[str, Any]) -> None:
        function = self.callbacks[message["callback"]]
        try:
            given = unpack(message["arguments"]), unpack(message["named"])
            answer = {"answer": pack(function(*given[0], **given[1]))}
        except Wrong:
            raise
        except Exception as error:
            answer = {"error": [type(error).__name__, str(error)]}
        self._send(answer)

    def _send(self, message: dict[str, Any]) -> None:
        self._connection.settimeout(max(0.01, self._deadline - time.monotonic()))
        self._connection.sendall(line(message).encode())

    def _receive(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            piece = self._connection.recv(1 << 16)
            if not piece:
                raise EOFError
            self._buffer += piece
            if len(self._buffer) > 1 << 23:
                raise TooMuch
        first, _, self._buffer = self._buffer.partition(b"\n")
        message = json.loads(first)
        if not isinstance(message, dict):
            raise ValueError("no message")
        return message


def shown(value: object) -> str:
    """A value in a message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"
