"""Whatever breaks between two peers ends in a clear error or the right answer, within the caller's patience."""

import contextlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from a2a.client import A2AClientHTTPError, A2AClientJSONError, A2AClientTimeoutError, ClientFactory
from a2a.client.helpers import create_text_message_object
from a2a.types import AgentCard, TaskIdParams, TaskQueryParams
from strands.agent.a2a_agent import A2AAgent
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from helpers.apps.peers import PeerRefused, peer, skill
from tests.apps.conftest import text
from tests.waiting import until

LOST = (httpx.TransportError, A2AClientHTTPError, A2AClientTimeoutError)
FINAL = ("completed", "canceled", "failed")
PATIENCE = 30


@contextlib.contextmanager
def within(seconds=PATIENCE):
    """Whatever happens in the block, it is over in time; a bound, not a measurement."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@pytest.fixture
def card_server():
    """A server that serves a card; `serve(content)` gives its address."""
    servers = []

    def serve(content):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"name": 1}', b"\xff\xfe", b"[]"])
def test_a_malformed_card_is_told_as_such(card_server, content):
    url = card_server(content)
    with within(), pytest.raises((A2AClientJSONError, UnicodeDecodeError)):
        A2AAgent(url, client_config=peer(url))("hello")


def test_a_card_that_leads_elsewhere_is_refused_before_anything_is_sent(card_server, network, program, agent_of):
    card = httpx.get(f"{program.url}/.well-known/agent-card.json", trust_env=False).json()
    url = card_server(json.dumps(card | {"url": program.url}).encode())
    before = program.log(1000).count("POST")
    with within(), pytest.raises(PeerRefused, match=f"The card of {url} leads to {program.url}"):
        A2AAgent(url, client_config=peer(url, network.issuer.token("a", program.identity)))("echo secret")
    assert program.log(1000).count("POST") == before


def test_an_unknown_skill_is_told_with_those_that_are_there(program):
    card = AgentCard.model_validate(httpx.get(f"{program.url}/.well-known/agent-card.json", trust_env=False).json())
    with pytest.raises(PeerRefused, match="peer has no skill 'surgery'"):
        skill(card, "surgery")


def test_a_message_of_a_megabyte_is_refused_with_its_status(ask):
    with within(), pytest.raises(A2AClientHTTPError, match="413"):
        ask(f"length {'x' * 2**20}")
    assert ask("echo still there") == "still there"


def test_a_wrong_and_an_expired_token_are_refused(network, program, ask):
    for token in ("wrong", network.issuer.token("a", program.identity, seconds=-1)):
        with within(), pytest.raises(A2AClientHTTPError, match="401"):
            ask("echo hello", token=token)


def test_a_peer_that_is_down_is_told_at_once_and_answers_when_it_is_back(network, program, agent_of, ask):
    program.kill()
    with within(), pytest.raises(LOST):
        ask("echo hello")
    again = network["b"].start("tests.sites.peer_app")
    assert text(agent_of(again)("echo hello")) == "hello"


def test_an_agent_that_fails_is_a_failed_task_not_an_answer(agent_of, program):
    with within():
        assert agent_of(program)("fail").state == {"a2a_task_state": "failed"}


def test_a_silent_link_ends_the_callers_patience_not_more(network, program, ask):
    assert ask("echo hello") == "hello"
    network.link("a", "b").cut(silently=True)
    with within(), pytest.raises(LOST):
        ask("echo hello", seconds=1)
    network.link("a", "b").mend()
    assert ask("echo hello") == "hello"


def test_a_link_cut_before_the_message_is_an_error_and_nothing_was_done(network, program, ask):
    network.link("a", "b").cut()
    with within(), pytest.raises(LOST):
        ask("act R-1")
    network.link("a", "b").mend()
    assert not (network["b"].folder / "acted").exists()
    assert ask("echo hello") == "hello"


async def broken_off(agent, disturb):
    """Ask for an endless answer, disturb after the first piece; the error, and the id of the task."""
    config = agent._client_config
    card = await agent.get_agent_card()
    stream = ClientFactory(config).create(card).send_message(create_text_message_object(content="drip"))
    task, _ = await anext(stream)
    while not (await anext(stream))[0].artifacts:
        pass
    disturb()
    with pytest.raises(LOST) as error:
        async for _ in stream:
            pass
    return error.value, task.id


@pytest.mark.parametrize("how", ["cut", "kill"])
def test_an_answer_that_breaks_off_is_an_error(network, program, agent_of, how, run):
    disturb = network.link("a", "b").cut if how == "cut" else program.kill
    with within():
        error, _ = run(broken_off(agent_of(program), disturb))
    assert "Network communication error" in str(error)


def test_a_caller_that_vanishes_leaves_no_task_at_work(network, program, agent_of, run):
    with within():
        _, task = run(broken_off(agent_of(program), network.link("a", "b").cut))
    network.link("a", "b").mend()

    async def state(cancel):
        agent = agent_of(program)
        client = ClientFactory(agent._client_config).create(await agent.get_agent_card())
        if cancel:
            await client.cancel_task(TaskIdParams(id=task))
        return (await client.get_task(TaskQueryParams(id=task))).status.state.value

    assert run(state(cancel=True)) in FINAL, "the task can be asked for, and ended"
    until(lambda: run(state(cancel=False)) in FINAL)


def test_a_link_cut_after_the_answer_harms_nothing(network, ask):
    assert ask("echo hello") == "hello"
    network.link("a", "b").cut()
    network.link("a", "b").mend()
    assert ask("echo again") == "again"


def test_what_was_asked_twice_is_seen_twice_by_a_peer_that_does_not_look_at_references(network, program, ask):
    acted = network["b"].folder / "acted"
    attempts = []

    @retry(stop=stop_after_attempt(3), retry=retry_if_exception_type(LOST), reraise=True)
    def order():
        attempts.append(1)
        return ask("act R-1", seconds=2)

    network.link("a", "b").set(latency_ms=300)

    def cut_when_done():
        until(acted.exists)
        network.link("a", "b").cut()
        network.link("a", "b").set(state="up", latency_ms=0)

    saboteur = threading.Thread(target=cut_when_done)
    saboteur.start()
    with within():
        assert order() == "done R-1"
    saboteur.join()
    assert len(attempts) == 2 and acted.read_text() == "R-1\nR-1\n", "why the pharmacy looks at references"


def test_contexts_at_once_never_mix(program, agent_of, run):
    def talk(number):
        async def three_turns():
            agent = agent_of(program)
            client = ClientFactory(agent._client_config).create(await agent.get_agent_card())
            heard = []
            for said in (f"echo {number}-one", f"echo {number}-two", "count"):
                message = create_text_message_object(content=said)
                message.context_id = f"context-{number}"
                async for task, _ in client.send_message(message):
                    last = task
                heard.append("".join(part.root.text for part in last.artifacts[-1].parts))
            return heard

        return run(three_turns())

    with within(), ThreadPoolExecutor(10) as pool:
        for number, heard in enumerate(pool.map(talk, range(20))):
            assert heard == [f"{number}-one", f"{number}-two", "5"]
