"""An MCP client that is opened when it is needed, and anew when it was lost.

A client has to be opened and closed in one task, while calls come and go in theirs: it is held in a task of its own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client._transport import TransportStreams
from mcp.client.session import IncomingMessage, LoggingFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.dispatcher import ProgressFnT
from mcp.shared.message import SessionMessage
from mcp_types import (
    JSONRPCNotification,
    LoggingLevel,
    SamplingCapability,
    SamplingToolsCapability,
    Tool,
    ToolListChangedNotification,
)

from helpers.approvals.desk import Desk
from helpers.approvals.recorder import Item, Recorder, watched

CLOSE_SECONDS = 5
NOT_FOUND = 404
SESSION_HEADER = "mcp-session-id"
CONNECT_SECONDS = 30.0
READ_SECONDS = 3600.0  # a person may take their time
Headers = Mapping[str, str] | Callable[[], Mapping[str, str]] | None
logger = logging.getLogger(__name__)


class NotConnected(Exception):
    """The server cannot be reached."""


@dataclass(frozen=True)
class Settings:
    """How to connect."""

    server: Any  # as `Connection` has it
    desk: Desk
    headers: Headers = None
    mode: str = "auto"  # or "legacy": with a session, whatever the server speaks
    progress: ProgressFnT | None = None  # is told of progress: (done, total, message)
    logging: LoggingFnT | None = None  # is told what the server logs, from `log_level` on
    log_level: LoggingLevel | None = None
    recorder: Recorder | None = None  # keeps the messages, where the server has a URL
    tools_changed: Callable[[], None] | None = None  # is called when the server says that they did

    def client(self, ended: Callable[[], None]) -> Client:
        """A client that is not open yet; it calls `ended` when the server does not know its session any more."""
        server = self.server() if callable(self.server) else self.server
        sampler = self.desk.sampler
        return Client(
            self._over_http(server, ended) if isinstance(server, str) else server,
            mode=self.mode,
            elicitation_callback=self.desk.elicit,
            sampling_callback=self.desk.sample if sampler else None,
            sampling_capabilities=SamplingCapability(tools=SamplingToolsCapability()) if sampler else None,
            logging_callback=self.logging,
            log_level=self.log_level,
            message_handler=self._told,
        )

    async def _told(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification) and self.tools_changed:
            self.tools_changed()

    def _over_http(self, url: str, ended: Callable[[], None]) -> AbstractAsyncContextManager[TransportStreams]:
        transport = watched(_over_http(url, self.headers, ended), received=self._received)
        return self.recorder.transport(transport) if self.recorder else transport

    def _received(self, item: Item) -> None:
        """Tell the desk when the server takes a question back: seen from within it, a cut looks the same."""
        message = item.message if isinstance(item, SessionMessage) else None
        if isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self.desk.questions.withdrawn((message.params or {}).get("requestId"))


class Opened:
    """A client that is open, held in a task of its own."""

    def __init__(self, settings: Settings) -> None:
        self.ended = False  # the server does not know its session any more
        self._leave = asyncio.Event()
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        # An empty context: what is asked outside of any call must not seem to belong to the call that opened this.
        self._task = asyncio.create_task(self._hold(settings), context=Context())

    async def ready(self) -> None:
        """Returns when it is open.

        Raises:
            NotConnected: it could not be opened.
        """
        await asyncio.shield(self._client)

    @property
    def client(self) -> Client:
        """The client, once it is open."""
        return self._client.result()

    @property
    def done(self) -> bool:
        """Whether it is closed, or broken."""
        return self._task.done()

    async def close(self) -> None:
        """End the session."""
        self._leave.set()
        await asyncio.wait([self._task], timeout=CLOSE_SECONDS)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _hold(self, settings: Settings) -> None:
        try:
            async with settings.client(self._end) as client:
                self._client.set_result(client)
                await self._leave.wait()
        except Exception as error:
            if not self._client.done():
                self._client.set_exception(NotConnected(f"The server cannot be reached ({_root(error)})."))
            logger.debug("the connection has ended", exc_info=True)
        finally:
            self._client.cancel()

    def _end(self) -> None:
        self.ended = True


class Session:
    """What is open, if anything; to be used in one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opening = asyncio.Lock()
        self._opened: Opened | None = None

    async def open(self) -> Opened:
        """The client that is open, or a new one.

        Raises:
            NotConnected: it cannot be opened.
        """
        async with self._opening:
            if self._opened is None or self._opened.done:
                self._opened = Opened(self.settings)
                if self.settings.tools_changed:
                    self.settings.tools_changed()  # for all that is known: nobody was told while there was no session
            await self._opened.ready()
            return self._opened

    async def tools(self) -> list[Tool]:
        """All the tools of the server.

        Raises:
            NotConnected: it cannot be reached.
        """
        client, cursor = (await self.open()).client, None
        found: list[Tool] = []
        while True:
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if not cursor:
                return found

    async def forget(self, opened: Opened) -> None:
        """It is of no use any more; the next call opens a new one."""
        async with self._opening:
            if opened is self._opened:
                self._opened = None
        await opened.close()

    async def close(self) -> None:
        """End the session."""
        if self._opened:
            await self.forget(self._opened)


@asynccontextmanager
async def _over_http(url: str, headers: Headers, ended: Callable[[], None]) -> AsyncIterator[TransportStreams]:
    async def look(response: httpx2.Response) -> None:
        if response.status_code == NOT_FOUND and SESSION_HEADER in response.request.headers:
            ended()  # by MCP's rules for Streamable HTTP; the JSON that comes with it differs from server to server

    timeout = httpx2.Timeout(CONNECT_SECONDS, read=READ_SECONDS)
    hooks = {"response": [look]}
    async with (
        httpx2.AsyncClient(timeout=timeout, auth=_Headers(headers), event_hooks=hooks) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


class _Headers(httpx2.Auth):
    """Adds headers to each request as they are at that time."""

    def __init__(self, headers: Headers) -> None:
        self.headers = headers

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers.update((self.headers() if callable(self.headers) else self.headers) or {})
        yield request


def _root(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__
