"""The kit's endpoint: Ollama's API and llama.cpp's OpenAI-style one, on one port of loopback."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from helpers.inference.client import KIT_HEADER
from helpers.inference.create_api import CreateAPI
from helpers.inference.engine import Engine
from helpers.inference.errors import EndpointFailed, InferenceError
from helpers.inference.http import PING, HostGuard, traced
from helpers.inference.ollama_api import OllamaAPI
from helpers.inference.openai_api import OpenAIAPI
from helpers.inference.store import Store
from helpers.settings.settings import LOOPBACK
from helpers.sites.lease import AlreadyServed, Lease

log = logging.getLogger(__name__)

PREFERRED_PORT = 11435  # next to Ollama's 11434, which stays free for a real Ollama


class RequestCounter:
    """Counts requests under way, so that an endpoint in use does not end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.active = 0
        self.last = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the lifespan lasts as long as the server
            return await self.app(scope, receive, send)
        self.active += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.active -= 1
            self.last = time.monotonic()

    def in_use(self, linger: float) -> bool:
        """Whether a request is under way, or the last ended less than `linger` seconds ago."""
        return self.active > 0 or time.monotonic() - self.last < linger


def create_app(engine: Engine, allowed_hosts: frozenset[str] = LOOPBACK) -> Starlette:
    """The ASGI application over `engine`; it unloads every model when it shuts down."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await engine.close()

    return Starlette(
        routes=[
            Route("/", _root),
            Route(PING, _ping),
            *OllamaAPI(engine).routes(),
            *OpenAIAPI(engine).routes(),
            *CreateAPI(engine).routes(),
        ],
        middleware=[Middleware(HostGuard, allowed=allowed_hosts), *traced()],
        exception_handlers={InferenceError: _explain, HTTPException: _explain, Exception: _explain},
        lifespan=lifespan,
    )


async def _root(request: Request) -> Response:
    return PlainTextResponse("Ollama is running", headers={KIT_HEADER: str(os.getpid())})


async def _ping(request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})


async def _explain(request: Request, error: Exception) -> Response:
    if isinstance(error, InferenceError):
        status, message = error.status, str(error)
    elif isinstance(error, HTTPException):
        status = error.status_code
        message = f"{request.method} {request.url.path}: {error.detail}. The README lists what this endpoint offers"
    else:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        status, message = 500, f"internal error ({type(error).__name__}); the endpoint's log has the details"
    if request.url.path.startswith("/v1"):
        kind = "invalid_request_error" if status < 500 else "server_error"
        return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": status}}, status)
    return JSONResponse({"error": message}, status)


def bind(host: str, port: int | None) -> socket.socket:
    """A listening socket on `port`, or on a free one when it is taken.

    Raises:
        EndpointFailed: `host` is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (PREFERRED_PORT if port is None else port, 0):
        # asyncio switches Nagle's algorithm off only for sockets that say TCP; with it, every answer waits 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if candidate == 0:
                raise EndpointFailed(f"cannot listen on {host}: {error.strerror}. Use --host 127.0.0.1") from error
            continue
        return listener
    raise AssertionError("unreachable")


def serve(
    host: str, port: int | None, lease: Lease, linger: float | None = None, allowed: frozenset[str] = frozenset()
) -> None:
    """Serve until stopped, or, with `linger`, until for so many seconds nobody held the lease and nobody asked.

    `allowed` are `Host` headers to answer besides loopback's names.

    Raises:
        EndpointFailed: another endpoint runs already, or `host` is not an address of this machine.
    """
    listener = bind(host, port)
    bound_host, bound_port = listener.getsockname()[:2]
    url = f"http://{f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}"
    try:
        lease.claim()
    except AlreadyServed as other:
        raise EndpointFailed(
            f"An endpoint already runs{f' at {other}' if str(other) else ''}, and one is enough for all notebooks. To "
            "start it anew, end it first: python -m helpers.inference stop"
        ) from None
    lease.announce(url)
    if port and port != bound_port:  # 0 and None ask for any
        print(f"Port {port} is taken or not allowed; another was chosen.", flush=True)
    print(f"Serving Ollama's API on {url}", flush=True)
    counter = RequestCounter(create_app(Engine(Store(), lease.log), LOOPBACK | allowed))
    config = uvicorn.Config(counter, log_level="warning", lifespan="on", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again when it has shut down
    try:
        asyncio.run(_run(server, listener, counter, lease, linger))
    finally:
        lease.withdraw()


async def _run(
    server: uvicorn.Server, listener: socket.socket, counter: RequestCounter, lease: Lease, linger: float | None
) -> None:
    watcher = asyncio.create_task(_end_when_unused(server, counter, lease, linger)) if linger else None
    try:
        await server.serve(sockets=[listener])
    finally:
        if watcher:
            watcher.cancel()


async def _end_when_unused(server: uvicorn.Server, counter: RequestCounter, lease: Lease, linger: float) -> None:
    # A file lock cannot be awaited, only asked for.
    while counter.in_use(linger) or not lease.end_if_unused():  # noqa: ASYNC110
        await asyncio.sleep(min(linger / 4, 5))
    server.should_exit = True
