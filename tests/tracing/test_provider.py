"""Spans on their way out: what leaves a site, and that nothing is lost or delayed when the receiver is not there."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from opentelemetry import baggage, context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import Status, StatusCode

from helpers.settings import Settings
from helpers.tracing import provider, spans
from helpers.tracing.errors import NoEndpoint
from helpers.tracing.provider import setup
from tests.ports import kept_port
from tests.region.gateway.upstreams import served
from tests.waiting import until


def span(telemetry, name="work", **attributes):
    with telemetry.provider.get_tracer("t").start_as_current_span(name, attributes=attributes):
        pass


SECRET = "P-1001 has a fever"
SPOKEN = {
    "gen_ai.input.messages": SECRET,
    "gen_ai.tool.call.arguments": SECRET,
    "gen_ai.prompt": SECRET,
    "db.query.text": SECRET,
    "new.library.text": SECRET,
    "new.library.texts": (SECRET,),
    "url.full": f"http://127.0.0.1/a?q={SECRET}",
}
NAMED = {"gen_ai.tool.name": "stock", "gen_ai.usage.input_tokens": 7, "cached": True, "rpc.system": "jsonrpc"}


def test_names_and_numbers_leave_the_site_and_what_was_said_does_not(telemetry, receiver):
    with served(receiver.app) as url:
        traced = telemetry(url)
        tracer = traced.provider.get_tracer("t")
        with tracer.start_as_current_span("chat", attributes=SPOKEN | NAMED) as open_span:
            open_span.add_event("gen_ai.user.message", {"content": SECRET})
            open_span.add_event("approval.asked", {"workshop.tool": "discard", "message": SECRET})
            open_span.record_exception(ValueError(SECRET))
            open_span.set_status(Status(StatusCode.ERROR, SECRET))
        assert traced.flush()
    (found,) = receiver.spans
    assert {key: found.attributes[key] for key in NAMED} == NAMED
    assert set(found.attributes) == {*NAMED, "url.full"} and found.attributes["url.full"] == "http://127.0.0.1/a"
    assert [each["name"] for each in found.events] == ["approval.asked", "exception"]
    assert found.events[1]["attributes"] == {"exception.type": "ValueError"}
    assert found.status == "ERROR" and SECRET.encode() not in b"".join(receiver.bodies)


def test_who_asks_for_it_gets_what_was_said(telemetry, receiver):
    with served(receiver.app) as url:
        traced = telemetry(url, content=True)
        span(traced, **SPOKEN)
        assert traced.flush()
    assert receiver.spans[0].attributes["gen_ai.input.messages"] == SECRET


def test_classified_values_are_taken_out_of_names_and_paths_too(telemetry, receiver):
    with served(receiver.app) as url:
        traced = telemetry(url, classified={"patient": ["P-1001"]})
        span(traced, "GET /patients/P-1001", **{"url.path": "/patients/P-1001"})
        assert traced.flush()
    assert receiver.names == ["GET /patients/[patient]"] and b"P-1001" not in receiver.bodies[0]


def test_of_a_path_the_words_leave_and_what_may_be_an_id_does_not(telemetry, receiver):
    names = {
        "GET /records/P-1001": "GET /records/*",
        "POST /runtimes/arn%3Aaws/invocations": "POST /runtimes/*/invocations",
        "POST /v1/traces": "POST /v1/traces",
        "chat qwen/qwen3-4b": "chat qwen/qwen3-4b",
    }
    path = {"url.full": "http://127.0.0.1:8000/records/P-1001", "workshop.note": SECRET}
    with served(receiver.app) as url:
        traced = telemetry(url)
        for name in names:
            span(traced, name, **path)
        assert traced.flush()
    assert receiver.names == list(names.values())
    assert receiver.spans[0].attributes == {"url.full": "http://127.0.0.1:8000/records/*"}


def test_a_span_tells_its_site_and_service_and_the_session_that_it_belongs_to(telemetry, receiver):
    with served(receiver.app) as url:
        traced = telemetry(url, cloud_region="us-west-2")
        token = context.attach(baggage.set_baggage("password", "x", baggage.set_baggage("session.id", "s-1")))
        span(traced)
        context.detach(token)
        assert traced.flush()
    (found,) = receiver.spans
    assert (found.site, found.service, found.attributes) == ("falkenried", "inventory", {"session.id": "s-1"})
    assert found.resource["cloud.region"] == "us-west-2"


def test_spans_made_while_the_receiver_is_away_arrive_when_it_is_back(telemetry, receiver):
    port = kept_port()
    traced = telemetry(f"http://127.0.0.1:{port}")
    span(traced, "first")
    traced.provider.force_flush()
    assert not traced.spool.flush(0.2) and len(traced.spool) == 1
    span(traced, "second")
    with served(receiver.app, port):
        assert traced.flush(30)
    assert receiver.names == ["first", "second"] and len(traced.spool) == 0


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_has_no_time_is_sent_it_again(telemetry, receiver, status):
    receiver.status = status
    with served(receiver.app) as url:
        traced = telemetry(url)
        span(traced)
        traced.provider.force_flush()
        until(lambda: receiver.asked >= 2)
        assert receiver.spans == [] and traced.spool.dropped == 0
        receiver.status = 200
        assert traced.flush(30)
    assert receiver.names == ["work"]


def test_what_the_receiver_refuses_is_dropped_and_counted_and_what_comes_after_it_arrives(telemetry, receiver):
    receiver.status = 400
    with served(receiver.app) as url:
        traced = telemetry(url)
        span(traced, "refused")
        assert traced.flush()
        receiver.status = 200
        span(traced, "taken")
        assert traced.flush()
    assert receiver.names == ["taken"] and traced.spool.dropped == 1


def test_spans_that_a_process_left_are_sent_by_the_next(telemetry, receiver, tmp_path):
    port = kept_port()
    code = (
        "import os, sys; from pathlib import Path; from helpers.tracing.provider import setup\n"
        "made = setup('falkenried', 'inventory', endpoint=sys.argv[1], folder=Path(sys.argv[2]))\n"
        "with made.provider.get_tracer('t').start_as_current_span('left'): pass\n"
        "made.provider.force_flush(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, f"http://127.0.0.1:{port}", tmp_path], check=False, timeout=60)
    with served(receiver.app, port) as url:
        assert telemetry(url).spool.flush(30)
    assert receiver.names == ["left"]


def test_tracing_is_set_up_once_and_strands_is_told_to_keep_words_back(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from helpers.tracing.provider import setup\n"
        "os.environ['OTEL_SEMCONV_STABILITY_OPT_IN'] = 'http'\n"
        "made = setup('a', 'b', endpoint='http://127.0.0.1:9', folder=Path(sys.argv[1]))\n"
        "from strands.telemetry.tracer import get_tracer; tracer = get_tracer()\n"
        "assert tracer._redaction_enabled and tracer.use_latest_genai_conventions\n"
        "assert os.environ['OTEL_SEMCONV_STABILITY_OPT_IN'].startswith('http,')\n"
        "try: setup('a', 'c', endpoint='http://127.0.0.1:9', folder=Path(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
        "made.close()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=60, env=dict(os.environ)
    )
    assert "Set tracing up once" in run.stdout, run.stderr


def test_spans_that_find_no_room_to_wait_are_counted(telemetry, receiver, monkeypatch):
    monkeypatch.setattr(provider, "QUEUE", 1000)
    with served(receiver.app) as url:
        traced = telemetry(url)
        for _ in range(20_000):
            span(traced)
        assert traced.flush(60)
    assert traced.lost > 0 and len(receiver.spans) + traced.lost == 20_000


def test_a_receiver_that_never_answers_delays_nobody_and_what_it_did_not_take_stays(telemetry):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        traced = telemetry(f"http://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(5000):
            span(traced)
        traced.close()
        bodies = [ExportTraceServiceRequest.FromString(body) for body in batches(traced.spool)]
        assert sum(len(spans.sift(body).records) for body in bodies) == 5000 and traced.lost == 0


def batches(spool):
    with closing(sqlite3.connect(spool.path)) as database:
        return [body for (body,) in database.execute("select body from batches")]


def test_where_telemetry_goes_has_to_be_said(monkeypatch, tmp_path, receiver):
    with pytest.raises(NoEndpoint, match="WORKSHOP_TELEMETRY_URL"):
        setup("falkenried", "inventory", folder=tmp_path, glob=False)
    monkeypatch.setattr(provider, "settings", lambda: Settings(telemetry_url="http://127.0.0.1:9"))
    made = setup("falkenried", "inventory", folder=tmp_path, glob=False)
    made.close()
    assert made.spool.endpoint == "http://127.0.0.1:9"


@pytest.mark.parametrize("named", [None, "none", "tracecontext"])
def test_what_is_passed_on_is_what_otel_propagators_says(tmp_path, named):
    code = (
        "import sys; from pathlib import Path; from helpers.tracing.provider import setup\n"
        "from opentelemetry import baggage, context, propagate\n"
        "made = setup('a', 'b', endpoint='http://127.0.0.1:9', folder=Path(sys.argv[1])); headers = {}\n"
        "context.attach(baggage.set_baggage('session.id', 's-1'))\n"
        "with made.provider.get_tracer('t').start_as_current_span('x'): propagate.inject(headers)\n"
        "print(*sorted(headers))"
    )
    env = dict(os.environ) | ({"OTEL_PROPAGATORS": named} if named else {})
    ran = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=60, env=env)
    expected = {None: ["baggage", "traceparent"], "none": [], "tracecontext": ["traceparent"]}[named]
    assert ran.stdout.split() == expected, ran.stderr
