"""Spans, log records, points and requests that tests make up."""

import base64
import json

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from helpers.tracing.spans import Span

SECOND = 10**9
NOW = 1_790_000_000 * SECOND


def trace_id(number=1):
    return f"{number:032x}"


def span(number=1, trace=1, parent=0, start=0.0, seconds=1.0, **given):
    """A span that starts so many seconds after NOW."""
    begin = NOW + round(start * SECOND)
    return Span(
        trace_id=trace_id(trace),
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=given.pop("name", f"span {number}"),
        kind=given.pop("kind", "INTERNAL"),
        start=begin,
        end=begin + round(seconds * SECOND),
        **given,
    )


def ids(spans):
    return [int(each.span_id, 16) for each in spans]


def attribute(key, **value):
    return KeyValue(key=key, value=AnyValue(**value))


def request(*numbers, trace=1, padding=""):
    """A request with a span of each number; 0 is an id that is none."""
    made = ExportTraceServiceRequest()
    of_resource = made.resource_spans.add()
    of_resource.resource.attributes.extend(
        [attribute("service.name", string_value="pharmacy"), attribute("service.namespace", string_value="campus-a")]
    )
    of_scope = of_resource.scope_spans.add()
    of_scope.scope.name = "made"
    for number in numbers:
        of_scope.spans.add(
            trace_id=bytes.fromhex(trace_id(trace)),
            span_id=number.to_bytes(8, "big"),
            name=f"span {number}{padding}",
            start_time_unix_nano=NOW + number,
            end_time_unix_nano=NOW + SECOND + number,
        )
    return made


def rich_request():
    """A request with one span that has all there is."""
    made = request(0xAB, trace=0xFE)
    (one,) = made.resource_spans[0].scope_spans[0].spans
    one.parent_span_id = bytes.fromhex("00000000000000cd")
    one.kind, one.status.code, one.status.message = 2, 2, "no stock"
    one.attributes.extend(
        [
            attribute("text", string_value="Ünï"),
            attribute("flag", bool_value=True),
            attribute("tokens", int_value=2**60),
            attribute("share", double_value=0.25),
            attribute("bytes", bytes_value=b"\x00\xff"),
            attribute("list", array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="b")])),
            attribute("map", kvlist_value=KeyValueList(values=[attribute("inner", int_value=1)])),
        ]
    )
    one.events.add(name="retried", time_unix_nano=NOW, attributes=[attribute("n", int_value=2)])
    one.links.add(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\2")
    return made


def as_json(message):
    """A request as OTLP writes it in JSON: protobuf's, with ids in hex and enums as numbers."""
    document = json_format.MessageToDict(message, use_integers_for_enums=True)
    return json.dumps(_with_hex(document)).encode()


def _with_hex(value):
    if isinstance(value, list):
        return [_with_hex(each) for each in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(inner).hex() if key in ("traceId", "spanId", "parentSpanId") else _with_hex(inner)
            for key, inner in value.items()
        }
    return value
