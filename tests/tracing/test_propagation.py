"""One trace over three sites, A2A and MCP; and several where the trace is not passed on, or not believed."""

import os
import subprocess
import sys
from uuid import uuid4

import httpx
import pytest

from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.sites.topology import Topology
from tests.tracing.receivers import receiving
from tests.waiting import until

THREE = {
    "name": "three",
    "sites": {"oregon": {"kind": "region"}, "falkenried": {"kind": "outpost"}, "bergedorf": {"kind": "outpost"}},
    "links": [{"between": ["oregon", "falkenried"]}, {"between": ["oregon", "bergedorf"]}],
}
GIVEN = "00-1af7651916cd43dd8448eb211c80319c-a7ad6b7169203331-01"
FORGED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def network(receiver):
    """Programs that trust what comes from oregon."""
    with pytest.MonkeyPatch.context() as patch, Network(Topology.model_validate(THREE)) as made:
        patch.setenv("WORKSHOP_TELEMETRY_TRUSTS", '["oregon"]')
        made.telemetry = Program("oregon/receiver", receiver.url, lambda url, caller: made.route(url, caller, "oregon"))
        made["bergedorf"].start("tests.sites.peer_app", name="peer")
        made["falkenried"].start("inventory")
        yield made


@pytest.fixture(scope="module")
def ask(network, receiver):
    """Runs the caller; its trace's id, once the spans are there."""

    def asked(caller="oregon", peer=None, **more):
        receiver.spans.clear()
        receiver.bodies.clear()
        given = []
        peer = peer or network["bergedorf"].programs["peer"]
        for program in (peer, network["falkenried"].programs["inventory"]):
            given += [program.url_from("oregon"), network.issuer.token(caller, program.identity)]
        ran = subprocess.run(
            [sys.executable, "-m", "tests.tracing.caller", *given],
            env=os.environ
            | {"WORKSHOP_IDENTITY": "oregon/orchestrator", "WORKSHOP_TELEMETRY_URL": receiver.url}
            | more,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "success" in ran.stdout, ran.stderr
        until(lambda: {"oregon", "falkenried", "bergedorf"} <= {span.site for span in receiver.spans})
        until(lambda: "question" in receiver.names and receiver.names.count("tools/call stock") >= 2)
        return ran.stdout.split()[-1]

    return asked


def roots(spans):
    known = {span.span_id for span in spans}
    return [span for span in spans if span.parent_id not in known]


def linked(spans, site):
    """The traces that roots of a site's are linked to."""
    return {link["trace_id"] for span in spans if span.site == site and not span.parent_id for link in span.links}


def test_with_the_trace_passed_on_there_is_one_root_that_covers_all_sites_and_nothing_that_was_said(ask, receiver):
    trace = ask()
    spans = [span for span in receiver.spans if span.trace_id == trace]
    assert [span.name for span in roots(spans)] == ["question"]
    assert {span.site for span in spans} == {"oregon", "falkenried", "bergedorf"}
    assert {span.trace_id for span in receiver.spans if span.site == "bergedorf"} == {trace}
    assert {span.attributes.get("session.id") for span in spans} == {"s-1"}
    assert receiver.bodies and b"P-1001" not in b"".join(receiver.bodies)


def test_a_tool_goes_on_with_the_trace_in_both_versions_of_the_protocol(ask, receiver):
    trace = ask()
    calls = [span for span in receiver.spans if span.name == "tools/call stock" and span.site == "falkenried"]
    assert {span.trace_id for span in calls} == {trace} and len(calls) == 2
    above = {span.span_id: span for span in receiver.spans}
    session = next(span for span in receiver.spans if span.name == "by 2025-11-25")
    assert any(session in ancestors(call, above) for call in calls)
    assert {call.attributes["session.id"] for call in calls} == {"s-1"}


def ancestors(span, above):
    while span := above.get(span.parent_id):
        yield span


def test_a_peer_that_does_not_take_it_up_begins_a_trace_of_its_own(network, receiver, ask, monkeypatch):
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "asgi")
    bare = network["bergedorf"].start("tests.sites.peer_app", name="bare")
    try:
        monkeypatch.undo()
        trace = ask(peer=bare)
    finally:
        bare.stop()
    theirs = {span.trace_id for span in receiver.spans if span.service == "bare"}
    assert theirs and trace not in theirs


def test_without_it_the_peer_begins_a_trace_of_its_own(ask, receiver):
    trace = ask(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="httpx")
    peer = [span for span in receiver.spans if span.site == "bergedorf"]
    assert peer and trace not in {span.trace_id for span in peer}


def test_a_caller_that_is_not_trusted_adds_to_no_trace_and_is_linked(ask, receiver):
    trace = ask("falkenried")
    assert {span.site for span in receiver.spans if span.trace_id == trace} == {"oregon"}
    for site in ("falkenried", "bergedorf"):
        until(lambda: trace in linked(receiver.spans, site))  # noqa: B023 - it is called here
    assert not any(span.attributes.get("session.id") for span in receiver.spans if span.site != "oregon")


def test_who_has_no_token_adds_to_nobodys_trace(network, receiver, ask):
    url = network["bergedorf"].programs["peer"].url
    for path in ("/", "/.well-known/agent-card.json", "/ping"):
        httpx.post(url + path, headers={"traceparent": FORGED}, json={}, trust_env=False)
    ask()  # whose spans come after those
    assert FORGED.split("-")[1] not in {span.trace_id for span in receiver.spans}


def test_a_sites_model_endpoint_goes_on_with_the_trace(network, receiver):
    endpoint = network["bergedorf"].start("inference")
    httpx.get(f"{endpoint.url}/api/tags", headers={"traceparent": GIVEN}, trust_env=False)
    until(lambda: "GET /api/tags" in receiver.names)
    (span,) = [span for span in receiver.spans if span.name == "GET /api/tags"]
    assert f"00-{span.trace_id}-{span.parent_id}-01" == GIVEN and span.service == "inference"


def test_a_traceparent_that_is_garbage_begins_a_trace(network, receiver):
    receiver.spans.clear()
    program = network["bergedorf"].programs["peer"]
    call = {"jsonrpc": "2.0", "id": uuid4().hex, "method": "tasks/get", "params": {"id": "none"}}
    headers = {
        "Authorization": f"Bearer {network.issuer.token('oregon', program.identity)}",
        "traceparent": "00-zz-\xff-99",
        "baggage": "=;=,,session.id",
    }
    answer = httpx.post(program.url, headers={k: v.encode("latin-1") for k, v in headers.items()}, json=call)
    assert answer.status_code == 200
    until(lambda: receiver.spans)
    assert all(span.parent_id == "" for span in roots(receiver.spans))
