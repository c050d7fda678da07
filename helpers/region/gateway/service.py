"""The gateways of a Region, served on a port of their own: on AWS each has a host of its own, here each has a path."""

import asyncio
import contextlib
import gc
import re
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, unquote

import aiohttp
import uvicorn
from moto.bedrockagentcorecontrol.models import BedrockAgentCoreControlBackend, bedrockagentcorecontrol_backends
from moto.core import DEFAULT_ACCOUNT_ID
from starlette.requests import Request as Received
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from helpers.inference import BadRequest
from helpers.inference.http import foreign, read_body
from helpers.region.cloud import REGION
from helpers.region.credentials import Keys
from helpers.region.gateway.authorizer import Authorizer, Request, metadata
from helpers.region.gateway.aws import Aws
from helpers.region.gateway.dispatch import GENERIC, Dispatch
from helpers.region.gateway.endpoint import Endpoint
from helpers.region.gateway.http_target import HttpTargets, returned
from helpers.region.gateway.kinds import kinds
from helpers.region.gateway.messages import MOST, TOO_LARGE, Refused
from helpers.region.gateway.operations import IN_PATH
from helpers.region.gateway.reach import Reach
from helpers.region.gateway.reader import Reader
from helpers.region.gateway.resources import Gateway, Target
from helpers.region.gateway.search import Search
from helpers.region.gateway.sessions import Sessions
from helpers.region.outbound import Outbound
from helpers.region.tokens import NoCredentials
from helpers.region.vault import provider

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 900.0  # AgentCore Gateway's limit of a call
HTTP_KINDS = ("agentcoreRuntime", "passthrough")
AT_ONCE = 512  # connections to targets


class Gateways:
    """Serves gateways in a thread of its own."""

    def __init__(self, folder: Path, keys: Keys, allowed: frozenset[str], seconds: float = ANSWER_SECONDS) -> None:
        self.folder, self.keys, self.allowed, self.seconds = folder, keys, allowed, seconds
        self.waiting: list[Target] = []  # to be read as soon as there is a loop
        self.loop: asyncio.AbstractEventLoop | None = None
        self.server: uvicorn.Server | None = None
        self.thread: threading.Thread | None = None

    def serve(self, url: str, host: str, port: int = 0) -> None:
        """Begin to serve; `url` is the Region's own."""
        listener = _listener(host, port)
        Gateway.base_url = f"http://{host}:{listener.getsockname()[1]}"
        # Not in an application of Starlette's, whose layers of middleware would stand on the way of each call.
        app = Router(self._routes(), redirect_slashes=False, lifespan=lambda _: self._living(url))
        config = uvicorn.Config(
            app, log_level="warning", lifespan="on", loop="uvloop", http="httptools", access_log=False, ws="none",
            timeout_graceful_shutdown=1, server_header=False, date_header=False, proxy_headers=False,
        )  # fmt: skip
        gc.freeze()  # moto alone is a million objects; to look through them again and again would stop calls
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True, name="gateways")
        self.thread.start()

    def stop(self) -> None:
        """End all sessions and connections."""
        if self.server and self.thread:
            self.server.should_exit = True
            self.thread.join(10)

    def read(self, target: Target) -> None:
        """Find out what a target offers; its state says when that is done."""
        if self.loop:
            asyncio.run_coroutine_threadsafe(self.reader.read(target), self.loop)
        elif target not in self.waiting:
            self.waiting.append(target)

    def forget(self, target: Target) -> None:
        """A target is gone, or has changed: its sessions end."""
        if self.loop:
            asyncio.run_coroutine_threadsafe(self.reader.forget(target), self.loop)
        elif target in self.waiting:
            self.waiting.remove(target)

    @contextlib.asynccontextmanager
    async def _living(self, url: str) -> AsyncIterator[None]:
        """What serves, as long as it does."""
        timeout = aiohttp.ClientTimeout(total=self.seconds, sock_connect=CONNECT_SECONDS)
        connector = aiohttp.TCPConnector(limit=AT_ONCE, keepalive_timeout=60)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as http:
            self.aws = aws = Aws(http, self.keys.own, url)
            reach, sessions = Reach(http, Outbound(provider, self.keys.own)), Sessions()
            known = kinds(aws, reach)
            self.http_targets = HttpTargets(aws, reach)
            self.authorizer = Authorizer(http, self.keys)
            self.endpoint = Endpoint(self.authorizer, sessions, Dispatch(known, Search()))
            self.reader = Reader(self.folder, {**known, **dict.fromkeys(HTTP_KINDS, self.http_targets)}, sessions)
            self.loop = asyncio.get_running_loop()
            watch = asyncio.ensure_future(sessions.watch())
            for target in self.waiting:  # made before this Region began, whatever was done with them since
                target.status = "CREATING"
                self.reader.remember(target)
                self.read(target)
            yield
            watch.cancel()
            await asyncio.gather(*(session.close() for session in sessions.all), return_exceptions=True)

    def _routes(self) -> list[Route]:
        every = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"]
        return [
            Route("/{gateway}/mcp", _asgi(self._mcp), methods=every),
            Route("/{gateway}/.well-known/oauth-protected-resource", _asgi(self._metadata)),
            Route("/.well-known/oauth-protected-resource/{gateway}/mcp", _asgi(self._metadata)),
            Route("/{gateway}/{target}", _asgi(self._http), methods=every),
            Route("/{gateway}/{target}/{path:path}", _asgi(self._http), methods=every),
        ]

    async def _mcp(self, received: Received, send: Send) -> None:
        gateway, request = await self._gateway(received)
        if not gateway.protocol_type:
            raise Refused(
                -32601, "This gateway is for HTTP targets, and speaks no MCP: make one with protocolType.", 404
            )
        if request.method not in ("GET", "POST", "DELETE"):
            return await Response(status_code=405, headers={"allow": "GET, POST, DELETE"})(
                received.scope, received.receive, send
            )
        targets = [target for target in targets_of(gateway) if target.over_mcp and target.catalogue]
        return await self.endpoint.answer(gateway, targets, request, received.receive, send)

    async def _metadata(self, received: Received, send: Send) -> None:
        gateway, _ = await self._gateway(received)
        await JSONResponse(metadata(gateway))(received.scope, received.receive, send)

    async def _http(self, received: Received, send: Send) -> None:
        """Pass a request on to an HTTP target, and its answer back as it comes."""
        gateway, request = await self._gateway(received)
        caller = await self.authorizer.check(gateway, request)
        name, path = received.path_params["target"], _path(received)
        target = next((each for each in targets_of(gateway) if each.name == name and not each.over_mcp), None)
        if target is None:
            raise Refused(-32601, f"This gateway has no HTTP target {name}.", 404)
        query = received.scope["query_string"].decode("latin-1")
        async with contextlib.AsyncExitStack() as stack:
            try:
                answer = await stack.enter_async_context(self.http_targets.send(target, path, query, request, caller))
            except (aiohttp.ClientError, TimeoutError) as error:
                raise Refused(-32603, "The target cannot be reached.", 502) from error
            except NoCredentials as error:
                raise Refused(-32603, str(error) if gateway.explains else GENERIC, 502) from error
            response = StreamingResponse(answer.pieces(), answer.http.status, returned(answer.headers, target))
            await response(received.scope, received.receive, send)

    async def _gateway(self, received: Received) -> tuple[Gateway, Request]:
        """Which gateway is meant, and what is asked of it.

        Raises:
            Refused: there is none; or the request comes from a page of another site, or is too large.
        """
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, value in received.headers.raw
        }
        if reason := foreign(headers.get("host", ""), headers.get("origin", ""), self.allowed):
            raise Refused(-32600, reason, 403)
        gateway = backend().gateways.get(received.path_params["gateway"])
        if gateway is None:
            raise Refused(-32600, "There is no such gateway.", 404)
        return gateway, Request(received.method, _url(received), headers, await _body(received))


