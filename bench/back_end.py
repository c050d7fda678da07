"""The receiver against Phoenix: how many spans a second it takes, and how long a trace is looked for among many."""

import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from tenacity import Retrying, retry_if_result, wait_fixed

from bench import phoenix, tracing
from bench.measure import Part, Ratio, in_turns, milliseconds
from helpers.tracing.store import Store

SPANS = 1000  # of the trace that is looked up
AMONG = 100_000
USUAL, TRACES, ROUNDS = 50, 40, 4  # spans of a trace, and traces, that both take in: as many as a question makes
BATCH = 500  # spans in a request, of OpenTelemetry's batch at most 512
QUERIES = 9
LOOK_SECONDS = 0.25  # whoever is asked too often has no time for the spans
ABOUT = {  # what a span of Strands tells, or so
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "strands-agents",
    "gen_ai.agent.name": "bench",
    "gen_ai.request.model": "qwen3:0.6b",
    "session.id": "5c5d5ad2-53c0-4a0f-9d36-6a76b8d8b0f5",
    "gen_ai.usage.input_tokens": 812,
    "gen_ai.usage.output_tokens": 64,
    "gen_ai.server.time_to_first_token": 412,
}


def ratios() -> list[Ratio]:
    """Spans a second, against Phoenix's."""
    return _measured().ratios


def notes() -> list[str]:
    """How long the query of a trace takes, and why there is nothing to compare with, if so."""
    return _measured().notes


@cache
def _measured() -> Part:
    with tracing.receiver() as (url, store), closing(store), client() as web:
        count = partial(rows, store)
        rates, absent = against_phoenix(web, url, count)
        asked = secrets.token_hex(16)
        rate(web, url, count, [asked], SPANS)
        rate(web, url, count, [secrets.token_hex(16) for _ in range((AMONG - count()) // SPANS)], SPANS)
        assert len(store.trace(asked)) == SPANS
        took, among = statistics.median(milliseconds(lambda: store.trace(asked)) for _ in range(QUERIES)), count()
    return Part(rates, [*absent, f"A trace of {SPANS} spans is looked up among {among:,} in {took:.0f} ms"])


def against_phoenix(web: httpx.Client, url: str, count: Callable[[], int]) -> tuple[list[Ratio], list[str]]:
    """Spans a second against Phoenix's, or why there is no such thing."""
    if reason := phoenix.missing():
        return [], [f"Phoenix was not measured, it cannot be installed: {reason}"]
    with phoenix.phoenix() as peer:
        pairs = in_turns(
            lambda _: rate(web, url, count, _ids(), USUAL),
            lambda _: rate(web, peer.url, peer.count, _ids(), USUAL),
            ROUNDS,
        )
    return [Ratio(f"spans taken in and kept, against {phoenix.VERSION}", "1/s", pairs, 1.0)], []


@contextmanager
def client() -> Iterator[httpx.Client]:
    """A client that sends protobuf."""
    headers = {"Content-Type": "application/x-protobuf"}
    with httpx.Client(timeout=60, trust_env=False, headers=headers) as made:
        yield made


def _ids() -> list[str]:
    return [secrets.token_hex(16) for _ in range(TRACES)]


def rows(store: Store) -> int:
    """How many spans there are."""
    return sum(summary.spans for summary in store.traces(2 * AMONG))


def rate(client: httpx.Client, url: str, count: Callable[[], int], traces: list[str], spans: int) -> float:
    """Spans a second, with so many spans a trace, from the first request until all are kept."""
    requests = [body for trace_id in traces for body in _trace(trace_id, spans)]
    before, started = count(), time.perf_counter()
    for body in requests:
        _send(client, url, body)
    _wait_for(count, before + len(traces) * spans)
    return len(traces) * spans / (time.perf_counter() - started)


def _send(client: httpx.Client, url: str, body: bytes) -> None:
    """Send a request, as often as the other side says that it has no time."""
    busy = Retrying(retry=retry_if_result(lambda answer: answer.status_code in (429, 503)), wait=wait_fixed(0.05))
    busy(client.post, f"{url}/v1/traces", content=body).raise_for_status()


def _wait_for(count: Callable[[], int], many: int, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while count() < many:
        assert time.monotonic() < deadline, f"{count()} of {many} spans are there"
        time.sleep(LOOK_SECONDS)


def _trace(trace_id: str, spans: int) -> list[bytes]:
    """Requests with the spans of a trace: a root, and the others below it."""
    ids = [secrets.token_bytes(8) for _ in range(spans)]
    return [_request(trace_id, ids[0], ids[first : first + BATCH]) for first in range(0, spans, BATCH)]


def _request(trace_id: str, root: bytes, ids: list[bytes]) -> bytes:
    made, now = ExportTraceServiceRequest(), time.time_ns()
    of_resource = made.resource_spans.add()
    of_resource.resource.attributes.append(_attribute("service.name", "bench"))
    scope = of_resource.scope_spans.add()
    for number, span_id in enumerate(ids):
        span = scope.spans.add(trace_id=bytes.fromhex(trace_id), span_id=span_id, name=f"chat {number}", kind=3)
        span.parent_span_id = b"" if span_id == root else root
        span.start_time_unix_nano, span.end_time_unix_nano = now + number * 1000, now + number * 1000 + 500
        span.attributes.extend(_attribute(key, value) for key, value in ABOUT.items())
    return made.SerializeToString()


def _attribute(key: str, value: object) -> KeyValue:
    kind = {str: "string_value", int: "int_value"}[type(value)]
    return KeyValue(key=key, value=AnyValue(**{kind: value}))  # type: ignore[arg-type]
