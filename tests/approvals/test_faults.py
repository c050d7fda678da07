"""The fault matrix: whatever is killed, nothing is carried out unapproved or twice, and no person is asked twice."""

import signal
import threading

import boto3
import pytest

from helpers.approvals.connection import Connection
from helpers.approvals.desk import Desk
from helpers.approvals.question import Answer
from helpers.approvals.scripted import ScriptedApprover
from tests.approvals import kernel
from tests.apps.dying import DEATHS, Mortal
from tests.apps.gated import WANTED, Store, events
from tests.region.gateway.conftest import STREAMS, Gateways

BOTH = STREAMS | {"supportedVersions": ["2025-11-25", "2026-07-28"]}
YES = Answer("accept", {"quantity": 1, "reason": "rust"}, by="Maria")


@pytest.fixture
def mortal(tmp_path, no_survivors):
    made = Mortal(tmp_path / "store")
    yield made
    made.kill()


@pytest.fixture(params=["direct", "gateway"])
def at(request, mortal):
    """Starts the store; where it is called, and the prefix of its tools' names."""

    def start(step=None):
        mortal.start(step)
        if request.param == "direct":
            return f"{mortal.url}/mcp", ""
        gateways = request.getfixturevalue("gateways")
        gateway, url = gateways.make(BOTH)
        assert gateways.server(gateway, "store", mortal.url)["status"] == "READY"
        return url, "store___"

    return start


@pytest.mark.parametrize(("step", "gone", "then"), DEATHS, ids=[step for step, _, _ in DEATHS])
def test_a_store_killed_at_any_step_discards_once_at_most(at, mortal, log, era, step, gone, then):
    url, prefix = at(step)
    approver = ScriptedApprover([YES])
    with Connection(url, Desk(approver, log, server="store"), mode=era) as connection, mortal.reborn():
        answer = connection.call_tool_sync("1", f"{prefix}discard_stock", WANTED)
    store = Store(mortal.folder)
    assert len(approver.asked) == 1
    known = then != "not known"
    assert answer["status"] == ("success" if known else "error"), answer
    assert len(store.discarded()) == (1 if known else len(gone))
    assert store.events()[-1] == ("done" if known else "unknown")
    assert events(log)[:3] == ["called", "asked", "answered"] and events(log)[-1] == "returned"
    assert log.verify() and store.gate.log.verify()


# What the kernel dies at; how often a person is asked in all, and whether the call is still to be settled then.
DEATHS_OF_KERNELS = [
    ("before called", 0, None),
    ("after called", 0, None),
    ("before asked", 1, "resumed"),
    ("while asking", 2, "resumed"),
    ("before stored", 2, "resumed"),
    ("after stored", 1, "resumed"),
    ("before answered", 1, "resumed"),
    ("after answered", 1, "resumed"),
    ("before kept", 1, "resumed"),
    ("after kept", 1, "settled"),
    ("before returned", 1, "settled"),
]


@pytest.mark.parametrize(("moment", "asked", "then"), DEATHS_OF_KERNELS, ids=[each[0] for each in DEATHS_OF_KERNELS])
def test_a_kernel_killed_at_any_moment_goes_on_when_it_is_back(at, tmp_path, era, moment, asked, then):
    url, prefix = at()
    assert kernel.die(tmp_path, url, era, f"{prefix}discard_stock", YES, moment) == -signal.SIGKILL
    store = Store(tmp_path / "store")
    with kernel.connection(tmp_path, url, era, [YES]) as connection:
        calls = connection.resume()
        again = connection.desk.approver.asked
    assert [call.state for call in calls] == (["returned"] if then == "resumed" else [])
    assert len(store.discarded()) == (then is not None)
    first = moment in ("while asking", "before stored", "after stored") or (asked == 1 and not again)
    assert len(again) + first == asked
    events_here = events(connection.desk.log)
    assert connection.desk.log.verify() == len(events_here)
    if then == "resumed":
        assert calls[0].result["structuredContent"]["quantity"] == 1 and events_here[-1] == "returned"


def test_a_link_that_is_cut_for_long_loses_no_question_and_a_late_answer_counts(tmp_path, mortal, era):
    mortal.start()
    cut = []

    def person(_):
        mortal.kill()
        cut.append("while the question was open")
        return YES

    with kernel.connection(tmp_path, f"{mortal.url}/mcp", era, [person], patience=0.2) as connection:
        answer = connection.call_tool_sync("1", "discard_stock", WANTED)
        assert answer["status"] == "error" and cut
        assert events(connection.desk.log)[-1] == "cut off"
        mortal.start()
        [call] = connection.resume()
    assert call.state == "returned" and call.result["structuredContent"]["quantity"] == 1
    assert Store(mortal.folder).discarded() == [1] and len(connection.desk.approver.asked) == 1


@pytest.mark.parametrize("moment", ["before the question", "while the question is open", "with the answer"])
def test_a_gateway_that_is_killed_is_called_again(tmp_path, mortal, region_process, era, moment):
    program = region_process()
    gateways = Gateways(boto3.client("bedrock-agentcore-control"))
    gateway, url = gateways.make(BOTH)
    mortal.start()
    gateways.server(gateway, "store", mortal.url)

    def die():
        program.kill()
        program.wait()

    def person(_):
        if moment == "while the question is open":
            die()
            region_process()
        if moment == "with the answer":
            threading.Timer(0.0, die).start()
            threading.Thread(target=lambda: (program.wait(), region_process())).start()
        return YES

    with kernel.connection(tmp_path, url, era, [person]) as connection:
        if moment == "before the question":
            die()
            region_process()
        answer = connection.call_tool_sync("1", "store___discard_stock", WANTED)
    assert answer["status"] == "success", answer
    assert Store(mortal.folder).discarded() == [1] and len(connection.desk.approver.asked) == 1
    assert connection.desk.log.verify()
