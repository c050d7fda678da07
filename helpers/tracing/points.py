"""A point of a metric as it is stored, and how it is read from OTLP."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2

from helpers.tracing.spans import Attributes, Sifted, attributes, name_of, sifted, whole

TEMPORALITY = ("", "DELTA", "CUMULATIVE")  # by number in OTLP


@dataclass(frozen=True)
class Point:
    """One point of a metric. Times are nanoseconds since 1970, by the clock of the site where it was measured.

    A gauge or a sum has a value; a histogram has a count, a sum, and `counts[i]` values up to `bounds[i]`, the last
    without a bound. Of exponential histograms and summaries, count and sum are kept.
    """

    name: str
    kind: str  # gauge, sum, histogram, exponential_histogram, summary
    time: int
    start: int = 0  # since when a sum or histogram counts
    unit: str = ""
    temporality: str = ""  # of TEMPORALITY: whether it counts since the last point, or since the start
    value: float | None = None
    count: int | None = None
    sum: float | None = None
    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    service: str = ""  # service.name
    site: str = ""  # service.namespace
    scope: str = ""  # the instrumentation that measured it
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)


def sift(request: ExportMetricsServiceRequest) -> Sifted[Point]:
    """The points of a request without those that are malformed: a time is after 2262, or a count is too large."""
    return sifted(_each(request))


def _each(request: ExportMetricsServiceRequest) -> Iterator[Callable[[], Point]]:
    for of_resource in request.resource_metrics:
        resource = attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_metrics:
            for metric in of_scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points if kind else ():
                    yield partial(_point, metric, kind or "", point, resource, of_scope.scope.name)


def _point(metric: metrics_pb2.Metric, kind: str, point: Any, resource: Attributes, scope: str) -> Point:  # noqa: ANN401 - one of five
    return Point(
        name=metric.name,
        kind=kind,
        time=whole(point.time_unix_nano, "time_unix_nano"),
        start=whole(point.start_time_unix_nano, "start_time_unix_nano"),
        unit=metric.unit,
        temporality=name_of(getattr(getattr(metric, kind), "aggregation_temporality", 0), TEMPORALITY),
        service=str(resource.get("service.name", "")),
        site=str(resource.get("service.namespace", "")),
        scope=scope,
        attributes=attributes(point.attributes),
        resource=resource,
        **_measured(kind, point),
    )


def _measured(kind: str, point: Any) -> dict[str, Any]:  # noqa: ANN401 - one of five
    if kind in ("gauge", "sum"):
        value = point.WhichOneof("value")
        return {"value": getattr(point, value) if value else None}
    count, total = whole(point.count, "count"), point.sum
    if kind == "histogram":
        return {
            "count": count,
            "sum": total,
            "bounds": tuple(point.explicit_bounds),
            "counts": tuple(point.bucket_counts),
        }
    return {"count": count, "sum": total}
