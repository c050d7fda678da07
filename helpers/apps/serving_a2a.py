"""An agent of a site, served over A2A."""

import argparse

from a2a.types import AgentCard, HTTPAuthSecurityScheme, SecurityScheme
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from strands.multiagent.a2a import A2AServer

from helpers.apps.command import hosts
from helpers.apps.deadline import Deadline
from helpers.apps.guards import EARLIER_CARD
from helpers.apps.serving import guards, identity, listen, ping
from helpers.apps.trust import TraceGuard
from helpers.inference.http import PING, traced
from helpers.settings.settings import LOOPBACK
from helpers.sites.operations import CARD


def serve(server: A2AServer, given: argparse.Namespace) -> None:
    """Serve the agent over A2A until the program is ended."""
    server.request_handler.agent_executor = Deadline(server.request_handler.agent_executor, given.task_seconds)
    name, key = identity(server.name)
    listen(application(server, name, key, hosts(given)), given)


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
            Route(PING, ping),
            Mount("/", server.to_starlette_app()),
        ],
        middleware=[*guards(audience, public_key, hosts), Middleware(TraceGuard), *traced()],
    )


def _addressed(card: AgentCard, request: Request) -> AgentCard:
    """The card with the address by which the caller came: through a link or a load balancer, not around it."""
    return card.model_copy(update={"url": str(request.base_url)})
