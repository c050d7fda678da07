"""What every program of a site has besides its agent: who may call it, where, how much, and whether it is well.

Loopback only, unless `--host` says otherwise; a foreign `Host` or `Origin` header is refused, but for a `Host` that
asks `/ping`; all but the card and `/ping` asks for a bearer token, made for this program.
"""

import argparse

import uvicorn
from a2a.types import AgentCard, HTTPAuthSecurityScheme, SecurityScheme
from bedrock_agentcore.runtime import BedrockAgentCoreApp
from mcp.server.mcpserver import MCPServer
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from strands.multiagent.a2a import A2AServer

from helpers.apps import stateful
from helpers.apps.command import SECONDS, hosts
from helpers.apps.deadline import Deadline
from helpers.apps.guards import EARLIER_CARD, SizeGuard, TokenGuard
from helpers.apps.trust import TraceGuard
from helpers.inference.http import PING, HostGuard
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK
from helpers.sites.operations import CARD
from helpers.sites.tokens import Issuer, Provider

# Goes on with the trace of whoever calls, behind the guards: who has no token adds to nobody's trace. MCP needs no such
# thing, it carries the trace in each message.
TRACE = Middleware(OpenTelemetryMiddleware, excluded_urls=rf"{PING}$,/\.well-known/", exclude_spans=["receive", "send"])


def serve(server: A2AServer, given: argparse.Namespace) -> None:
    """Serve the agent over A2A until the program is ended."""
    server.request_handler.agent_executor = Deadline(server.request_handler.agent_executor, given.task_seconds)
    name, key = _identity(server.name)
    _listen(application(server, name, key, hosts(given)), given)


def serve_mcp(server: MCPServer, given: argparse.Namespace, question_seconds: float = SECONDS) -> None:
    """Serve the tools over MCP, at `/mcp`, until the program is ended; their questions wait so long for an answer."""
    name, key = _identity(server.name)
    guarded = guards(name, key, hosts(given))
    app = stateful.application(server, guarded, host=given.host, question_seconds=question_seconds)
    app.routes.append(Route(PING, _ping))
    _listen(app, given)


def serve_rest(app: Starlette, given: argparse.Namespace) -> None:
    """Serve a service over REST until the program is ended. It says itself who may call."""
    app.routes.append(Route(PING, _ping))
    app.user_middleware = [Middleware(SizeGuard), Middleware(HostGuard, allowed=hosts(given)), *app.user_middleware]
    _listen(app, given)


def serve_runtime(app: BedrockAgentCoreApp, given: argparse.Namespace) -> None:
    """Serve an agent as AgentCore Runtime calls it, until the program is ended.

    It goes on with the trace that AgentCore hands it: who may call at all, IAM or a token has decided there.
    """
    app.user_middleware += [Middleware(HostGuard, allowed=hosts(given)), TRACE]
    app.run(port=given.port, host=given.host)


def guards(audience: str, public_key: str, hosts: frozenset[str]) -> list[Middleware]:
    """Who may call, and how much; tokens must be for `audience` and fit `public_key`, or be the set provider's."""
    return [
        Middleware(SizeGuard),
        Middleware(HostGuard, allowed=hosts),
        Middleware(TokenGuard, audience=audience, public_key=public_key, provider=Provider.of_the_settings()),
    ]


def application(server: A2AServer, audience: str, public_key: str, hosts: frozenset[str] = LOOPBACK) -> Starlette:
    """`server` behind its guards."""
    bearer = SecurityScheme(HTTPAuthSecurityScheme(scheme="bearer", bearer_format="JWT"))
    card = server.public_agent_card.model_copy(
        update={"security_schemes": {"bearer": bearer}, "security": [{"bearer": []}]}
    )

    async def tell(request: Request) -> Response:
        return JSONResponse(_addressed(card, request).model_dump(mode="json", by_alias=True, exclude_none=True))

    return Starlette(
        routes=[
            Route(CARD, tell),
            Route(EARLIER_CARD, tell),
            Route(PING, _ping),
            Mount("/", server.to_starlette_app()),
        ],
        middleware=[*guards(audience, public_key, hosts), Middleware(TraceGuard), TRACE],
    )


def _identity(name: str) -> tuple[str, str]:
    """Who this program is, and the key that tokens for it must fit."""
    name = settings().identity or name
    key = settings().token_key
    if key is None:
        key = Issuer.of_this_user().public_key
        print(f"Callers need a token: python -m helpers.sites.tokens {name}", flush=True)
    return name, key


def _listen(app: Starlette, given: argparse.Namespace) -> None:
    uvicorn.run(app, host=given.host, port=given.port, log_level="info", timeout_graceful_shutdown=2)


def _addressed(card: AgentCard, request: Request) -> AgentCard:
    """The card with the address by which the caller came: through a link or a load balancer, not around it."""
    return card.model_copy(update={"url": str(request.base_url)})


async def _ping(request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})