def backend() -> BedrockAgentCoreControlBackend:
    """moto's records."""
    return bedrockagentcorecontrol_backends[DEFAULT_ACCOUNT_ID][REGION]


def targets_of(gateway: Gateway) -> list[Target]:
    """The targets of a gateway, in the order in which they were made."""
    return [target for (owner, _), target in list(backend().gateway_targets.items()) if owner == gateway.gateway_id]


def _listener(host: str, port: int) -> socket.socket:
    """A socket at `port`, or at a free one if that is taken: a gateway's address says which."""
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError:
        return socket.create_server((host, 0), backlog=1024)


def _asgi(handle: Callable[[Received, Send], Awaitable[None]]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """A route of Starlette's that is told of what cannot be answered."""

    class Handler:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await handle(Received(scope, receive, send), send)
            except Refused as error:
                answer = JSONResponse(error.answer(None), error.status(modern=False), error.headers)
                await answer(scope, receive, send)

    return Handler()


def _url(received: Received) -> str:
    """The address as it was signed."""
    query = received.scope["query_string"].decode("latin-1")
    return f"http://{received.headers['host']}{received.scope['raw_path'].decode('latin-1')}" + f"?{query}" * bool(
        query
    )


def _path(received: Received) -> str:
    """What comes after the target, as it was sent.

    Raises:
        Refused: it would lead out of what the target was made for.
    """
    _, _, _, *rest = received.scope["raw_path"].decode("latin-1").split("/", 3)
    if {".", ".."} & set(re.split(r"[/\\]", unquote(*rest or [""]))):
        raise Refused(-32600, "A path may not have the parts . and .., which mean another one.", 400)
    return "".join(f"/{quote(each, safe=IN_PATH)}" for each in rest)


async def _body(received: Received) -> bytes:
    try:
        return await read_body(received, MOST)
    except BadRequest as error:
        raise Refused(-32600, TOO_LARGE, 413) from error
