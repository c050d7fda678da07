"""The messages between an MCP client and a server, kept as they went over the wire, in memory.

recorder = Recorder()
Client(recorder.transport(streamable_http_client(url)))
recorder.messages
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from mcp.client._transport import ReadStream, TransportStreams, WriteStream
from mcp.shared.message import SessionMessage

Item = SessionMessage | Exception
Look = Callable[[Item], None]


@dataclass(frozen=True)
class Message:
    """A message of JSON-RPC."""

    at: float  # time.time() when it passed
    sender: str
    receiver: str
    body: Mapping[str, Any]


class Recorder:
    """Keeps messages. Several connections, in several threads, may use one recorder."""

    def __init__(self, caller: str = "orchestrator", server: str = "gateway") -> None:
        """`caller` and `server` are what the two sides are called."""
        self.caller, self.server = caller, server
        self._messages: list[Message] = []

    @property
    def messages(self) -> list[Message]:
        """What passed up to now, oldest first."""
        return list(self._messages)

    def clear(self) -> None:
        """Forget what passed."""
        self._messages.clear()

    def transport(
        self, inner: AbstractAsyncContextManager[TransportStreams]
    ) -> AbstractAsyncContextManager[TransportStreams]:
        """A transport that passes everything on unchanged, and whose messages are kept."""
        return watched(
            inner,
            received=lambda item: self._keep(item, self.server, self.caller),
            sent=lambda item: self._keep(item, self.caller, self.server),
        )

    def _keep(self, item: Item, sender: str, receiver: str) -> None:
        """Keep a message; a fault of the transport is none."""
        if isinstance(item, SessionMessage):
            body = item.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
            self._messages.append(Message(time.time(), sender, receiver, body))  # atomic, whichever thread appends


@asynccontextmanager
async def watched(
    inner: AbstractAsyncContextManager[TransportStreams], received: Look, sent: Look | None = None
) -> AsyncIterator[TransportStreams]:
    """A transport that passes everything on unchanged; the functions see each message before anybody acts on it."""
    async with inner as (read, write):
        yield _Read(read, received), _Write(write, sent) if sent else write


class _Stream:
    """What both directions have."""

    def __init__(self, inner: Any, look: Look) -> None:  # noqa: ANN401 - a stream of either direction
        self._inner, self._look = inner, look

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        closed: bool | None = await self._inner.__aexit__(kind, error, trace)
        return closed


class _Read(_Stream, ReadStream[Item]):
    """From the server."""

    @property
    def last_context(self) -> Context | None:
        """In which the last message was sent: the SDK runs callbacks in it, so that they see whose call they serve."""
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> Item:
        return self._seen(await self._inner.receive())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        return self._seen(await self._inner.__anext__())

    def _seen(self, item: Item) -> Item:
        self._look(item)
        return item


class _Write(_Stream, WriteStream[SessionMessage]):
    """To the server."""

    async def send(self, item: SessionMessage, /) -> None:
        self._look(item)  # before it is sent: its answer may be there before `send` returns
        await self._inner.send(item)
