"""A person at a terminal answers, field by field.

    Desk(ConsoleApprover("Maria"), log, server="store")

A terminal asks one question at a time. Reading a line cannot be called off: when a question is withdrawn while somebody
types, that line is thrown away, so that it does not become the answer to the next one.
"""

import asyncio
import getpass
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from helpers.approvals.forms import Field, faults, fields, read
from helpers.approvals.question import Action, Answer, Question
from helpers.approvals.words import plain

ACTIONS: dict[str, Action] = {"a": "accept", "d": "decline", "c": "cancel"}
TURN_SECONDS = 0.1
_turn = threading.Lock()  # there is one terminal, whatever threads and event loops ask


class ConsoleApprover:
    """Asks by lines of text."""

    def __init__(
        self, name: str | None = None, read: Callable[[], str] = input, write: Callable[[str], object] = print
    ) -> None:
        """`name` is who is asked; by default, who is logged in. `read` raises EOFError when there are no more lines."""
        self.name = name or getpass.getuser()
        self._keyboard, self._write = _Keyboard(read), write

    async def answer(self, question: Question) -> Answer:
        """What the person says; waits as long as it is not cancelled.

        Raises:
            BadForm: the form is none that can be asked.
        """
        known = fields(question.schema)
        while not _turn.acquire(blocking=False):  # noqa: ASYNC110 - a lock of threads
            await asyncio.sleep(TURN_SECONDS)
        try:
            self._show(question)
            action = await self._action()
            content = await self._content(question, known) if action == "accept" else {}
            return Answer(action, content, by=self.name)
        except EOFError:
            return Answer("cancel", by=self.name, note="the terminal was closed")
        except asyncio.CancelledError:
            self._write("This is not asked any more. Press Enter; what you have typed does not count.")
            raise
        finally:
            _turn.release()

    def _show(self, question: Question) -> None:
        tool = f", {plain(question.tool)}," if question.tool else ""
        self._write(f"{plain(question.server)}{tool} asks {self.name}: {plain(question.message)}")
        for name, value in question.arguments.items():
            self._write(f"  {plain(name)}: {plain(value)}")
        if question.url:
            self._write(f"  Open this address yourself, if you trust it: {plain(question.url)}")
        if question.deadline != float("inf"):
            self._write(f"  Answer by {time.strftime('%H:%M:%S', time.localtime(question.deadline))}.")

    async def _action(self) -> Action:
        while True:
            said = (await self._line("[a]pprove, [d]ecline or [c]ancel?")).lower()
            if said and said in ("approve", "decline", "cancel", *ACTIONS):
                return ACTIONS[said[0]]

    async def _content(self, question: Question, known: list[Field]) -> dict[str, Any]:
        """The values; a field that is wrong is asked again, and what is left empty is its default."""
        content: dict[str, Any] = {}
        for field in known:
            while True:
                value = read(field, await self._line(_prompt(field)))
                value = field.default if value is None else value
                trial = content if value is None else content | {field.name: value}
                words = faults(question.schema, trial).get(field.name)
                if not words:
                    break
                self._write(f"  {words}")
            content = trial
        return content

    async def _line(self, prompt: str) -> str:
        self._write(f"  {prompt}")
        return (await self._keyboard.line()).strip()


class _Keyboard:
    """Lines that are read in threads, since `input` blocks and cannot be cancelled."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._pending: Future[str] | None = None

    async def line(self) -> str:
        """The next line that is typed for who asks now.

        Raises:
            EOFError: there is none.
        """
        if self._pending is not None:  # a question that is gone was waiting for it
            await asyncio.shield(asyncio.wrap_future(self._pending))
        pending: Future[str] = Future()
        self._pending = pending
        threading.Thread(target=self._work, args=(pending,), daemon=True, name="keyboard").start()
        line = await asyncio.shield(asyncio.wrap_future(pending))
        self._pending = None
        return line

    def _work(self, pending: "Future[str]") -> None:
        try:
            pending.set_result(self._read())
        except Exception as error:
            pending.set_exception(error)


def _prompt(field: Field) -> str:
    choices = ", ".join(f"{number} {label}" for number, (label, _) in enumerate(field.options, 1))
    hints = [field.description, choices, "yes or no" if field.kind == "boolean" else ""]
    default = "" if field.default is None else f" [{plain(field.default)}]"
    about = "; ".join(hint for hint in hints if hint)
    return f"{field.label}{f' ({about})' if about else ''}{default}:"
