"""The receiver against Phoenix: how many spans a second it takes, and how long a trace is looked for among many."""

import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from tenacity import Retrying, retry_if_result, wait_fixed

from bench import phoenix, tracing
from bench.measure import Part, Ratio, in_turns, milliseconds
from helpers.tracing.store import Store

SPANS = 1000  # of a trace
TRACES, ROUNDS = 20, 5  # 100 000 spans in all
BATCH = 500  # spans in a request, of OpenTelemetry's batch at most 512
QUERIES = 5
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
    """Spans a second, and the query of a trace, against Phoenix's."""
    return _measured().ratios


def notes() -> list[str]:
    """How long the query takes, or why there is nothing to compare with."""
    return _measured().notes


@cache
def _measured() -> Part:
    if reason := phoenix.missing():
        return Part([], [f"Phoenix was not measured, it cannot be installed: {reason}"])
    with tracing.receiver() as (url, store), closing(store), phoenix.phoenix() as peer, _client() as client:
        written = in_turns(
            lambda _: _rate(client, url, _rows(store)), lambda _: _rate(client, peer.url, peer.count), ROUNDS
        )
        asked = f"{ROUNDS * TRACES // 2:032x}"
        for url_of in (url, peer.url):
            client.post(f"{url_of}/v1/traces", content=b"".join(_trace(asked)))
        _wait_for(lambda: len(store.trace(asked)), SPANS)
        _wait_for(lambda: len(peer.trace(asked)), SPANS)
        read = in_turns(
            lambda _: milliseconds(lambda: store.trace(asked)),
            lambda _: milliseconds(lambda: peer.trace(asked)),
            QUERIES,
        )
    among = (ROUNDS * TRACES + 1) * SPANS
    took = statistics.median(ours for ours, _ in read)
    name = f"a trace of {SPANS} spans looked up among {among:,}"
    return Part(
        [
            Ratio(f"spans taken in and kept, against {phoenix.VERSION}", "1/s", written, 1.0),
            Ratio(f"{name}, against Phoenix's API", "ms", read, 1.0, more_is_better=False),
        ],
        [f"{name.capitalize()}: {took:.0f} ms; Phoenix answers over HTTP, the store is read from its file"],
    )


@contextmanager
def _client() -> Iterator[httpx.Client]:
    headers = {"Content-Type": "application/x-protobuf"}
    with httpx.Client(timeout=60, trust_env=False, headers=headers) as made:
        yield made


def _rows(store: Store) -> Callable[[], int]:
    return lambda: sum(summary.spans for summary in store.traces(2 * ROUNDS * TRACES))


def _rate(client: httpx.Client, url: str, count: Callable[[], int]) -> float:
    """Spans a second, from the first request until all are kept."""
    requests = [body for _ in range(TRACES) for body in _trace(secrets.token_hex(16))]
    before, started = count(), time.perf_counter()
    for body in requests:
        _send(client, url, body)
    _wait_for(count, before + TRACES * SPANS)
    return TRACES * SPANS / (time.perf_counter() - started)


def _send(client: httpx.Client, url: str, body: bytes) -> None:
    """Send a request, as often as the other side says that it has no time."""
    busy = Retrying(retry=retry_if_result(lambda answer: answer.status_code in (429, 503)), wait=wait_fixed(0.05))
    busy(client.post, f"{url}/v1/traces", content=body).raise_for_status()


def _wait_for(count: Callable[[], int], many: int, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while count() < many:
        assert time.monotonic() < deadline, f"{count()} of {many} spans are there"
        time.sleep(0.02)


def _trace(trace_id: str) -> list[bytes]:
    """Requests with the spans of a trace: a root, and the others below it."""
    ids = [secrets.token_bytes(8) for _ in range(SPANS)]
    return [_request(trace_id, ids[0], ids[first : first + BATCH]) for first in range(0, SPANS, BATCH)]


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
