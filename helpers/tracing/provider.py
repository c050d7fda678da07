"""`tracing.setup`: OpenTelemetry's SDK, configured as at each kind of site.

    telemetry = tracing.setup("falkenried", "inventory", endpoint="http://127.0.0.1:4318")

After that every library that speaks OpenTelemetry (Strands, MCP, A2A, httpx) makes spans. They go through a spool on
disk to the receiver, without what was said, unless `content=True`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.processor.baggage import BaggageSpanProcessor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from helpers.settings import settings
from helpers.sites.classified import Given
from helpers.tracing.errors import TracedAlready
from helpers.tracing.redaction import Redaction
from helpers.tracing.spool import Spool
from helpers.tracing.strangers import KeepStrangers, LinkStrangers

SESSION = "session.id"
OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
LATEST = ("gen_ai_latest_experimental", "http")  # names as OpenTelemetry has settled them
REDACTED = "gen_ai_unredacted_attributes="  # none: Strands writes no prompt, answer or argument into a span
DELAY_MS = 1000
DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"  # a list, as OpenTelemetry's own start-up reads it


@dataclass(frozen=True)
class Telemetry:
    """What was set up."""

    provider: TracerProvider
    spool: Spool

    def flush(self, seconds: float = 10) -> bool:
        """Send what there is, and wait for that at most so long; whether all is sent."""
        return self.provider.force_flush(int(seconds * 1000)) and self.spool.flush(seconds)

    def close(self) -> None:
        """Send what can be sent soon; the rest stays on disk, and is sent when the service is started again."""
        self.provider.shutdown()


class SpoolExporter(SpanExporter):
    """Puts spans on disk, from where they are sent."""

    def __init__(self, spool: Spool, redaction: Redaction | None) -> None:
        self.spool, self.redaction = spool, redaction

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep a batch."""
        shown = [self.redaction.span(span) for span in spans] if self.redaction else spans
        kept = self.spool.put("/v1/traces", encode_spans(shown).SerializeToString())
        return SpanExportResult.SUCCESS if kept else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Send the rest, if that takes not long."""
        self.spool.close()


def setup(
    site: str,
    service: str,
    *,
    endpoint: str,
    headers: Mapping[str, str] | None = None,
    content: bool = False,
    classified: Given | None = None,
    folder: Path | None = None,
    glob: bool = True,
    **resource: str,
) -> Telemetry:
    """Make spans of this process go to `endpoint`, an OTLP/HTTP receiver.

    Args:
        site: where this runs; it becomes `service.namespace`.
        service: what this is; it becomes `service.name`.
        endpoint: the receiver's address without `/v1/traces`: a collector of the site, Phoenix, or AWS's.
        headers: to send with it, such as an authorization.
        content: also send prompts, answers and arguments. Only where the receiver may have them.
        classified: what to take out of names and paths too, as `sites` has it.
        folder: for the spool; the site's if none.
        glob: make it this process's tracer, pass the trace on as W3C has it, also with every client of httpx (those of
            A2A and of models); without, only `Telemetry.provider` has it.
        resource: more about the process, such as `cloud_region`; underscores become dots.

    Raises:
        TracedAlready: the process has a tracer, which OpenTelemetry does not let go.
    """
    if glob and isinstance(trace.get_tracer_provider(), TracerProvider):
        raise TracedAlready("This process is traced already. Set tracing up once, or use `glob=False`.")
    about: dict[str, AttributeValue] = {name.replace("_", "."): value for name, value in resource.items()}
    about |= {
        "service.namespace": site,
        "service.name": service,
        "service.instance.id": f"{site}-{service}-{os.getpid()}",
    }
    about |= OTELResourceDetector().detect().attributes  # what the environment says, as AgentCore Runtime's does
    folder = folder or settings().site_folder / "telemetry"
    spool = Spool(folder / f"{site}-{service}.sqlite", endpoint, dict(headers or {}))
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BaggageSpanProcessor(lambda key: key == SESSION))
    provider.add_span_processor(LinkStrangers())
    exporter = SpoolExporter(spool, None if content else Redaction(classified))
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=DELAY_MS))
    if glob:
        _opt_in(content)
        trace.set_tracer_provider(provider)
        if "httpx" not in os.environ.get(DISABLED, "").split(","):
            HTTPXClientInstrumentor().instrument()
        w3c = TraceContextTextMapPropagator(), W3CBaggagePropagator()
        set_global_textmap(CompositePropagator([*w3c, KeepStrangers()]))
    return Telemetry(provider, spool)


def _opt_in(content: bool) -> None:
    """Tell libraries how to name things; what is set already stays."""
    wanted = LATEST if content else (*LATEST, REDACTED)
    there = [each for each in os.environ.get(OPT_IN, "").split(",") if each]
    os.environ[OPT_IN] = ",".join([*there, *(each for each in wanted if each not in there)])
