"""MCP over HTTP with sessions that belong to who opened them, end when they are not used, and outlive their streams."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http import EventStore
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from helpers.apps.command import SECONDS
from helpers.apps.events import InMemoryEventStore
from helpers.apps.trust import TraceGate
from helpers.apps.waiting import Waiting

IDLE_SECONDS = 3600.0  # longer than a person is waited for


class CallerIsUser:
    """Tells the SDK who calls, as `TokenGuard` found: sessions and the state of questions are that caller's then."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope.get("state", {}).get("caller") if scope["type"] == "http" else None
        if caller is not None:
            token = AccessToken(token="", client_id=caller, scopes=[], subject=caller)  # the token itself is not kept
            scope["user"] = AuthenticatedUser(token)
        await self.app(scope, receive, send)


class Sessions(StreamableHTTPSessionManager):
    """The sessions of a server; each has a memory of what it sent, and nothing is kept of one that was deleted."""

    @property
    def event_store(self) -> EventStore:
        """A store for a new session: the SDK asks once for each, and names streams alike in all of them."""
        return InMemoryEventStore()

    @event_store.setter
    def event_store(self, given: EventStore | None) -> None:
        """The SDK sets it to None."""

    @property
    def known(self) -> list[str]:
        """The ids of the sessions that there are."""
        return list(self._server_instances)

    async def _handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super()._handle_request(scope, receive, send)
        for ended in [known for known, session in self._server_instances.items() if session.is_terminated]:
            self._server_instances.pop(ended, None)
            self._session_owners.pop(ended, None)


def application(
    server: MCPServer[Any],
    guards: list[Middleware],
    *,
    host: str = "127.0.0.1",
    question_seconds: float = SECONDS,
    idle_seconds: float = IDLE_SECONDS,
) -> Starlette:
    """`server` at `/mcp` behind its guards; its sessions are in `app.state.sessions`."""
    if not any(isinstance(each, Waiting) for each in server.middleware):
        server.middleware[:] = [TraceGate(), *server.middleware, Waiting(question_seconds)]
    server.streamable_http_app(host=host)  # what it says of hosts and origins is kept
    plain = server.session_manager
    sessions = Sessions(plain.app, security_settings=plain.security_settings, session_idle_timeout=idle_seconds)

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        async with sessions.run():
            yield

    middleware = [*guards, Middleware(CallerIsUser), Middleware(AuthContextMiddleware)]
    app = Starlette(routes=[Route("/mcp", StreamableHTTPASGIApp(sessions))], middleware=middleware, lifespan=running)
    app.state.sessions = sessions
    return app
