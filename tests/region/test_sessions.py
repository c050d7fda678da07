"""How long a session lives: idle, too old, busy, unwell. The clock is the test's."""

import json
import os
import signal

import httpx
import pytest
from moto.bedrockagentcorecontrol.models import bedrockagentcorecontrol_backends

from helpers.region import sessions as rooms
from helpers.region.agentcore_control import AgentCoreControl
from helpers.region.errors import QuotaExceeded
from helpers.region.sessions import Container, Sessions
from tests.region.runtimes import create
from tests.waiting import until

ECHO = Container("tests.region.echo_app", idle_seconds=60, most_seconds=300)
KEY = ("runtime", "DEFAULT", "a")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(tmp_path, clock):
    made = Sessions(tmp_path, clock)
    yield made
    made.end_all()


def used(sessions, container=ECHO, key=KEY):
    session = sessions.use(key, container)
    sessions.leave(key, session)
    return session


def tell(session, payload):
    return httpx.post(f"{session.program.url}/invocations", content=json.dumps(payload), trust_env=False)


def test_an_idle_session_ends_and_one_that_was_used_does_not(sessions, clock):
    session = used(sessions)
    for _ in range(3):
        clock.now += 50
        sessions.look()
        assert used(sessions) is session
    clock.now += 61
    sessions.look()
    assert KEY not in sessions.known and not session.program.running and not session.folder.exists()


def test_a_session_that_says_it_is_busy_is_not_idle(sessions, clock):
    session = used(sessions)
    tell(session, {"mood": "HealthyBusy"})
    clock.now += 100
    sessions.look()
    assert session.program.running
    tell(session, {"mood": "Healthy"})
    sessions.look()
    assert not session.program.running


def test_a_session_has_a_longest_time_busy_or_not(sessions, clock):
    session = sessions.use(KEY, ECHO)
    clock.now += 299
    sessions.look()
    assert session.program.running
    clock.now += 2
    sessions.look()
    assert not session.program.running


def test_a_call_under_way_keeps_its_session(sessions, clock):
    session = sessions.use(KEY, ECHO)
    clock.now += 100
    sessions.look()
    assert session.program.running


def test_a_session_that_is_unwell_is_ended(sessions, clock, monkeypatch):
    session = used(sessions)
    monkeypatch.setattr(rooms, "WELL", ("HealthyBusy",))  # so that what it says, Healthy, is not well
    clock.now += rooms.PING_SECONDS - 1
    sessions.look()
    assert session.program.running, "it is not asked yet"
    clock.now += 2
    sessions.look()
    assert session.program.running, "once may be chance"
    clock.now += rooms.PING_SECONDS + 1
    sessions.look()
    assert not session.program.running


def test_a_session_that_does_not_answer_its_ping_is_ended(sessions, clock, monkeypatch):
    session = used(sessions)
    os.kill(session.program.process.pid, signal.SIGSTOP)
    monkeypatch.setattr(rooms, "PING_TIMEOUT", 0.2)
    for _ in range(2):
        clock.now += rooms.PING_SECONDS + 1
        sessions.look()
    assert not session.program.running


def test_they_are_looked_at_again_and_again_whatever_happens(sessions, clock, monkeypatch):
    monkeypatch.setattr(rooms, "LOOK_SECONDS", 0.02)
    session = used(sessions)
    look, looks = sessions.look, []

    def fail_first():
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("once")
        look()

    monkeypatch.setattr(sessions, "look", fail_first)
    clock.now += 61
    sessions.watch()
    until(lambda: not session.program.running)


def test_a_session_is_ended_by_its_own_call_only(sessions):
    first = sessions.use(KEY, ECHO)
    sessions.end(KEY)
    second = used(sessions)
    sessions.leave(KEY, first)
    assert sessions.known[KEY] is second and second.program.running


def test_a_session_that_was_killed_is_forgotten_and_begins_anew(sessions):
    first = used(sessions)
    first.program.process.kill()
    until(lambda: first.gone)
    second = used(sessions)
    assert second is not first and second.program.running and not first.folder.exists()


def test_there_are_not_more_than_a_laptop_holds(sessions, monkeypatch):
    monkeypatch.setattr(rooms, "MOST", 1)
    used(sessions)
    with pytest.raises(QuotaExceeded, match="1 sessions run at once"):
        used(sessions, key=("runtime", "DEFAULT", "b"))
    used(sessions)


def test_the_limits_of_a_runtime_are_those_of_its_configuration(client):
    life = {"idleRuntimeSessionTimeout": 61, "maxLifetime": 3601}
    made = create(client, lifecycleConfiguration=life, protocolConfiguration={"serverProtocol": "MCP"})
    runtime = bedrockagentcorecontrol_backends["123456789012"]["us-west-2"].agent_runtimes[made.id]
    container = runtime.container("1", AgentCoreControl.images)
    assert (container.idle_seconds, container.most_seconds, container.path) == (61, 3601, "/mcp")
