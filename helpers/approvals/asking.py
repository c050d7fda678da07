"""Questions that are open: asked once, however many wait for the answer, and taken away when nobody does."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress

import anyio
from opentelemetry.context import Context, attach, get_current

from helpers.approvals.calls import Call
from helpers.approvals.question import Answer, Question

Ask = Callable[[], Awaitable[Answer]]
logger = logging.getLogger(__name__)


class Asked:
    """One open question. It is asked in a thread and an event loop of its own: those who wait for it come and go."""

    def __init__(self, question: Question, call: Call | None) -> None:
        self.question, self.call = question, call
        self.requests: set[object] = set()  # the server's ids of it
        self.waiting = 0
        self.withdrawn = False  # by the server
        self.answer: Future[Answer] = Future()
        self._begun = threading.Event()

    def begin(self, ask: Ask) -> None:
        """Ask."""
        trace = get_current()  # that of the first who waits; the rest of its context would put forms under other cells
        threading.Thread(target=self._work, args=(ask, trace), daemon=True, name="question").start()
        self._begun.wait()

    async def take_away(self) -> None:
        """Cancel the asking; returns when what it shows is gone."""
        with suppress(RuntimeError):  # it has just been answered, and its loop is closed
            self._loop.call_soon_threadsafe(self._task.cancel)
        with anyio.CancelScope(shield=True), suppress(asyncio.CancelledError):
            await asyncio.shield(asyncio.wrap_future(self.answer))

    def _work(self, ask: Ask, trace: Context) -> None:
        attach(trace)
        answer = Answer("cancel", note="withdrawn")
        try:
            answer = asyncio.run(self._ask(ask))
        except asyncio.CancelledError:
            pass
        except Exception:
            logger.exception("a question could not be asked")
        self.answer.set_result(answer)

    async def _ask(self, ask: Ask) -> Answer:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.ensure_future(ask())
        self._begun.set()
        return await self._task


class OpenQuestions:
    """All that are open in this process, by id."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._asked: dict[str, Asked] = {}

    async def wait(self, asked: Asked, request: object, ask: Ask) -> Answer:
        """The answer to a question; joins the one with the same id if that is still open.

        Whoever waits last and is cancelled takes it away, unless the call goes on: then only the connection is gone.
        """
        joined = self._joined(asked, request, ask)
        answered = False
        try:
            answer = await asyncio.shield(asyncio.wrap_future(joined.answer))
            answered = True
            return answer
        finally:
            if self._leaves(joined) and not answered:
                await joined.take_away()

    def withdrawn(self, request: object) -> None:
        """The server does not want the answer to this request of its any more."""
        for asked in list(self._asked.values()):
            asked.withdrawn |= request in asked.requests

    async def over(self, call: Call) -> None:
        """A call is over, and so is what was asked in the course of it."""
        for asked in [asked for asked in list(self._asked.values()) if asked.call is call]:
            await asked.take_away()

    def _joined(self, asked: Asked, request: object, ask: Ask) -> Asked:
        with self._lock:
            joined = self._asked.setdefault(asked.question.id, asked)
            joined.waiting += 1
            joined.requests.add(request)
            if joined is asked:
                joined.answer.add_done_callback(lambda _: self._forget(joined))
                joined.begin(ask)
        return joined

    def _leaves(self, joined: Asked) -> bool:
        """One waits no more; whether nobody wants the answer then."""
        with self._lock:
            joined.waiting -= 1
            unwanted = not joined.waiting and (joined.withdrawn or joined.call is None)
            if unwanted:
                self._forget(joined)  # who comes now asks anew
            return unwanted

    def _forget(self, asked: Asked) -> None:
        with self._lock:
            if self._asked.get(asked.question.id) is asked:
                del self._asked[asked.question.id]
