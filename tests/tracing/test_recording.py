"""A notebook's recording, in a process of its own: tracers stay for as long as a process lives."""

import os
import subprocess
import sys
from pathlib import Path

from tests.region.gateway.upstreams import served
from tests.tracing.receivers import Receiver

PROGRAM = """
import os, sys
import httpx
from opentelemetry.trace import get_tracer
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from helpers.tracing.errors import TracedAlready
from helpers.tracing.recording import record

TWO = {"name": "two", "sites": {"a": {"kind": "region"}, "b": {"kind": "outpost"}}, "links": [{"between": ["a", "b"]}]}
with Network(Topology.model_validate(TWO)) as network:
    recording = record(network, "a")
    assert record(None, "a") is recording
    try:
        record(None, "b")
    except TracedAlready as error:
        print(error)
    model = network["b"].start("inference")
    with get_tracer("test").start_as_current_span("question") as question:
        httpx.get(f"{model.url_from('a')}/api/tags", trust_env=False)
    (summary,) = [one for one in recording.settled().traces() if len(one.sites) == 2]
    assert {span.trace_id for span in recording.widest()} == {summary.trace_id}
    print(summary.roots, summary.orphans, *summary.sites)
    print(recording._folder.name)
"""
ALSO = """
from opentelemetry.trace import get_tracer
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from helpers.tracing.recording import record

ONE = {"name": "one", "sites": {"a": {"kind": "region"}}, "links": []}
with Network(Topology.model_validate(ONE), classified={"patient": ["Ada Byron"]}) as network:
    recording = record(network, "a")
    with get_tracer("test").start_as_current_span("the file of Ada Byron", attributes={"gen_ai.prompt": "hello"}):
        pass
    print(*(span.name for span in recording.widest()))
"""


def test_a_notebook_and_a_site_are_in_one_trace_and_nothing_is_left_afterwards():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    refused, counts, folder = ran.stdout.splitlines()[-3:]
    assert "restart its kernel" in refused
    assert counts == "1 0 a b", ran.stderr
    assert not Path(folder).exists()


def test_a_back_end_of_the_settings_is_sent_all_as_well_and_content_as_they_say():
    receiver = Receiver()
    with served(receiver.app) as url:
        env = os.environ | {"WORKSHOP_TELEMETRY_URL": url, "WORKSHOP_TELEMETRY_CONTENT": "true"}
        command = [sys.executable, "-c", ALSO]
        ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    (span,) = receiver.spans
    assert span.name == "the file of Ada Byron" and span.attributes["gen_ai.prompt"] == "hello"


def test_what_the_network_calls_classified_is_in_no_span():
    ran = subprocess.run([sys.executable, "-c", ALSO], capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == "the file of [patient]", ran.stderr
