"""A call through a gateway is a span of the caller's trace, and the server behind is told of it."""

from functools import partial

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.responses import JSONResponse

from helpers.region.gateway import tracing
from helpers.settings import settings
from helpers.tracing.strangers import LinkStrangers
from tests.region.gateway.conftest import META, STREAMS, Client, modern, response
from tests.region.gateway.shop import Shop
from tests.region.gateway.upstreams import Odd, served
from tests.waiting import until

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CONTEXT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "baggage": "session.id=s-1"}


@pytest.fixture
def spans(monkeypatch):
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(LinkStrangers())
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "tracer", provider.get_tracer("gateway"))
    return kept


class Noted(Odd):
    """Keeps the last call; speaks MCP without sessions too, or not."""

    versions = ()

    @property
    def meta(self):
        """What came with the call, beside what a request says that stands for itself."""
        found = self.message["params"].get("_meta") or {}
        return {name: value for name, value in found.items() if name not in META}

    async def on_server_discover(self, message):
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": {"supportedVersions": self.versions}})

    async def on_tools_call(self, message):
        self.message = message
        return await super().on_tools_call(message)


@pytest.fixture
def server():
    return Noted()


@pytest.fixture(params=["sessions", "stateless", "stateless to a server with sessions"])
def call(request, gateways, server):
    """Calls the server's tool with a `_meta`; the response."""
    stateless = request.param != "sessions"
    server.versions = ["2026-07-28"] if request.param == "stateless" else []
    with served(server.app()) as url:
        gateway, address = gateways.make(STREAMS | {"supportedVersions": ["2025-11-25", "2026-07-28"]})
        gateways.server(gateway, "hamburg", url)
        client = Client(address)
        if not stateless:
            client.begin()
        send = partial(modern, client) if stateless else client.send

        def called(meta, name="hamburg___t"):
            return response(send("tools/call", {"name": name, "arguments": {}} | ({"_meta": meta} if meta else {})))

        yield called
        assert len(server.offered) == (1 if request.param == "stateless" else 2), "it was read, and called as is said"


def ids(span):
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


def test_a_call_is_a_span_of_the_callers_trace_and_the_server_goes_on_with_it(call, server, spans):
    assert call(CONTEXT | {"progressToken": 7})["result"]["content"]
    (span,) = spans.get_finished_spans()
    assert ids(span)[0] == TRACE and f"{span.parent.span_id:016x}" == PARENT and span.kind is SpanKind.SERVER
    assert span.name == "gateway hamburg___t" and span.attributes["gen_ai.tool.name"] == "hamburg___t"
    meta = server.meta
    assert meta["traceparent"] == f"00-{TRACE}-{ids(span)[1]}-01"
    assert meta["baggage"] == "session.id=s-1" and meta["progressToken"]


def test_a_call_without_a_trace_begins_one(call, server, spans):
    call({})
    (span,) = spans.get_finished_spans()
    assert span.parent is None and server.meta["traceparent"].split("-")[1:3] == [*ids(span)]


@pytest.mark.parametrize(
    "meta", [{"traceparent": 5}, {"traceparent": "00-zz"}, {"baggage": ["x"]}, {"traceparent": {}}]
)
def test_a_context_that_is_garbage_begins_a_trace(call, spans, meta):
    assert call(meta)["result"]["content"]
    assert spans.get_finished_spans()[0].parent is None


def test_a_gateway_that_is_not_traced_passes_the_context_on_as_it_is(call, server):
    call(CONTEXT)
    assert server.meta == CONTEXT
    call({})
    assert not server.meta.get("traceparent")


@pytest.fixture
def nobody_is_trusted(monkeypatch):
    monkeypatch.setattr(settings(), "telemetry_trusts", [])


def test_a_caller_that_is_not_trusted_begins_a_trace_that_is_linked_to_its_own(call, server, spans, nobody_is_trusted):
    assert call(CONTEXT | {"progressToken": 7})["result"]["content"]
    (span,) = spans.get_finished_spans()
    assert span.parent is None and ids(span)[0] != TRACE
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [TRACE]
    meta = server.meta
    assert meta["traceparent"].split("-")[1:3] == [*ids(span)] and "baggage" not in meta and meta["progressToken"]


def test_a_gateway_that_is_not_traced_does_not_pass_on_what_it_does_not_trust(call, server, nobody_is_trusted):
    call(CONTEXT | {"progressToken": 7})
    assert set(server.meta) == {"progressToken"}


@pytest.mark.parametrize(
    ("how", "kind"), [("500", "TargetFailed"), ("garbage", "TargetFailed"), ("closes", "BrokeOff")]
)
def test_a_call_that_fails_is_an_error_of_its_kind(call, server, spans, how, kind):
    server.how = how
    call(CONTEXT)
    (span,) = spans.get_finished_spans()
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, kind)
    assert "secret detail" not in str(span.to_json())


def test_a_tool_that_says_that_it_failed_is_an_error(call, server, spans):
    async def failed(message):
        answer = {"content": [{"type": "text", "text": "no"}], "isError": True}
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": answer})

    server.on_tools_call = failed
    call(CONTEXT)
    assert spans.get_finished_spans()[0].attributes["error.type"] == "tool_error"


@pytest.fixture
def post(gateways):
    """Posts to an HTTP target through a gateway; the headers that the target got."""
    shop = Shop()
    with served(shop.app()) as url:
        gateway, address = gateways.make(None, protocolType=None)
        configuration = {"http": {"passthrough": {"endpoint": url, "protocolType": "CUSTOM"}}}
        assert gateways.add(gateway, "shop", configuration)["status"] == "READY"

        def posted(headers):
            httpx.post(f"{address}/shop/order", json={}, headers=headers, trust_env=False)
            return shop.last.headers

        yield posted


def test_an_http_target_goes_on_with_the_callers_trace(post, spans):
    headers = post(CONTEXT)
    until(spans.get_finished_spans)  # it ends after the answer's last piece
    (span,) = spans.get_finished_spans()
    assert ids(span)[0] == TRACE and f"{span.parent.span_id:016x}" == PARENT
    assert span.name == "gateway shop" and span.attributes["workshop.target"] == "shop"
    assert headers["traceparent"] == f"00-{TRACE}-{ids(span)[1]}-01" and headers["baggage"] == "session.id=s-1"


def test_an_http_target_is_not_told_of_a_trace_that_is_not_trusted(post, spans, nobody_is_trusted):
    headers = post(CONTEXT)
    until(spans.get_finished_spans)  # it ends after the answer's last piece
    (span,) = spans.get_finished_spans()
    assert span.parent is None and [f"{link.context.trace_id:032x}" for link in span.links] == [TRACE]
    assert headers["traceparent"].split("-")[1:3] == [*ids(span)] and "baggage" not in headers
