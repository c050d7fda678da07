"""A gateway's part in a trace: each call of a tool is a span of the caller's trace, and an MCP server goes on with it.

MCP carries the trace in `_meta`. Other targets see what they are allowed to: the caller's own `traceparent`, if at all.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from opentelemetry.propagate import inject
from opentelemetry.trace import Span, SpanKind, StatusCode, get_tracer, set_span_in_context

from helpers.region.gateway.exchange import Exchange
from helpers.region.gateway.messages import Json
from helpers.region.gateway.resources import Target
from helpers.sites.trust import FIELDS, context_of, trusted

tracer = get_tracer(__name__)
Call = Callable[[Target, str, Exchange], AsyncIterator[Json]]


async def traced(call: Call, target: Target, tool: str, exchange: Exchange) -> AsyncIterator[Json]:
    """The messages of a call."""
    meta = exchange.params.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    given = context_of(exchange.caller.name, {key: value for key, value in meta.items() if isinstance(value, str)})
    name = f"{target.name}___{tool}"
    about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "workshop.target": target.name}
    span = tracer.start_span(f"gateway {name}", given, SpanKind.SERVER, about)
    carried = dict(meta) if trusted(exchange.caller.name) else {k: v for k, v in meta.items() if k not in FIELDS}
    inject(carried, set_span_in_context(span, given))
    if carried != meta:
        exchange = replace(exchange, message=exchange.message | {"params": exchange.params | {"_meta": carried}})
    try:
        async for message in call(target, tool, exchange):
            _note(span, message)
            yield message
    except Exception as error:
        _failed(span, type(error).__name__)
        raise
    finally:
        span.end()


def _note(span: Span, message: Json) -> None:
    """What of a message the trace tells: that a server asks, and that a call failed."""
    if "error" in message:
        _failed(span, str(message["error"].get("code")))
    elif (message.get("result") or {}).get("isError"):
        _failed(span, "tool_error")
    elif "method" in message and "id" in message:
        span.add_event("workshop.asked", {"mcp.method.name": str(message["method"])})


def _failed(span: Span, kind: str) -> None:
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", kind)
