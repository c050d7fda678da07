"""A span as it is stored and drawn, and how it is read from OTLP."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

Attributes = Mapping[str, Any]
KINDS = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")  # by number in OTLP; 0 is unspecified
STATUS = ("UNSET", "OK", "ERROR")


class Malformed(ValueError):
    """What was sent is not OTLP."""


@dataclass(frozen=True)
class Span:
    """One span. Times are nanoseconds since 1970, by the clock of the site where it was made; ids are hex."""

    trace_id: str  # 32 digits
    span_id: str  # 16 digits
    parent_id: str  # empty: a root
    name: str
    kind: str  # of KINDS
    start: int
    end: int
    status: str = "UNSET"  # of STATUS
    status_message: str = ""
    service: str = ""  # service.name
    site: str = ""  # service.namespace
    scope: str = ""  # the instrumentation that made it
    attributes: Attributes = field(default_factory=dict)
    events: tuple[Attributes, ...] = ()  # each with name, time and attributes
    links: tuple[Attributes, ...] = ()  # each with trace_id, span_id and attributes
    resource: Attributes = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.start) / 1e9


def read(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """The spans of a request.

    Raises:
        Malformed: an id has a wrong length or is nothing but zeros.
    """
    for of_resource in request.resource_spans:
        resource = attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield _span(span, resource, of_scope.scope.name)


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes of OTLP as JSON has them; bytes become hex."""
    return {pair.key: _value(pair.value) for pair in pairs}


def _span(span: trace_pb2.Span, resource: Attributes, scope: str) -> Span:
    return Span(
        trace_id=_id(span.trace_id, 16, "trace_id"),
        span_id=_id(span.span_id, 8, "span_id"),
        parent_id=_id(span.parent_span_id, 8, "parent_span_id") if span.parent_span_id.strip(b"\0") else "",
        name=span.name,
        kind=KINDS[span.kind] if span.kind < len(KINDS) else KINDS[0],
        start=span.start_time_unix_nano,
        end=max(span.end_time_unix_nano, span.start_time_unix_nano),
        status=STATUS[span.status.code] if span.status.code < len(STATUS) else STATUS[0],
        status_message=span.status.message,
        service=str(resource.get("service.name", "")),
        site=str(resource.get("service.namespace", "")),
        scope=scope,
        attributes=attributes(span.attributes),
        events=tuple(
            {"name": each.name, "time": each.time_unix_nano, "attributes": attributes(each.attributes)}
            for each in span.events
        ),
        links=tuple(
            {"trace_id": each.trace_id.hex(), "span_id": each.span_id.hex(), "attributes": attributes(each.attributes)}
            for each in span.links
        ),
        resource=resource,
    )


def _id(value: bytes, length: int, name: str) -> str:
    if len(value) != length or not value.strip(b"\0"):
        raise Malformed(f"{name} has to be {length} bytes that are not all zero, and is {value.hex() or 'empty'}.")
    return value.hex()


def _value(value: AnyValue) -> Any:  # noqa: ANN401 - what JSON has
    match value.WhichOneof("value"):
        case "array_value":
            return [_value(each) for each in value.array_value.values]
        case "kvlist_value":
            return attributes(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value.hex()
        case None:
            return None
        case kind:
            return getattr(value, kind)
