"""Trace context of callers that are not trusted (`helpers.sites.trust`) is taken out: nobody goes on with it."""

from dataclasses import replace
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from opentelemetry.context import attach, detach
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from helpers.sites.trust import FIELDS, context_of, trusted


class TraceGuard:
    """For what comes in headers. Behind `TokenGuard`, which finds out who calls."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope.get("state", {}).get("caller")
        if scope["type"] != "http" or trusted(caller):
            return await self.app(scope, receive, send)
        attached = attach(context_of(caller, Headers(scope=scope)))
        left = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() not in FIELDS]
        try:
            await self.app({**scope, "headers": left}, receive, send)
        finally:
            detach(attached)


class TraceGate:
    """For what comes in messages of MCP; middleware of a server, before the SDK's own that goes on with a trace.

    That one keeps the trace alone; what else the caller's context has, such as its session, is put in place here.
    """

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        caller = ctx.request.scope.get("state", {}).get("caller") if ctx.request else None
        meta: Any = ctx.meta or {}
        given = {name: meta[name] for name in FIELDS if isinstance(meta.get(name), str)}
        if given and not trusted(caller):
            left: Any = {name: value for name, value in meta.items() if name not in FIELDS}
            ctx = replace(ctx, meta=left)
        attached = attach(context_of(caller, given))
        try:
            return await call_next(ctx)
        finally:
            detach(attached)
