"""`tracing.setup`: OpenTelemetry's SDK, configured as at each kind of site.

    telemetry = tracing.setup("falkenried", "inventory", endpoint="http://127.0.0.1:4318")

After that every library that speaks OpenTelemetry (Strands, MCP, A2A, httpx) makes spans and metrics, and warnings
become log records. They go through a spool on disk to the receiver, without what was said, unless `content=True`.
"""

import atexit
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.processor.baggage import BaggageSpanProcessor
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.types import AttributeValue

from helpers.settings import settings
from helpers.sites.classified import Given
from helpers.sites.trust import is_instrumented
from helpers.tracing.errors import NoEndpoint, TracedAlready
from helpers.tracing.exporters import Ended, SpoolLogs, SpoolMetrics, SpoolSpans
from helpers.tracing.redaction import MEASURED, Redaction
from helpers.tracing.spool import Spool
from helpers.tracing.strangers import KeepStrangers, LinkStrangers

SESSION = "session.id"
OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
LATEST = ("gen_ai_latest_experimental", "http")  # names as OpenTelemetry has settled them
REDACTED = "gen_ai_unredacted_attributes="  # none: Strands writes no prompt, answer or argument into a span
DELAY_MS = 1000
METRICS_MS = 2000  # between two points of a metric; OTEL_METRIC_EXPORT_INTERVAL sets another
QUEUE = 16_384  # spans that may wait to be put on disk, about 40 MB; what is made beyond them is lost, and counted
OWN = ("helpers.tracing", "opentelemetry")  # loggers whose records would be about the sending of records


@dataclass(frozen=True)
class Telemetry:
    """What was set up."""

    provider: TracerProvider
    meters: MeterProvider
    loggers: LoggerProvider
    spool: Spool
    ended: Ended
    exporter: SpoolSpans

    @property
    def lost(self) -> int:
        """Spans that found no room to wait, once all others are flushed."""
        return self.ended.spans - self.exporter.spans

    def flush(self, seconds: float = 10) -> bool:
        """Send what there is, and wait for that at most so long; whether all is sent."""
        made = [each.force_flush(int(seconds * 1000)) for each in (self.provider, self.meters, self.loggers)]
        return all(made) and self.spool.flush(seconds)

    def close(self) -> None:
        """Send what can be sent soon; the rest stays on disk, and is sent when the service is started again."""
        atexit.unregister(self.close)
        for each in (self.provider, self.meters, self.loggers):
            each.shutdown()
        self.spool.close()


def setup(
    site: str,
    service: str,
    *,
    endpoint: str | None = None,
    headers: Mapping[str, str] | None = None,
    content: bool = False,
    classified: Given | None = None,
    folder: Path | None = None,
    glob: bool = True,
    **resource: str,
) -> Telemetry:
    """Make spans, metrics and warnings of this process go to `endpoint`, an OTLP/HTTP receiver.

    Args:
        site: where this runs; it becomes `service.namespace`.
        service: what this is; it becomes `service.name`.
        endpoint: the receiver's address without `/v1/traces`: a collector of the site, Phoenix, or AWS's; the one of
            the settings (`WORKSHOP_TELEMETRY_URL`) if none.
        headers: to send with it, such as an authorization.
        content: also send prompts, answers, arguments and the words of warnings. Only where the receiver may have them.
        classified: what to take out of names and paths too, as `sites` has it.
        folder: for the spool; the site's if none.
        glob: make it this process's telemetry, pass the trace on as OTEL_PROPAGATORS says (W3C's if it says nothing),
            also with every client of httpx (those of A2A and of models); without, only what is returned has it.
        resource: more about the process, such as `cloud_region`; underscores become dots.

    Raises:
        NoEndpoint: none is given, and the settings have none.
        TracedAlready: the process has a tracer, which OpenTelemetry does not let go.
    """
    if glob and isinstance(trace.get_tracer_provider(), TracerProvider):
        raise TracedAlready("This process is traced already. Set tracing up once, or use `glob=False`.")
    if not (endpoint := endpoint or settings().telemetry_url):
        raise NoEndpoint("Say where telemetry goes: `endpoint=`, or WORKSHOP_TELEMETRY_URL, an OTLP/HTTP receiver.")
    folder = folder or settings().site_folder / "telemetry"
    spool = Spool(folder / f"{site}-{service}.sqlite", endpoint, dict(headers or {}))
    made = _made(_about(site, service, resource), spool, None if content else Redaction(classified))
    atexit.register(made.close)
    if glob:
        _everywhere(made, content)
    return made


def _about(site: str, service: str, resource: Mapping[str, str]) -> Resource:
    about: dict[str, AttributeValue] = {name.replace("_", "."): value for name, value in resource.items()}
    about |= {
        "service.namespace": site,
        "service.name": service,
        "service.instance.id": f"{site}-{service}-{os.getpid()}",
    }
    about |= OTELResourceDetector().detect().attributes  # what the environment says, as AgentCore Runtime's does
    return Resource.create(about)


def _made(about: Resource, spool: Spool, redaction: Redaction | None) -> Telemetry:
    """The SDK's three providers, which all write into the spool."""
    # At exit they end in the order that `Telemetry.close` has, for the spool has to be the last.
    provider = TracerProvider(resource=about, shutdown_on_exit=False)
    ended, exporter = Ended(), SpoolSpans(spool, redaction)
    batches = BatchSpanProcessor(exporter, schedule_delay_millis=DELAY_MS, max_queue_size=QUEUE)
    for processor in (BaggageSpanProcessor(lambda key: key == SESSION), LinkStrangers(), ended, batches):
        provider.add_span_processor(processor)
    interval = None if "OTEL_METRIC_EXPORT_INTERVAL" in os.environ else METRICS_MS
    reader = PeriodicExportingMetricReader(SpoolMetrics(spool), export_interval_millis=interval)
    # Strands gives each point the id of its call: texts that tell nothing, and a row of memory for each of them.
    named = View(instrument_name="*", attribute_keys=set(MEASURED))
    meters = MeterProvider([reader], about, shutdown_on_exit=False, views=[named])
    loggers = LoggerProvider(about, shutdown_on_exit=False)
    logs = BatchLogRecordProcessor(SpoolLogs(spool, redaction), schedule_delay_millis=DELAY_MS)
    loggers.add_log_record_processor(logs)
    return Telemetry(provider, meters, loggers, spool, ended, exporter)


def _everywhere(made: Telemetry, content: bool) -> None:
    """Make it this process's, for every library in it."""
    _opt_in(content)
    trace.set_tracer_provider(made.provider)
    metrics.set_meter_provider(made.meters)
    _take_warnings(made.loggers)
    if is_instrumented("httpx"):
        HTTPXClientInstrumentor().instrument()
    set_global_textmap(CompositePropagator([get_global_textmap(), KeepStrangers()]))


def _take_warnings(loggers: LoggerProvider) -> None:
    """Send them too; where nobody has said what becomes of them, they are still printed."""
    root = logging.getLogger()
    if not root.handlers and logging.lastResort:
        root.addHandler(logging.lastResort)
    handler = LoggingHandler(logging.WARNING, loggers, log_code_attributes=True)
    handler.addFilter(lambda record: not record.name.startswith(OWN))
    root.addHandler(handler)


def _opt_in(content: bool) -> None:
    """Tell libraries how to name things; what is set already stays."""
    wanted = LATEST if content else (*LATEST, REDACTED)
    there = [each for each in os.environ.get(OPT_IN, "").split(",") if each]
    os.environ[OPT_IN] = ",".join([*there, *(each for each in wanted if each not in there)])
