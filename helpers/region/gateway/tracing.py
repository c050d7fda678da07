"""A gateway's part in a trace: each call is a span of the caller's trace; an MCP server or HTTP target goes on with it.

MCP carries the trace in `_meta`, HTTP in headers. A REST service sees what its target allows: the caller's own
`traceparent`, if at all.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

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
    name = f"{target.name}___{tool}"
    with passing(name, target, exchange.caller.name, meta) as (span, carried):
        span.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name})
        if carried != meta:
            exchange = replace(exchange, message=exchange.message | {"params": exchange.params | {"_meta": carried}})
        async for message in call(target, tool, exchange):
            _note(span, message)
            yield message


@contextmanager
def passing(
    name: str, target: Target, caller: str | None, fields: Mapping[str, Any]
) -> Iterator[tuple[Span, dict[str, Any]]]:
    """The gateway's span while a call is under way, and `fields` with it in the place of the caller's."""
    given = context_of(caller, {key: value for key, value in fields.items() if isinstance(value, str)})
    span = tracer.start_span(f"gateway {name}", given, SpanKind.SERVER, {"workshop.target": target.name})
    carried = {key: value for key, value in fields.items() if key not in FIELDS or trusted(caller)}
    inject(carried, set_span_in_context(span, given))
    try:
        yield span, carried
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
