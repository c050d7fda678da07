"""What every program of a site has, whatever it speaks: who may call it, where, how much, and whether it is well.

Loopback only, unless `--host` says otherwise; a foreign `Host` or `Origin` header is refused, but for a `Host` that
asks `/ping`; all but the card and `/ping` asks for a bearer token, made for this program.
"""

import argparse
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from helpers.apps.command import hosts
from helpers.apps.guards import SizeGuard, TokenGuard
from helpers.inference.http import PING, HostGuard, traced
from helpers.settings import settings
from helpers.sites.tokens import Issuer, Provider

if TYPE_CHECKING:  # each protocol is a second of a program's start, so none pays for another's
    from bedrock_agentcore.runtime import BedrockAgentCoreApp


def serve_rest(app: Starlette, given: argparse.Namespace) -> None:
    """Serve a service over REST until the program is ended. It says itself who may call."""
    app.routes.append(Route(PING, ping))
    app.user_middleware = [Middleware(SizeGuard), Middleware(HostGuard, allowed=hosts(given)), *app.user_middleware]
    listen(app, given)


def serve_runtime(app: "BedrockAgentCoreApp", given: argparse.Namespace) -> None:
    """Serve an agent as AgentCore Runtime calls it, until the program is ended.

    It goes on with the trace that AgentCore hands it: who may call at all, IAM or a token has decided there.
    """
    app.user_middleware += [Middleware(HostGuard, allowed=hosts(given)), *traced()]
    app.run(port=given.port, host=given.host)


def guards(audience: str, public_key: str, hosts: frozenset[str]) -> list[Middleware]:
    """Who may call, and how much; tokens must be for `audience` and fit `public_key`, or be the set provider's."""
    return [
        Middleware(SizeGuard),
        Middleware(HostGuard, allowed=hosts),
        Middleware(TokenGuard, audience=audience, public_key=public_key, provider=Provider.of_the_settings()),
    ]


def identity(name: str) -> tuple[str, str]:
    """Who this program is, and the key that tokens for it must fit."""
    name = settings().identity or name
    key = settings().token_key
    if key is None:
        key = Issuer.of_this_user().public_key
        print(f"Callers need a token: python -m helpers.sites.tokens {name}", flush=True)
    return name, key


def listen(app: Starlette, given: argparse.Namespace) -> None:
    """Answer until the program is ended."""
    uvicorn.run(app, host=given.host, port=given.port, log_level="info", timeout_graceful_shutdown=2)


async def ping(request: Request) -> Response:
    """Well."""
    return JSONResponse({"status": "Healthy"})
