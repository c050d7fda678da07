"""What every program of a site has besides its agent: who may call it, where, how much, and whether it is well.

Loopback only, unless `--host` says otherwise; a foreign `Host` or `Origin` header is refused; all but the card and
`/ping` asks for a bearer token, made for this program.
"""

import argparse
import sys
from collections.abc import Callable

import uvicorn
from a2a.types import AgentCard, HTTPAuthSecurityScheme, SecurityScheme
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from strands.multiagent.a2a import A2AServer

from helpers.apps.deadline import SECONDS, Deadline
from helpers.apps.guards import EARLIER_CARD, PING, SizeGuard, TokenGuard
from helpers.inference.http import HostGuard
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK
from helpers.sites.operations import CARD
from helpers.sites.tokens import Issuer


def parser(about: str, agent: bool = True) -> argparse.ArgumentParser:
    """The arguments that every program takes; those of an agent, if it is one."""
    spec = sys.modules["__main__"].__spec__
    parser = argparse.ArgumentParser(
        prog=f"python -m {spec.name.removesuffix('.__main__')}" if spec else None,
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_port, default=0, help="port to listen on; a free one, which is printed, if none"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback unless you say otherwise")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="Host header to answer too")
    if agent:
        parser.add_argument(
            "--task-seconds", type=float, default=SECONDS, metavar="N", help="how long a task may take (%(default)g)"
        )
    return parser


def run(main: Callable[[], None]) -> None:
    """Run a program. What goes wrong for a reason that the kit knows is told in a sentence, not in a traceback."""
    try:
        main()
    except Exception as error:
        if not type(error).__module__.startswith("helpers."):
            raise
        sys.exit(f"{type(error).__name__}: {error}")


def serve(server: A2AServer, given: argparse.Namespace) -> None:
    """Serve the agent over A2A until the program is ended."""
    server.request_handler.agent_executor = Deadline(server.request_handler.agent_executor, given.task_seconds)
    name, key = _identity(server.name)
    _listen(application(server, name, key, hosts(given)), given)


def serve_mcp(server: MCPServer, given: argparse.Namespace) -> None:
    """Serve the tools over MCP, at `/mcp`, until the program is ended."""
    name, key = _identity(server.name)
    app = server.streamable_http_app(host=given.host)
    app.routes.append(Route(PING, _ping))
    app.user_middleware += guards(name, key, hosts(given))
    _listen(app, given)


def hosts(given: argparse.Namespace) -> frozenset[str]:
    """The Host headers to answer to."""
    return LOOPBACK | {given.host, *given.allow_host}


def guards(audience: str, public_key: str, hosts: frozenset[str]) -> list[Middleware]:
    """Who may call, and how much; tokens must be for `audience` and fit `public_key`."""
    return [
        Middleware(SizeGuard),
        Middleware(HostGuard, allowed=hosts),
        Middleware(TokenGuard, audience=audience, public_key=public_key),
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
        middleware=guards(audience, public_key, hosts),
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


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"{port} is no port: ports go from 0 to 65535")
    return port


def _addressed(card: AgentCard, request: Request) -> AgentCard:
    """The card with the address by which the caller came: through a link or a load balancer, not around it."""
    return card.model_copy(update={"url": str(request.base_url)})


async def _ping(request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})
