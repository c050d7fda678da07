"""Metrics and warnings on their way out, with the same spool and the same rules as spans."""

import logging
import os
import subprocess
import sys

from opentelemetry.instrumentation.logging.handler import LoggingHandler

from tests.ports import kept_port
from tests.region.gateway.upstreams import served

SECRET = "P-1001 has a fever"
AGENT = (  # a turn of an agent, with a tool; and a warning in a span
    "import logging, sys; from helpers.apps.command import run; from bench import traced\n"
    "from opentelemetry.trace import get_tracer\n"
    "def main():\n"
    "    traced.agent(2)\n"
    f"    with get_tracer('t').start_as_current_span('work'): logging.getLogger('desk').warning('{SECRET}')\n"
    "run(main)"
)


def test_what_was_measured_while_the_receiver_is_away_arrives_and_adds_up(telemetry, receiver):
    port = kept_port()
    made = telemetry(f"http://127.0.0.1:{port}")
    counter = made.meters.get_meter("t").create_counter("calls", unit="1")
    for number in (1, 2, 4):
        counter.add(number, {"tool_name": "stock", "tool_use_id": f"call-{number}", "note": SECRET})
        made.meters.force_flush()
    assert not made.spool.flush(0.2) and len(made.spool) == 3
    with served(receiver.app, port):
        assert made.flush(30)
    assert [point.value for point in receiver.points] == [1, 2, 4]
    assert {point.temporality for point in receiver.points} == {"DELTA"}
    (point, *_) = receiver.points
    assert (point.name, point.site, point.service) == ("calls", "falkenried", "inventory")
    assert all(point.attributes == {"tool_name": "stock"} for point in receiver.points)


def test_nothing_is_sent_when_nothing_was_measured(telemetry, receiver):
    with served(receiver.app) as url:
        made = telemetry(url)
        made.meters.get_meter("t").create_counter("calls").add(1)
        assert made.flush() and made.flush() and made.flush()
    assert receiver.asked == 1


def test_a_warning_tells_where_it_was_said_and_not_what(telemetry, receiver):
    port = kept_port()
    made = telemetry(f"http://127.0.0.1:{port}")
    log = logging.getLogger("tests.desk")
    log.addHandler(handler := LoggingHandler(logging.WARNING, made.loggers, log_code_attributes=True))
    try:
        with made.provider.get_tracer("t").start_as_current_span("work"):
            log.warning("%s", SECRET, extra={"patient": SECRET})
            try:
                raise ValueError(SECRET)
            except ValueError:
                log.exception("it failed for %s", SECRET)
    finally:
        log.removeHandler(handler)
    made.loggers.force_flush()
    assert not made.spool.flush(0.2)
    with served(receiver.app, port):
        assert made.flush(30)
    warned, failed = receiver.logs
    assert (warned.site, warned.severity, warned.scope) == ("falkenried", "WARN", "tests.desk")
    assert (warned.trace_id, warned.span_id) == (receiver.spans[0].trace_id, receiver.spans[0].span_id)
    assert set(warned.attributes) == {"code.function.name", "code.line.number"}
    assert failed.attributes["exception.type"] == "ValueError" and failed.severity == "ERROR"
    assert SECRET.encode() not in b"".join(receiver.bodies)


def ran(url, folder, **more):
    """What a traced program prints as errors."""
    env = dict(os.environ) | {"WORKSHOP_IDENTITY": "falkenried/desk", "WORKSHOP_TELEMETRY_URL": url}
    env |= {"WORKSHOP_SITE_FOLDER": str(folder)} | more
    ended = subprocess.run([sys.executable, "-c", AGENT], env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def test_a_program_sends_what_strands_measures_and_its_warnings_without_ids_and_words(receiver, tmp_path):
    with served(receiver.app) as url:
        errors = ran(url, tmp_path)
    assert SECRET in errors  # where it runs it is still printed
    calls = [point for point in receiver.points if point.name == "strands.tool.call_count"]
    assert sum(point.value for point in calls) == 2 and calls[0].attributes == {"tool_name": "stock"}
    assert {"strands.event_loop.cycle_duration", "strands.tool.duration"} <= {point.name for point in receiver.points}
    assert all(not point.attributes for point in receiver.points if "event_loop" in point.name)
    assert [record.scope for record in receiver.logs] == ["desk"] and receiver.logs[0].body is None
    assert b"P-1001" not in b"".join(receiver.bodies) and b"How many" not in b"".join(receiver.bodies)


def test_with_the_setting_words_are_sent_too(receiver, tmp_path):
    with served(receiver.app) as url:
        ran(url, tmp_path, WORKSHOP_TELEMETRY_CONTENT="true")
    assert receiver.logs[0].body == SECRET
    assert b"How many?" in b"".join(receiver.bodies)  # the question of the agent, in its span
