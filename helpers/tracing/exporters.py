"""Spans, metrics and log records on their way to the spool: read by `redaction`, and written as OTLP has them."""

import threading
from collections.abc import Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk import metrics
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from helpers.tracing.redaction import Redaction
from helpers.tracing.spool import Spool

# Each point tells of its own interval: nothing is sent when nothing was done, and what was spooled adds up.
DELTA: dict[type, AggregationTemporality] = dict.fromkeys(
    (metrics.Counter, metrics.UpDownCounter, metrics.Histogram, metrics.ObservableCounter),
    AggregationTemporality.DELTA,
)


class Ended(SpanProcessor):
    """Counts the spans that have ended, so that those can be told that found no room in the queue."""

    def __init__(self) -> None:
        self.spans = 0
        self._lock = threading.Lock()  # spans end in many threads

    def on_end(self, span: ReadableSpan) -> None:
        """Count it, if it is sampled: others are not sent."""
        if span.context and span.context.trace_flags.sampled:
            with self._lock:
                self.spans += 1


class SpoolSpans(SpanExporter):
    """Puts spans on disk, from where they are sent."""

    def __init__(self, spool: Spool, redaction: Redaction | None) -> None:
        self.spool, self.redaction = spool, redaction
        self.spans = 0  # so many came here

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep a batch."""
        self.spans += len(spans)
        shown = [self.redaction.span(span) for span in spans] if self.redaction else spans
        kept = self.spool.put("/v1/traces", encode_spans(shown).SerializeToString())
        return SpanExportResult.SUCCESS if kept else SpanExportResult.FAILURE


class SpoolLogs(LogRecordExporter):
    """Does so with log records."""

    def __init__(self, spool: Spool, redaction: Redaction | None) -> None:
        self.spool, self.redaction = spool, redaction

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Keep a batch."""
        shown = [self.redaction.log(record) for record in batch] if self.redaction else batch
        kept = self.spool.put("/v1/logs", encode_logs(shown).SerializeToString())
        return LogRecordExportResult.SUCCESS if kept else LogRecordExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back here."""
        return True

    def shutdown(self) -> None:
        """Nothing: the spool is closed by who made it."""


class SpoolMetrics(MetricExporter):
    """Does so with metrics, whose attributes the provider's view has chosen."""

    def __init__(self, spool: Spool) -> None:
        super().__init__(preferred_temporality=DELTA)
        self.spool = spool

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:  # noqa: ANN401 - the SDK's
        """Keep what was measured in an interval."""
        kept = self.spool.put("/v1/metrics", encode_metrics(metrics_data).SerializeToString())
        return MetricExportResult.SUCCESS if kept else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held back here."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:  # noqa: ANN401 - the SDK's
        """Nothing: the spool is closed by who made it."""
