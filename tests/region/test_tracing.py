"""A session of AgentCore Runtime that is traced: its spans tell which agent it is, in the trace of its caller."""

import pytest

from helpers.tracing.receiver import Receiver
from helpers.tracing.store import Store
from tests.region import runtimes
from tests.waiting import until

TRACE, PARENT = "2af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def receiver(tmp_path, monkeypatch):
    with Receiver(Store(tmp_path / "traces.sqlite")) as made:
        monkeypatch.setenv("WORKSHOP_TELEMETRY_URL", made.url)
        yield made


def test_a_session_goes_on_with_the_trace_of_its_caller(client, region, receiver):
    runtime = runtimes.create(client, agentRuntimeName="hospital")
    runtime.invoke({"hello": 1}, traceParent=f"00-{TRACE}-{PARENT}-01", baggage="session.id=s-1")
    until(lambda: receiver.store.trace(TRACE))
    (span,) = receiver.store.trace(TRACE)
    assert (span.parent_id, span.service, span.name) == (PARENT, "hospital.DEFAULT", "POST /invocations")
    assert span.site == "region" and span.resource["cloud.platform"] == "aws_bedrock_agentcore"
    assert span.attributes["session.id"] == "s-1"
    assert span.resource["aws.log.group.names"] == f"/aws/bedrock-agentcore/runtimes/{runtime.id}-DEFAULT"
    region.sessions.end_all(runtime.id)


def test_a_session_is_told_to_whom_it_asks_if_the_caller_names_none(client, region, receiver):
    runtime = runtimes.create(client, agentRuntimeName="clinic")
    session = "a-session-of-at-least-33-characters"
    runtime.invoke({"hello": 1}, session, traceParent=f"00-{TRACE}-{PARENT}-01")
    until(lambda: receiver.store.trace(TRACE))
    assert [span.attributes["session.id"] for span in receiver.store.trace(TRACE)] == [session]
    region.sessions.end_all(runtime.id)
