"""A notebook's recording, in a process of its own: tracers stay for as long as a process lives."""

import subprocess
import sys
from pathlib import Path

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


def test_a_notebook_and_a_site_are_in_one_trace_and_nothing_is_left_afterwards():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    refused, counts, folder = ran.stdout.splitlines()[-3:]
    assert "restart its kernel" in refused
    assert counts == "1 0 a b", ran.stderr
    assert not Path(folder).exists()
