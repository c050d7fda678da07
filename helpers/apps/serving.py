"""What every program of a site has besides its agent: who may call it, where, how much, and whether it is well.

Loopback only, unless `--host` says otherwise; a foreign `Host` or `Origin` header is refused; all but the card and
`/ping` asks for a bearer token, made for this program.
"""

import argparse
import sys

import uvicorn
from a2a.types import AgentCard, HTTPAuthSecurityScheme, SecurityScheme
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strands.multiagent.a2a import A2AServer

from helpers.inference.http import HostGuard
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK
from helpers.sites.errors import TokenRefused
from helpers.sites.operations import CARD
from helpers.sites.tokens import Issuer, check

PING = "/ping"
OPEN = (CARD, PING)
MOST = 64 * 1024  # bytes of a message: more than the 8,192 tokens that the small model holds


def parser(about: str) -> argparse.ArgumentParser:
    """The arguments that every program takes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one, which is printed, if none")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback unless you say otherwise")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="Host header to answer too")
    return parser


def serve(server: A2AServer, given: argparse.Namespace) -> None:
    """Serve the agent until the program is ended."""
    name = settings().identity or server.name
    key = settings().token_key
    if key is None:
        key = Issuer.of_this_user().public_key
        print(f"Callers need a token: python -m helpers.sites.tokens {name}", flush=True)
    uvicorn.run(
        application(server, name, key, LOOPBACK | {given.host, *given.allow_host}),
        host=given.host,
        port=given.port,
        log_level="info",
        timeout_graceful_shutdown=2,
    )


def application(server: A2AServer, audience: str, public_key: str, hosts: frozenset[str] = LOOPBACK) -> Starlette:
    """`server` behind its guards; tokens must be for `audience` and fit `public_key`."""
    bearer = SecurityScheme(HTTPAuthSecurityScheme(scheme="bearer", bearer_format="JWT"))
    card = server.public_agent_card.model_copy(
        update={"security_schemes": {"bearer": bearer}, "security": [{"bearer": []}]}
    )

    async def tell(request: Request) -> Response:
        return JSONResponse(_addressed(card, request).model_dump(mode="json", by_alias=True, exclude_none=True))

    return Starlette(
        routes=[Route(CARD, tell), Route(PING, _ping), Mount("/", server.to_starlette_app())],
        middleware=[
            Middleware(HostGuard, allowed=hosts),
            Middleware(TokenGuard, audience=audience, public_key=public_key),
            Middleware(SizeGuard, most=MOST),
        ],
    )


def _addressed(card: AgentCard, request: Request) -> AgentCard:
    """The card with the address by which the caller came: through a link or a load balancer, not around it."""
    return card.model_copy(update={"url": str(request.base_url)})


async def _ping(request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})


class TokenGuard:
    """Refuses requests without a good bearer token. The agent learns who calls from `scope["state"]["caller"]`."""

    def __init__(self, app: ASGIApp, audience: str, public_key: str) -> None:
        self.app, self.audience, self.public_key = app, audience, public_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN:
            return await self.app(scope, receive, send)
        kind, _, token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
        try:
            if kind.lower() != "bearer":
                raise TokenRefused("The request has no bearer token.")
            scope.setdefault("state", {})["caller"] = check(token.strip(), self.public_key, self.audience)
        except TokenRefused as refusal:
            answer = JSONResponse({"error": str(refusal)}, 401, {"WWW-Authenticate": f'Bearer realm="{self.audience}"'})
            return await answer(scope, receive, send)
        return await self.app(scope, receive, send)


class SizeGuard:
    """Refuses messages larger than `most` bytes, before they are read."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.most:
                reason = f"The message is larger than {self.most:,} bytes, which is more than the model can read."
                return await JSONResponse({"error": reason}, 413)(scope, receive, send)
        return await self.app(scope, _replay(bytes(body), receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """`receive` that gives the whole body first."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return given.pop() if given else await receive()

    return again


def fail(error: Exception) -> None:
    """End the program with a sentence instead of a traceback."""
    sys.exit(f"{type(error).__name__}: {error}")
