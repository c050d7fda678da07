"""Arize Phoenix takes what programs send, at an endpoint that is set, and shows the same trace as the store.

It is installed into an environment of its own. Without the package index: skipped; in CI a failure.
"""

import os
import subprocess
import sys

import httpx
import psutil
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bench import phoenix
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.sites.topology import Topology
from helpers.tracing.receiver import Receiver
from helpers.tracing.store import Store
from tests.region.gateway.upstreams import served
from tests.tracing.test_propagation import THREE
from tests.waiting import until

SITES = {"oregon", "falkenried", "bergedorf"}


@pytest.fixture(scope="module")
def back_end():
    if reason := phoenix.missing():
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with phoenix.phoenix() as made:
        yield made


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Receiver(Store(tmp_path_factory.mktemp("store") / "traces.sqlite")) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def both(back_end, store):
    """An endpoint that passes each request to both as it is."""

    async def passed_on(request):
        body, kind = await request.body(), request.headers["content-type"]
        async with httpx.AsyncClient(trust_env=False) as client:
            for url in (store.url, back_end.url):
                answer = await client.post(f"{url}/v1/traces", content=body, headers={"Content-Type": kind})
        return Response(answer.content, answer.status_code)

    with served(Starlette(routes=[Route("/v1/traces", passed_on, methods=["POST"])])) as url:
        yield url


@pytest.fixture(scope="module")
def ask(both):
    """Runs a caller that sends its spans to an endpoint; the trace's id."""
    with Network(Topology.model_validate(THREE)) as network:
        network.telemetry = Program("oregon/receiver", both, lambda url, caller: network.route(url, caller, "oregon"))
        peer = network["bergedorf"].start("tests.sites.peer_app", name="peer")
        inventory = network["falkenried"].start("inventory")

        def asked(endpoint):
            given = []
            for program in (peer, inventory):
                given += [program.url_from("oregon"), network.issuer.token("oregon", program.identity)]
            ran = subprocess.run(
                [sys.executable, "-m", "tests.tracing.caller", *given],
                env=os.environ | {"WORKSHOP_IDENTITY": "oregon/orchestrator", "WORKSHOP_TELEMETRY_URL": endpoint},
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert "success" in ran.stdout, ran.stderr
            return ran.stdout.split()[-1]

        yield asked


def shown(spans):
    """What both tell of a trace."""
    return sorted(spans)


def of_phoenix(spans):
    return shown((s["context"]["span_id"], s["parent_id"] or "", s["name"], s["status_code"]) for s in spans)


def of_store(spans):
    return shown((s.span_id, s.parent_id, s.name, s.status) for s in spans)


def test_phoenix_shows_the_same_trace_as_the_store(ask, both, back_end, store):
    trace = ask(both)
    until(lambda: {span.site for span in store.store.trace(trace)} == SITES)
    until(lambda: of_phoenix(back_end.trace(trace)) == of_store(store.store.trace(trace)))
    found = back_end.trace(trace)
    assert [span["name"] for span in found if not span["parent_id"]] == ["question"]
    assert len(found) > 10
    assert "P-1001" not in str(found), "what was said stays at home"


def test_an_endpoint_that_is_set_is_all_that_it_takes(ask, back_end, store):
    trace = ask(back_end.url)
    until(lambda: "question" in [span["name"] for span in back_end.trace(trace)])
    assert "question" not in [span.name for span in store.store.trace(trace)], "the caller's went to Phoenix alone"


def test_it_listens_on_loopback_only(back_end):
    port = httpx.URL(back_end.url).port
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    (pid,) = {each.pid for each in listening if each.laddr.port == port}
    at = {each.laddr.ip.removeprefix("::ffff:") for each in listening if each.pid == pid}  # gRPC's is mapped
    assert at == {"127.0.0.1"}
