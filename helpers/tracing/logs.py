"""A log record as it is stored, and how it is read from OTLP."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1 import logs_pb2

from helpers.tracing.spans import Attributes, Sifted, attributes, sifted, value_of, whole

SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")  # of four numbers each, from 1


@dataclass(frozen=True)
class Log:
    """One record. The time is nanoseconds since 1970, by the clock of the site where it was written."""

    time: int
    body: Any = None  # mostly a text
    severity: str = ""  # as its author calls it, or of SEVERITIES
    trace_id: str = ""  # empty: written outside of any span
    span_id: str = ""
    event: str = ""  # event_name
    service: str = ""  # service.name
    site: str = ""  # service.namespace
    scope: str = ""  # the logger
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)


def sift(request: ExportLogsServiceRequest) -> Sifted[Log]:
    """The records of a request without those that are malformed: whose time is after 2262."""
    return sifted(_each(request))


def _each(request: ExportLogsServiceRequest) -> Iterator[Callable[[], Log]]:
    for of_resource in request.resource_logs:
        resource = attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_logs:
            for record in of_scope.log_records:
                yield partial(_log, record, resource, of_scope.scope.name)


def _log(record: logs_pb2.LogRecord, resource: Attributes, scope: str) -> Log:
    return Log(
        time=whole(record.time_unix_nano or record.observed_time_unix_nano, "time_unix_nano"),
        body=value_of(record.body),
        severity=record.severity_text or _severity(record.severity_number),
        trace_id=_id(record.trace_id, 16),
        span_id=_id(record.span_id, 8),
        event=record.event_name,
        service=str(resource.get("service.name", "")),
        site=str(resource.get("service.namespace", "")),
        scope=scope,
        attributes=attributes(record.attributes),
        resource=resource,
    )


def _severity(number: int) -> str:
    return SEVERITIES[(number - 1) // 4] if 0 < number <= 4 * len(SEVERITIES) else ""


def _id(value: bytes, length: int) -> str:
    """An id that is none counts as absent: what was written is worth keeping without its span."""
    return value.hex() if len(value) == length and value.strip(b"\0") else ""
