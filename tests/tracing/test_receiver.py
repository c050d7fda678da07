"""The receiver, asked by the SDK's own exporters and by those who mean it no good."""

import gzip
import json
import logging
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import anyio
import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from tenacity import retry, retry_if_result, wait_fixed

from helpers.tracing import receiver as module
from helpers.tracing.otlp import JSON, LIMIT, PROTOBUF
from helpers.tracing.receiver import Intake, Receiver, application
from helpers.tracing.store import Store
from tests.tracing.made import NOW, as_json, ids, request, rich_request, trace_id
from tests.waiting import end, until

RESOURCE = Resource.create({"service.name": "pharmacy", "service.namespace": "campus-a"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces.sqlite"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Receiver(Store(tmp_path_factory.mktemp("store") / "traces.sqlite", wait=0.05)) as made:
        yield made


@pytest.fixture
def receiver(running):
    """One whose store is empty."""
    running.store.close()
    running.store.path.unlink()
    Store(running.store.path).close()
    return running


@pytest.fixture
def client(receiver):
    with httpx.Client(base_url=receiver.url, timeout=20) as made:
        yield made


@pytest.fixture
def started(path):
    """Starts receivers in processes of their own; each with its address."""
    running = []

    def start(*more):
        command = [sys.executable, "-m", "helpers.tracing.receiver", "--port", "0", "--store", str(path), *more]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process, process.stdout.readline().split(" at ")[1].split(",")[0]

    yield start
    end(*running)


def send(client, body, signal="traces", kind=PROTOBUF, **headers):
    return client.post(f"/v1/{signal}", content=body, headers={"Content-Type": kind, **headers})


def tracer(url, **given):
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", **given)))
    return provider.get_tracer("made")


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_spans_of_the_sdk_are_kept(receiver, compression):
    traced = tracer(receiver.url, compression=compression)
    with traced.start_as_current_span("visit", attributes={"session.id": "s"}), traced.start_as_current_span("ask"):
        pass
    (told,) = receiver.store.traces(session="s")
    assert (told.spans, told.roots, told.orphans, told.sites, told.services) == (
        2, 1, 0, ("campus-a",), ("pharmacy",)
    )  # fmt: skip
    root, inner = receiver.store.trace(told.trace_id)
    assert (root.name, inner.name, inner.parent_id, inner.scope) == ("visit", "ask", root.span_id, "made")


def test_metrics_of_the_sdk_are_kept(receiver):
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{receiver.url}/v1/metrics"), float("inf"))
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    provider.get_meter("made").create_counter("calls", "1").add(3, {"tool": "stock"})
    provider.get_meter("made").create_histogram("wait", "s").record(0.2)
    assert provider.force_flush()
    provider.shutdown()
    (calls,), (wait,) = receiver.store.metrics("calls"), receiver.store.metrics("wait")
    assert (calls.kind, calls.value, calls.attributes, calls.site) == ("sum", 3, {"tool": "stock"}, "campus-a")
    assert (wait.kind, wait.count, wait.sum, wait.unit, sum(wait.counts)) == ("histogram", 1, 0.2, "s", 1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_log_records_of_the_sdk_are_kept_with_their_span(receiver):
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{receiver.url}/v1/logs")))
    logger = logging.Logger("made")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    with tracer(receiver.url).start_as_current_span("visit"):
        logger.warning("no %s", "stock")
    provider.shutdown()
    (span,) = receiver.store.trace(receiver.store.traces()[0].trace_id)
    (record,) = receiver.store.logs(span.trace_id)
    assert (record.body, record.severity, record.span_id) == ("no stock", "WARN", span.span_id)
    assert (record.service, record.site) == ("pharmacy", "campus-a")


def test_protobuf_and_json_packed_or_not_give_the_same_stored_span_once(client, receiver):
    made = rich_request()
    for kind, body in ((PROTOBUF, made.SerializeToString()), (JSON, as_json(made))):
        for sent, encoding in ((body, "identity"), (gzip.compress(body), "gzip")):
            answer = send(client, sent, kind=kind, **{"Content-Encoding": encoding})
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
            assert answer.content == (b"{}" if kind == JSON else b"")
            (span,) = receiver.store.trace(trace_id(0xFE))
            receiver.store.path.unlink()
    assert send(client, body, kind=JSON).status_code == send(client, body, kind=JSON).status_code == 200
    assert receiver.store.trace(trace_id(0xFE)) == [span]


def test_the_good_spans_of_a_request_are_kept_and_the_others_counted(client, receiver):
    made = request(1, 0, 2, 0)
    answer = ExportTraceServiceResponse.FromString(send(client, made.SerializeToString()).content).partial_success
    assert answer.rejected_spans == 2 and "span_id has to be 8 bytes" in answer.error_message
    told = send(client, as_json(made), kind=JSON).json()
    assert told == {"partialSuccess": {"rejectedSpans": "2", "errorMessage": answer.error_message}}
    assert ids(receiver.store.trace(trace_id())) == [1, 2]


def test_points_and_log_records_that_cannot_be_kept_are_counted(client):
    made = ExportMetricsServiceRequest()
    metric = made.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(time_unix_nano=2**63)
    told = send(client, as_json(made), "metrics", JSON).json()
    assert told["partialSuccess"]["rejectedDataPoints"] == "1"
    late = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": str(2**63)}]}]}]}
    told = send(client, json.dumps(late), "logs", JSON).json()
    assert told["partialSuccess"]["rejectedLogRecords"] == "1"


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
def test_what_is_malformed_is_told_in_the_type_of_the_request(client, receiver, signal):
    answer = send(client, b"\xff", signal)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROTOBUF)
    assert "in protobuf" in Status.FromString(answer.content).message
    answer = send(client, b"{", signal, JSON)
    assert (answer.status_code, answer.headers["Content-Type"], answer.json()["code"]) == (400, JSON, 3)
    answer = send(client, b"no gzip", signal, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400 and "gzip" in Status.FromString(answer.content).message
    assert receiver.store.traces() == []


def test_another_type_or_encoding_is_refused_with_what_is_taken(client):
    answer = send(client, b"", kind="text/plain")
    assert answer.status_code == 415 and f"{PROTOBUF} or {JSON}" in answer.json()["message"]
    answer = send(client, b"", kind=JSON, **{"Content-Encoding": "deflate"})
    assert answer.status_code == 415 and "gzip" in answer.json()["message"]


def test_a_body_of_100_mb_is_refused_whether_or_not_its_size_is_told(client):
    told = {"Content-Length": str(100 * 2**20)}
    for headers in ({}, told):
        answer = send(client, (bytes(2**20) for _ in range(100)), **headers)
        assert answer.status_code == 413 and "smaller batches" in Status.FromString(answer.content).message
    assert client.get("/ping").json() == {"status": "Healthy"}


def asked(app, *pieces, **headers):
    """The status of what an application answers to a request in pieces, and how many bytes of them it read."""
    read = 0
    sent = []
    left = iter(pieces)

    async def receive():
        nonlocal read
        piece = next(left, b"")
        read += len(piece)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message):
        sent.append(message)

    fields = {"host": "localhost", "content_type": PROTOBUF, **headers}
    scope = {
        "type": "http", "method": "POST", "path": "/v1/traces", "query_string": b"", "scheme": "http",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()],
    }  # fmt: skip
    anyio.run(app, scope, receive, send)
    return sent[0]["status"], read


def test_what_is_too_large_or_of_another_type_is_not_read_to_its_end(path):
    app, piece = application(Intake(Store(path))), bytes(2**20)
    assert asked(app, *[piece] * 100) == (413, LIMIT + 2**20)
    assert asked(app, *[piece] * 100, content_length=str(100 * 2**20)) == (413, 0)
    assert asked(app, *[piece] * 100, content_type="text/plain") == (415, 0)


def test_a_bomb_is_refused(client):
    answer = send(client, gzip.compress(bytes(LIMIT)) * 64, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(path, monkeypatch):
    monkeypatch.setattr(module, "READ_SECONDS", 0.05)
    with Receiver(Store(path)) as receiver, socket.create_connection(receiver._listener.getsockname()) as slow:
        slow.sendall(f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n".encode())
        slow.sendall(b"Content-Length: 9\r\n\r\n{")
        assert slow.recv(99).startswith(b"HTTP/1.1 408")


def test_a_client_that_goes_away_costs_nothing(path, caplog):
    with Receiver(Store(path)) as receiver, httpx.Client(base_url=receiver.url) as client:
        for _ in range(5):
            with socket.create_connection(receiver._listener.getsockname()) as gone:
                gone.sendall(f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n".encode())
                gone.sendall(b"Content-Length: 9\r\n\r\n{")
        assert send(client, request(1).SerializeToString()).status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_foreign_host_or_origin_is_refused(client, receiver, header):
    assert send(client, request(1).SerializeToString(), **header).status_code == 403
    assert client.get("/v1/traces", headers=header).status_code == 403
    assert receiver.store.traces() == []


def test_only_posts_to_the_three_signals_are_answered(client):
    assert client.get("/v1/traces").status_code == 405
    assert send(client, b"", "profiles").status_code == 404


def test_while_the_store_cannot_be_written_exporters_are_told_to_come_again(client, receiver):
    body = request(1).SerializeToString()
    with closing(sqlite3.connect(receiver.store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        answer = send(client, body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Another process is writing" in Status.FromString(answer.content).message
    assert send(client, body).status_code == 200 and ids(receiver.store.trace(trace_id())) == [1]


def test_what_goes_wrong_otherwise_is_told_without_its_traceback(path, monkeypatch):
    store = Store(path)
    monkeypatch.setattr(store, "_add", lambda *_: 1 / 0)
    with Receiver(store) as receiver:
        answer = httpx.post(f"{receiver.url}/v1/traces", content=b"{}", headers={"Content-Type": JSON})
    assert answer.status_code == 500
    assert answer.json()["message"] == "internal error (ZeroDivisionError); the receiver's log has the details"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process is given limits on Linux only")
def test_nothing_is_lost_when_the_exporter_retries_after_a_full_disk_is_repaired(started, path, caplog):
    process, url = started()
    with httpx.Client(base_url=url) as client:
        assert send(client, request(1).SerializeToString()).status_code == 200
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        answer = send(client, request(2).SerializeToString())
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert "cannot be used" in Status.FromString(answer.content).message

    def repaired():
        until(lambda: "Transient error" in caplog.text)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)

    with ThreadPoolExecutor() as pool:
        repairing = pool.submit(repaired)
        with tracer(url).start_as_current_span("kept"):
            pass
        repairing.result()
    assert [each.services for each in Store(path).traces()] == [("pharmacy",)] * 2
    assert Store(path).table(name="kept").shape[0] == 1


def test_many_exporters_at_once_lose_nothing(receiver):
    again = retry(retry=retry_if_result(lambda answer: answer.status_code == 503), wait=wait_fixed(0.1))

    def work(number):
        with httpx.Client(base_url=receiver.url) as client:
            return [  # those that come while others write for long are sent again, as exporters do
                again(send)(client, request(*range(first, first + 20), trace=number).SerializeToString()).status_code
                for first in range(1, 201, 20)
            ]

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(work, range(1, 9)))
    assert statuses == [[200] * 10] * 8
    assert [each.spans for each in receiver.store.traces()] == [200] * 8


def test_a_flood_is_held_back_and_told_to_come_again(path, monkeypatch):
    store, going, busy = Store(path), threading.Event(), []
    add = store._add

    def slow(*given):
        busy.append(given)
        assert going.wait(20)
        return add(*given)

    monkeypatch.setattr(store, "_add", slow)
    intake = Intake(store, at_once=2, in_line=5)
    monkeypatch.setattr(module, "Intake", lambda *_, **__: intake)
    with Receiver(store) as receiver, ThreadPoolExecutor(5) as pool:

        def work(number):
            with httpx.Client(base_url=receiver.url, timeout=20) as client:
                return send(client, request(number).SerializeToString())

        waiting = [pool.submit(work, number) for number in range(1, 6)]
        until(lambda: intake.here == 5 and len(busy) == 2)
        refused = work(6)
        assert (refused.status_code, refused.headers["Retry-After"], len(busy)) == (429, "1", 2)
        assert httpx.get(f"{receiver.url}/ping").status_code == 200
        going.set()
        assert [each.result().status_code for each in waiting] == [200] * 5
        assert work(6).status_code == 200
    assert sorted(ids(store.trace(trace_id()))) == [1, 2, 3, 4, 5, 6] and intake.here == 0


def test_a_receiver_started_again_finds_what_was_kept_and_ends_when_told(started, path):
    for number in (1, 2):
        process, url = started()
        assert httpx.get(f"{url}/ping").json() == {"status": "Healthy"}
        with httpx.Client(base_url=url) as client:
            send(client, request(number).SerializeToString())
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0 and process.stderr.read() == ""
        assert ids(Store(path).trace(trace_id())) == list(range(1, number + 1))


def test_a_receiver_killed_while_it_writes_leaves_all_that_it_acknowledged(started, path):
    process, url = started()
    acknowledged = []

    def work(number):
        with httpx.Client(base_url=url) as client:
            for first in range(1, 10**6, 50):
                try:
                    answer = send(client, request(*range(first, first + 50), trace=number).SerializeToString())
                except httpx.TransportError:
                    return
                acknowledged.extend([number] * 50 if answer.status_code == 200 else [])

    with ThreadPoolExecutor(3) as pool:
        working = [pool.submit(work, number) for number in (1, 2, 3)]
        until(lambda: len(acknowledged) > 500)
        process.kill()
        for each in working:
            each.result()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    for number in (1, 2, 3):
        kept = len(Store(path).trace(trace_id(number)))
        assert kept - acknowledged.count(number) in (0, 50), "a batch is there whole or not at all"


def test_a_port_that_is_taken_or_a_store_that_is_none_is_told_with_the_remedy(path, receiver):
    port = str(receiver._listener.getsockname()[1])
    for arguments, remedy in (
        (["--port", port, "--store", str(path)], "--port 0"),
        (["--port", "99999", "--store", str(path)], "--port 0"),
        (["--store", str(path.parent)], "cannot be used"),
    ):
        with pytest.raises(SystemExit, match=remedy):
            module.main(arguments)


def test_it_listens_on_loopback_only(receiver):
    assert receiver.url.startswith("http://127.0.0.1:")
    assert receiver._listener.getsockname()[0] == "127.0.0.1"


def test_it_can_be_closed_at_once_and_twice_and_its_store_still_be_read(path):
    receiver = Receiver(Store(path))
    receiver.close()
    receiver.close()
    assert not receiver._thread.is_alive() and receiver.store.traces() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{receiver.url}/ping")


def test_times_are_kept_to_the_nanosecond(client, receiver):
    send(client, request(7).SerializeToString())
    assert [span.start for span in receiver.store.trace(trace_id())] == [NOW + 7]
