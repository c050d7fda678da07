"""A gateway's endpoint for MCP: who may send what, in which session and version; as Streamable HTTP has it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, suppress

from mcp.shared.inbound import NAME_BEARING_METHODS, InboundLadderRejection, classify_inbound_request
from starlette.types import Receive, Send

from helpers.inference import BadRequest
from helpers.inference.http import unless_gone
from helpers.region.gateway.authorizer import Authorizer, Caller, Request
from helpers.region.gateway.dispatch import Dispatch, described
from helpers.region.gateway.exchange import Exchange
from helpers.region.gateway.messages import Json, Refused, decode, encode, event, result, status
from helpers.region.gateway.resources import Gateway, Target
from helpers.region.gateway.sessions import Session, Sessions
from helpers.region.gateway.upstream import SESSION, VERSION, TargetFailed

EVENTS, ONE = "text/event-stream", "application/json"
STREAM = {"content-type": EVENTS, "cache-control": "no-cache"}
UNSUPPORTED = -32022
DEFAULT_VERSION = "2025-03-26"  # of a request that does not say one: the protocol's rule


class Endpoint:
    """Answers requests to `/mcp` of any gateway."""

    def __init__(self, authorizer: Authorizer, sessions: Sessions, dispatch: Dispatch) -> None:
        self.authorizer, self.sessions, self.dispatch = authorizer, sessions, dispatch

    async def answer(
        self, gateway: Gateway, targets: list[Target], request: Request, receive: Receive, send: Send
    ) -> None:
        """Answer one request."""
        message: Json = {}
        try:
            caller = await self.authorizer.check(gateway, request)
            if request.method == "GET":
                return await self._listen(gateway, caller, request, receive, send)
            if request.method == "DELETE":
                return await self._end(gateway, caller, request, send)
            message = _message(request)
            exchange = await self._exchange(gateway, targets, caller, message, request)
            if exchange is None:
                return await _say(send, 202)
            await _while_there(self._respond(exchange, send), receive)
        except Refused as error:
            modern = bool(_modern(message, request))
            await _say(send, error.status(modern), error.answer(message.get("id")), error.headers)

    async def _exchange(
        self, gateway: Gateway, targets: list[Target], caller: Caller, message: Json, request: Request
    ) -> Exchange | None:
        """What is to be answered; None if it is only to be taken note of."""
        if _modern(message, request):
            _check_modern(gateway, message, request)
            if "id" not in message:
                return None
            session = self.sessions.share(gateway.gateway_id, gateway.without_sessions[-1], caller.name)
            modern = True
        else:
            session, modern = self._session(gateway, caller, message, request), False
            if message.get("method") is None:
                await _answered(session, message)
                return None
            if "id" not in message:
                if message["method"] == "notifications/cancelled":
                    await session.cancel(message)
                return None
        may_stream = gateway.streams and message["method"] in NAME_BEARING_METHODS  # all else answers at once
        streams = may_stream and EVENTS in request.headers.get("accept", "")
        return Exchange(gateway, targets, session, caller, message, modern, streams, request.headers)

    def _session(self, gateway: Gateway, caller: Caller, message: Json, request: Request) -> Session:
        """The session of a request, or a new one."""
        if not gateway.with_sessions:
            raise _unsupported(gateway, request.headers.get(VERSION.lower(), DEFAULT_VERSION))
        if message.get("method") == "initialize":
            return self._begun(gateway, caller, message)
        agreed = gateway.session_seconds is not None  # then the session knows the version too
        version = request.headers.get(VERSION.lower(), "" if agreed else DEFAULT_VERSION)
        if version and version not in gateway.with_sessions:
            raise _unsupported(gateway, version)
        return self._found(gateway, caller, request) or self.sessions.share(gateway.gateway_id, version, caller.name)

    def _begun(self, gateway: Gateway, caller: Caller, message: Json) -> Session:
        """A session in the version that the client offers, or else in the newest one that the gateway has."""
        params = message.get("params") or {}
        offered, able = params.get("protocolVersion"), params.get("capabilities")
        if not isinstance(offered, str) or not isinstance(able, dict):
            raise Refused(-32602, "initialize needs a protocolVersion and capabilities.", 400)
        version = offered if offered in gateway.with_sessions else gateway.with_sessions[0]
        if gateway.session_seconds is None:
            return Session(gateway.gateway_id, version)
        return self.sessions.begin(gateway.gateway_id, version, able, caller.name, gateway.session_seconds)

    def _found(self, gateway: Gateway, caller: Caller, request: Request) -> Session | None:
        """The session that the header names; None if the gateway has none."""
        if gateway.session_seconds is None:
            return None
        given = request.headers.get(SESSION.lower())
        if not given:
            raise Refused(-32600, f"This gateway has sessions: send the header {SESSION} of your initialize.", 400)
        session = self.sessions.find(given, gateway.gateway_id, caller.name)
        if (version := request.headers.get(VERSION.lower(), session.version)) != session.version:
            raise _unsupported(gateway, version, f"Another version than this session's, {session.version}")
        return session

    async def _respond(self, exchange: Exchange, send: Send) -> None:
        if exchange.message["method"] == "initialize" and not exchange.modern:
            about = {"protocolVersion": exchange.session.version} | described(exchange)
            headers = {SESSION: exchange.session.id} if exchange.session.id else {}
            return await _say(send, 200, result(exchange.id, about), headers)
        async with aclosing(self.dispatch.answer(exchange)) as messages:  # also when the client goes away between two
            first = await anext(messages)
            if exchange.streams and not (exchange.modern and "error" in first):  # which has a status of its own
                return await _stream(send, first, messages)
            last = [first, *[message async for message in messages]][-1]
        return await _say(send, status(last["error"]["code"], exchange.modern) if "error" in last else 200, last)

    async def _listen(self, gateway: Gateway, caller: Caller, request: Request, receive: Receive, send: Send) -> None:
        """A stream of what the gateway has to say by itself."""
        session = self._found(gateway, caller, request)
        if session is None or not gateway.streams:
            return await _say(send, 405, headers={"allow": "POST"})
        if EVENTS not in request.headers.get("accept", ""):
            raise Refused(-32600, f"A stream is {EVENTS}: accept it.", 406)
        stream: asyncio.Queue[Json | None] = asyncio.Queue()
        session.streams.append(stream)
        try:
            await _start(send, 200, STREAM)
            await _piece(send, b": open\n\n")
            await _while_there(_pass_on(stream, send), receive)
        finally:
            session.streams.remove(stream)
        return None

    async def _end(self, gateway: Gateway, caller: Caller, request: Request, send: Send) -> None:
        session = self._found(gateway, caller, request)
        if session is None:
            return await _say(send, 405, headers={"allow": "POST"})
        await self.sessions.end(session)
        return await _say(send, 204)


def _message(request: Request) -> Json:
    """The one message of a request.

    Raises:
        Refused: it has none, or says that it will not take its answer.
    """
    accept = request.headers.get("accept", "*/*")
    if not any(kind in accept for kind in (ONE, "*/*", "application/*")):
        raise Refused(-32600, f"Answers are {ONE} or {EVENTS}: accept both.", 406)
    if not request.headers.get("content-type", "").startswith(ONE):
        raise Refused(-32600, f"A message is {ONE}.", 415)
    try:
        message = decode(request.body)
    except ValueError as error:
        raise Refused(-32700, f"Parse error: {error}", 400) from error
    method, answers = message.get("method"), "result" in message or "error" in message
    if message.get("jsonrpc") != "2.0" or not (isinstance(method, str) or (method is None and answers)):
        raise Refused(-32600, "Invalid Request: not a message of JSON-RPC 2.0", 400)
    if not isinstance(message.get("id", 0), str | int) or not isinstance(message.get("params") or {}, dict):
        raise Refused(-32600, "Invalid Request: an id is a text or a number, params are an object", 400)
    return message


def _modern(message: Json, request: Request) -> bool:
    """Whether a request stands for itself, as since 2026-07-28, or belongs to a session or to none."""
    meta = (message.get("params") or {}).get("_meta") or {}
    enveloped = isinstance(meta, dict) and "io.modelcontextprotocol/protocolVersion" in meta
    version = request.headers.get(VERSION.lower())
    return enveloped or ("mcp-method" in request.headers if version is None else version >= "2026-07-28")


def _check_modern(gateway: Gateway, message: Json, request: Request) -> None:
    version = request.headers.get(VERSION.lower(), "")
    if not gateway.without_sessions:
        raise _unsupported(gateway, version)
    if "id" not in message:
        if version not in gateway.without_sessions:
            raise _unsupported(gateway, version)
        return
    found = classify_inbound_request(
        message, headers=dict(request.headers), supported_modern_versions=gateway.without_sessions
    )
    if isinstance(found, InboundLadderRejection):
        raise Refused(found.code, found.message, data=found.data)


def _unsupported(gateway: Gateway, version: str, why: str = "Unsupported protocol version") -> Refused:
    data = {"supported": gateway.versions, "requested": version}
    return Refused(UNSUPPORTED, why, 400, data)


async def _answered(session: Session, message: Json) -> None:
    try:
        await session.answer(message)
    except TargetFailed as error:
        raise Refused(-32603, f"DependencyFailedException: {error} Repeat the call.", 200) from error


async def _pass_on(stream: "asyncio.Queue[Json | None]", send: Send) -> None:
    while (message := await stream.get()) is not None:
        await _piece(send, event(message))
    await _piece(send, b"", more=False)


async def _while_there(work: Coroutine[None, None, None], receive: Receive) -> None:
    """Do `work`, but give it up when the client goes away."""
    with suppress(BadRequest):
        await unless_gone(receive, work)


async def _stream(send: Send, message: Json, others: AsyncIterator[Json]) -> None:
    """Send messages as they come; the response is the last one, and the stream ends with it."""
    await _start(send, 200, STREAM)
    while "method" in message:
        await _piece(send, event(message))
        message = await anext(others)
    async for _ in others:  # the connection to the target is free for the next call then
        pass
    await _piece(send, event(message), more=False)


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _piece(send: Send, body: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _say(send: Send, code: int, message: Json | None = None, headers: dict[str, str] | None = None) -> None:
    body = encode(message) if message else b""
    given = {"content-length": str(len(body))} | ({"content-type": ONE} if body else {}) | (headers or {})
    await _start(send, code, given if code not in (202, 204) else headers or {})
    await _piece(send, body, more=False)
