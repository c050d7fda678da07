"""A receiver of OTLP for tests of what senders do: it keeps all in lists, and answers as it is told."""

import contextlib
import threading

import anyio
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from helpers.tracing import logs, points, spans
from tests.region.gateway.upstreams import served


class Receiver:
    """Keeps what it was sent; answers with `status`, and not before it may."""

    def __init__(self):
        self.spans, self.points, self.logs, self.bodies, self.status, self.asked = [], [], [], [], 200, 0
        self.answer, self.headers = b"", {}
        self.may_answer = threading.Event()
        self.may_answer.set()
        kept = [
            (self.spans, spans.sift, ExportTraceServiceRequest, "traces"),
            (self.points, points.sift, ExportMetricsServiceRequest, "metrics"),
            (self.logs, logs.sift, ExportLogsServiceRequest, "logs"),
        ]
        self.app = Starlette(routes=[Route(f"/v1/{name}", self.taking(*how), methods=["POST"]) for *how, name in kept])

    def taking(self, records, sift, request_type):
        async def answer(request):
            body = await request.body()
            self.asked += 1
            await anyio.to_thread.run_sync(self.may_answer.wait, abandon_on_cancel=True)
            if self.status == 200:
                self.bodies.append(body)
                records.extend(sift(request_type.FromString(body)).records)
            return Response(self.answer, self.status, self.headers)

        return answer

    @property
    def names(self):
        return [span.name for span in self.spans]


@contextlib.contextmanager
def receiving():
    """A receiver on loopback, at its `url`."""
    made = Receiver()
    with served(made.app) as url:
        made.url = url
        yield made
