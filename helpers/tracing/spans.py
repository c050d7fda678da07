"""A span as it is stored and drawn, and how it is read from OTLP."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from helpers.tracing.errors import TracingError

Attributes = Mapping[str, Any]
KINDS = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")  # by number in OTLP; 0 is unspecified
STATUS = ("UNSET", "OK", "ERROR")
MOST = 2**63  # a whole number that SQLite keeps is less; as nanoseconds, the year 2262
T = TypeVar("T")


class Malformed(TracingError, ValueError):
    """What was sent is not OTLP."""

    status = 400


@dataclass
class Sifted(Generic[T]):
    """The records of a request that can be kept, how many cannot, and why the first of these cannot."""

    records: list[T] = field(default_factory=list)
    refused: int = 0
    reason: str = ""


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


def sift(request: ExportTraceServiceRequest) -> Sifted[Span]:
    """The spans of a request without those that are malformed."""
    return sifted(_each(request))


def sifted(makers: Iterable[Callable[[], T]]) -> Sifted[T]:
    """What can be made; a maker raises `Malformed` where it cannot."""
    found = Sifted[T]()
    for make in makers:
        try:
            found.records.append(make())
        except Malformed as error:
            found.refused += 1
            found.reason = found.reason or str(error)
    return found


def _each(request: ExportTraceServiceRequest) -> Iterator[Callable[[], Span]]:
    for of_resource in request.resource_spans:
        resource = attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield partial(_span, span, resource, of_scope.scope.name)


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes of OTLP as JSON has them; bytes become hex."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def _span(span: trace_pb2.Span, resource: Attributes, scope: str) -> Span:
    return Span(
        trace_id=_id(span.trace_id, 16, "trace_id"),
        span_id=_id(span.span_id, 8, "span_id"),
        parent_id=_id(span.parent_span_id, 8, "parent_span_id") if span.parent_span_id.strip(b"\0") else "",
        name=span.name,
        kind=name_of(span.kind, KINDS),
        start=whole(span.start_time_unix_nano, "start_time_unix_nano"),
        end=whole(max(span.end_time_unix_nano, span.start_time_unix_nano), "end_time_unix_nano"),
        status=name_of(span.status.code, STATUS),
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


def name_of(number: int, names: tuple[str, ...]) -> str:
    """The name of an enum's number; of one that a later OTLP has, the first, which is the unspecified."""
    return names[number] if 0 <= number < len(names) else names[0]


def whole(number: int, name: str) -> int:
    """The number, if it can be kept.

    Raises:
        Malformed: it is too large.
    """
    if number >= MOST:
        raise Malformed(f"{name} has to be less than 2**63, and is {number}.")
    return number


def _id(value: bytes, length: int, name: str) -> str:
    if len(value) != length or not value.strip(b"\0"):
        raise Malformed(f"{name} has to be {length} bytes that are not all zero, and is {value.hex() or 'empty'}.")
    return value.hex()


def value_of(value: AnyValue) -> Any:  # noqa: ANN401 - what JSON has
    """A value as JSON has it."""
    match value.WhichOneof("value"):
        case "array_value":
            return [value_of(each) for each in value.array_value.values]
        case "kvlist_value":
            return attributes(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value.hex()
        case None:
            return None
        case kind:
            return getattr(value, kind)
