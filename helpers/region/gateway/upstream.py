"""A session of the gateway with the MCP server of a target.

Messages pass through it as they are; only ids are the gateway's own. One such session stands behind each session of a
client, is opened at the first call and opened again, unseen, when the server has forgotten it.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from mcp.shared.inbound import NAME_BEARING_METHODS, encode_header_value
from mcp_types.version import LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS

from helpers.region.gateway.messages import Json, encode, error, events
from helpers.region.gateway.reach import Answer, read
from helpers.region.tokens import NoCredentials

ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
SESSION, VERSION = "Mcp-Session-Id", "MCP-Protocol-Version"
CLIENT = {"name": "agentcore-gateway", "version": "1.0.0"}
CLOSE_SECONDS = 2.0
END_SECONDS = 0.1
Send = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]  # method, headers, body


class TargetFailed(Exception):
    """A target does not do what it should; the message says what, for those who may see it."""


class BrokeOff(TargetFailed):
    """The connection broke while an answer was under way."""


class TooLate(TargetFailed):
    """No answer came in time; the server may still be at work."""


class Upstream:
    """One session; `version` is the one that was agreed upon."""

    def __init__(self, send: Send, capabilities: Json, version: str | None = None) -> None:
        """`send` sends a request to the server."""
        self._send_to, self._capabilities = send, capabilities
        self.version = version or LATEST_HANDSHAKE_VERSION
        self.server: Json = {}  # its answer to `initialize`
        self._session: str | None = None
        self._open = False
        self._opening = asyncio.Lock()
        self._ids = itertools.count(1)
        self._leaving = set[asyncio.Task[None]]()

    async def request(
        self, method: str, params: Json, headers: Mapping[str, str], ids: list[int] | None = None
    ) -> AsyncIterator[Json]:
        """Messages of the server for this request, each as it comes; the last one is the response.

        `ids` is told the request's id.

        Raises:
            TargetFailed: no response is to be had.
        """
        await self.opened()
        begun = False
        for again in (False, True):
            number = next(self._ids)
            if ids is not None:
                ids[:] = [number]
            message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            try:
                async for found in self._send(message, headers):
                    begun = True
                    yield found
                return
            except _Forgotten:
                if again or begun:
                    raise TargetFailed("The server forgets its sessions.") from None
                self._open = False
                await self.opened()

    async def result(self, method: str, params: Json) -> Json:
        """The result of a request that is asked for the gateway itself.

        Raises:
            TargetFailed: there is none; also where the server answers with an error.
        """
        async for message in self.request(method, params, {}):
            if "method" not in message:
                return _result(message, method)
            if "id" in message:
                await self.post(error(message["id"], -32601, "The gateway itself has no user."))
        raise TargetFailed(f"The server did not answer {method}.")

    async def post(self, message: Json) -> None:
        """Send a notification or a response.

        Raises:
            TargetFailed: the server does not take it.
        """
        async with in_words(), await self._posted(message, {}) as answer:
            if answer.http.status >= 400:
                raise TargetFailed(f"The server answered {answer.http.status}.")

    def abandon(self, number: int) -> None:
        """Tell the server that nobody waits for its response any more, so that no tool waits for an answer for ever.

        It is told in the background: who waited is being cancelled.
        """
        task = asyncio.ensure_future(self._abandon(number))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _abandon(self, number: int) -> None:
        params = {"requestId": number, "reason": "The client has gone."}
        with suppress(TargetFailed, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})

    async def close(self) -> None:
        """End the session, if the server still knows it and can be told."""
        if not self._session:
            return
        with suppress(TargetFailed):
            async with in_words(), asyncio.timeout(CLOSE_SECONDS), await self._posted(None, {}, "DELETE"):
                self._session = None

    async def opened(self) -> None:
        """Begin the session, if it has not begun."""
        if self._open:
            return
        async with self._opening:
            if not self._open:
                await self._initialize()

    async def _initialize(self) -> None:
        self._session = None
        params = {"protocolVersion": self.version, "capabilities": self._capabilities, "clientInfo": CLIENT}
        asked = {"jsonrpc": "2.0", "id": next(self._ids), "method": "initialize", "params": params}
        async for message in self._send(asked, {}):
            if "method" not in message:
                self.server = _result(message, "initialize")
                self.version = str(self.server.get("protocolVersion", self.version))
        if not self.server:
            raise TargetFailed("The server did not answer initialize.")
        await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self._open = True

    async def _send(self, message: Json, headers: Mapping[str, str]) -> AsyncIterator[Json]:
        """The messages of the answer to a request; the response has to come."""
        async with in_words(), await self._posted(message, headers) as answer:
            if answer.http.status == 404 and self._session:
                raise _Forgotten
            self._session = answer.http.headers.get(SESSION, self._session)
            async for found in _to_response(answer, message["id"]):
                yield found

    async def _posted(self, message: Json | None, headers: Mapping[str, str], method: str = "POST") -> Answer:
        body = encode(message) if message else b""
        given = ACCEPT | dict(headers)
        if self._session:
            given |= {SESSION: self._session}
        if self.server:
            given |= {VERSION: self.version}
        return await self._send_to(method, given, body)


async def stateless(send: Send, message: Json, headers: Mapping[str, str]) -> AsyncIterator[Json]:
    """The messages of a server that speaks MCP without sessions; the last one is the response to `message`.

    Raises:
        TargetFailed: no response is to be had.
    """
    named = NAME_BEARING_METHODS.get(message["method"])
    given = ACCEPT | dict(headers) | {VERSION: MODERN_PROTOCOL_VERSIONS[-1], "Mcp-Method": message["method"]}
    given |= {"Mcp-Name": encode_header_value(message["params"][named])} if named else {}
    body = encode(message)
    async with in_words(), await send("POST", given, body) as answer:
        async for found in _to_response(answer, message["id"]):
            yield found


async def _to_response(answer: Answer, to: Any) -> AsyncIterator[Json]:  # noqa: ANN401 - an id
    """The messages in an answer, up to the response to the request with the id `to`; that has to come."""
    messages = received(answer)
    async for found in messages:
        yield found
        if found.get("id") == to and "method" not in found:
            await _ended(messages)
            return
    raise BrokeOff("The server ended its answer before the response.")


async def received(answer: Answer) -> AsyncIterator[Json]:
    """The messages in an answer of an MCP server, without what the server was shown.

    Raises:
        TargetFailed: it is no answer of one.
        ValueError: it is not what it says that it is, or too large.
    """
    response = answer.http
    if response.content_type == "text/event-stream" and response.ok:
        async for data in events(response.content.iter_any()):
            yield answer.message(data)
        return
    body = await read(response)
    if response.content_type != "application/json":
        raise TargetFailed(f"The server answered {response.status} with {response.content_type}, which is not MCP.")
    message = answer.message(body)
    if message.get("jsonrpc") != "2.0":
        raise TargetFailed(f"The server answered {response.status} with JSON that is not MCP.")
    yield message


async def _ended(messages: AsyncIterator[Json]) -> None:
    """Wait for the end after a response, so that the connection can be used again; some servers leave it open."""
    with suppress(TargetFailed, aiohttp.ClientError, TimeoutError, ValueError):
        async with asyncio.timeout(END_SECONDS):
            async for _ in messages:
                pass


class _Forgotten(Exception):
    """The server does not know its session any more."""


@asynccontextmanager
async def in_words() -> AsyncIterator[None]:
    """What goes wrong with a connection, told without addresses and credentials."""
    try:
        yield
    except NoCredentials as found:
        raise TargetFailed(str(found)) from found
    except TimeoutError as found:
        raise TooLate("The target did not answer in time.") from found
    except aiohttp.ClientPayloadError as found:
        raise BrokeOff("The connection to the target broke in the midst of its answer.") from found
    except (aiohttp.ClientConnectionError, ConnectionError) as found:
        raise TargetFailed("The target cannot be reached.") from found
    except aiohttp.ClientError as found:
        raise TargetFailed(f"The target's answer is not HTTP as it should be ({type(found).__name__}).") from found
    except ValueError as found:
        raise TargetFailed(f"The target's answer cannot be read: {found}") from found


def _result(message: Json, method: str) -> Json:
    found = message.get("result")
    if not isinstance(found, dict):
        said = str((message.get("error") or {}).get("message"))[:200]
        raise TargetFailed(f"The server refused {method}: {said}")
    return found
