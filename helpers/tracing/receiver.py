"""The receiver: takes what sites send by OTLP over HTTP, and keeps it in a store. It listens on loopback only.

python -m helpers.tracing.receiver --port 4318 --store traces.sqlite

with Receiver(Store(path)) as receiver:  # in this process
    exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces")
"""

import argparse
import logging
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
import uvicorn
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from helpers.inference.http import HostGuard
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK
from helpers.tracing import logs, points, spans
from helpers.tracing.errors import StoreFailed, TooMany, TooSlow, TracingError
from helpers.tracing.otlp import JSON, LIMIT, PROTOBUF, Form, media_type, status, too_large
from helpers.tracing.spans import Malformed, Sifted
from helpers.tracing.store import Store

log = logging.getLogger(__name__)

HOST, PORT = "127.0.0.1", 4318  # the port that OTLP over HTTP has everywhere
AT_ONCE = 4  # requests that are read and written at the same time
IN_LINE = 32  # requests that are here at all: what they hold in memory is bounded
READ_SECONDS = 30.0  # for a request to arrive
RETRY_AFTER = {429: "1", 503: "2"}  # seconds; exporters give up after about ten
Answerer = Callable[[Request], Awaitable[Response]]
Forward = Callable[[str, bytes], object]  # path and body of a request, in protobuf, to where it is to go as well


@dataclass(frozen=True)
class Signal:
    """What differs between traces, metrics and logs."""

    path: str
    request: type[Message]
    answer: type[Message]
    rejected: str  # in the answer's partial_success
    sift: Callable[[Any], Sifted[Any]]
    add: Callable[[Store, Any], int]


SIGNALS = (
    Signal(
        "/v1/traces",
        trace_pb2.ExportTraceServiceRequest,
        trace_pb2.ExportTraceServiceResponse,
        "rejected_spans",
        spans.sift,
        Store.add_spans,
    ),
    Signal(
        "/v1/metrics",
        metrics_pb2.ExportMetricsServiceRequest,
        metrics_pb2.ExportMetricsServiceResponse,
        "rejected_data_points",
        points.sift,
        Store.add_metrics,
    ),
    Signal(
        "/v1/logs",
        logs_pb2.ExportLogsServiceRequest,
        logs_pb2.ExportLogsServiceResponse,
        "rejected_log_records",
        logs.sift,
        Store.add_logs,
    ),
)


class Intake:
    """Takes requests, so many at a time, into a store."""

    def __init__(
        self, store: Store, at_once: int = AT_ONCE, in_line: int = IN_LINE, forward: Forward | None = None
    ) -> None:
        self.store, self.in_line, self.forward = store, in_line, forward
        self.here = 0  # requests
        self._limiter = anyio.CapacityLimiter(at_once)

    def taking(self, of: Signal) -> Answerer:
        """What answers requests that bring this signal."""

        async def take(request: Request) -> Response:
            form = Form.of(request.headers.get("content-type", ""), request.headers.get("content-encoding", ""))
            if self.here >= self.in_line:
                raise TooMany(
                    f"{self.here} requests are waiting to be written already. Send this one again in a second."
                )
            self.here += 1
            try:
                body = await _body(request)
                answer = await anyio.to_thread.run_sync(self._keep, of, form, body, limiter=self._limiter)
            finally:
                self.here -= 1
            return Response(form.encode(answer), media_type=form.content_type)

        return take

    def _keep(self, of: Signal, form: Form, body: bytes) -> Message:
        """Keep what can be kept of a request; the answer to it."""
        request = form.decode(body, of.request)
        sifted = of.sift(request)
        of.add(self.store, sifted.records)
        if self.forward:
            self.forward(of.path, request.SerializeToString())
        if not sifted.refused:
            return of.answer()
        return of.answer(partial_success={of.rejected: sifted.refused, "error_message": sifted.reason})


async def _body(request: Request) -> bytes:
    """A request's body as it was sent. What is too large is not read, or read no further.

    Raises:
        TooLarge: it is larger than a request may be when it is unpacked.
        TooSlow: it took too long to arrive.
        Malformed: it is not whole, because the client went away.
    """
    if int(request.headers.get("content-length", 0)) > LIMIT:
        raise too_large(LIMIT)
    body = bytearray()
    try:
        with anyio.fail_after(READ_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > LIMIT:
                    raise too_large(LIMIT)
    except TimeoutError as error:
        raise TooSlow(f"The request did not arrive within {READ_SECONDS:.0f} s. Send it again.") from error
    except ClientDisconnect as error:
        raise Malformed("The client went away in the middle of its request.") from error
    return bytes(body)


def application(intake: Intake, allowed: frozenset[str] = LOOPBACK) -> Starlette:
    """The ASGI application that takes requests; it answers those who ask for these hosts."""
    return Starlette(
        routes=[
            Route("/ping", _ping),
            *(Route(each.path, intake.taking(each), methods=["POST"]) for each in SIGNALS),
        ],
        middleware=[Middleware(HostGuard, allowed=allowed)],
        exception_handlers={TracingError: _explain, Exception: _explain},
    )


async def _ping(request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})


async def _explain(request: Request, error: Exception) -> Response:
    """An error as google.rpc.Status; in JSON to those who did not send protobuf."""
    if not isinstance(error, TracingError):  # whose traceback is for the log, and not for the client
        error = TracingError(f"internal error ({type(error).__name__}); the receiver's log has the details")
    elif isinstance(error, StoreFailed):
        log.warning("%s", error)
    kind = PROTOBUF if media_type(request.headers.get("content-type", "")) == PROTOBUF else JSON
    headers = {"Retry-After": RETRY_AFTER[error.status]} if error.status in RETRY_AFTER else {}
    return Response(Form(kind, False).encode(status(error)), error.status, headers, media_type=kind)


class Receiver:
    """Receives in a thread of this process, at `url`, until it is closed; `port` 0 is a free one.

    What is kept is also handed to `forward`, if there is one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, store: Store, port: int = 0, forward: Forward | None = None) -> None:
        self.store = store
        self._listener = socket.create_server((HOST, port))  # who connects before the thread serves, waits
        self.url = url_of(self._listener)
        self._server = uvicorn.Server(_config(Intake(store, forward=forward)))
        arguments = ([self._listener],)
        self._thread = threading.Thread(target=self._server.run, args=arguments, daemon=True, name="receiver")
        self._thread.start()

    def close(self) -> None:
        """Answer what is here, and end. The store can still be read."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self.store.close()

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def url_of(listener: socket.socket) -> str:
    """The address at which a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _config(intake: Intake) -> uvicorn.Config:
    return uvicorn.Config(
        application(intake),
        log_level="warning",
        access_log=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=5,
    )


def main(arguments: list[str] | None = None) -> None:
    """Receive until the process is told to end."""
    parser = argparse.ArgumentParser(prog="python -m helpers.tracing.receiver", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=PORT, help="0: a free one, which is printed (default: %(default)s)")
    parser.add_argument(
        "--store", type=Path, default=settings().cache_dir / "traces.sqlite", help="default: %(default)s"
    )
    given = parser.parse_args(arguments)
    try:
        store, listener = Store(given.store), socket.create_server((HOST, given.port))
    except StoreFailed as error:
        sys.exit(str(error))
    except (OSError, OverflowError) as error:
        sys.exit(f"Cannot listen at port {given.port}: {error}. Choose another, or --port 0 for one that is free.")
    print(f"Receiving telemetry at {url_of(listener)}, keeping it in {given.store}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again when it has shut down
    try:
        uvicorn.Server(_config(Intake(store))).run([listener])
    finally:
        store.close()


if __name__ == "__main__":
    main()
