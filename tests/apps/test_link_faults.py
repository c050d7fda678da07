"""What a caller sees when a link or a peer fails: a clear error, or the right answer, within its time limit."""

import asyncio
import time

import pytest
from a2a.client.errors import A2AClientHTTPError, A2AClientTimeoutError
from strands.agent.a2a_agent import A2AAgent
from strands.vended_tools.a2a_client import make_a2a_client

from helpers.apps.peers import peer
from tests.apps.asking import ask, client, message, text_of
from tests.apps.conftest import connections, within
from tests.ports import kept_port
from tests.waiting import until

UNREACHABLE = "cannot be reached|broke before the answer was whole"


def test_before_the_answer_a_cut_link_is_an_error_at_once_and_mended_it_carries_again(url, token, link):
    link.cut()
    for seconds in (1, 60):
        with within(5), pytest.raises(A2AClientHTTPError, match=UNREACHABLE) as error:
            ask(url, token, "echo hello", seconds)
        assert error.value.status_code == 503 and url in str(error.value)
    link.mend()
    assert ask(url, token, "echo hello") == "hello"


def test_an_agent_that_knew_the_card_already_says_the_same(url, token, link):
    agent = A2AAgent(url, client_config=peer(url, token, 10))
    agent("echo hello")
    link.cut()
    with within(5), pytest.raises(A2AClientHTTPError, match=UNREACHABLE):
        agent("echo hello")
    link.mend()
    assert "hello" in str(agent("echo hello"))


@pytest.mark.parametrize("known", [True, False])
def test_a_silent_link_ends_with_the_callers_time_limit(url, token, link, known):
    agent = A2AAgent(url, client_config=peer(url, token, 0.5))
    if known:
        agent("echo hello")
    link.cut(silently=True)
    with within(5), pytest.raises(A2AClientTimeoutError, match=f"{url} was silent for 0.5 s"):
        agent("echo hello")


async def drip_until(url, token, event, seconds=10.0, after=5):
    """Pieces of an answer without end; after so many of them, `event` happens."""
    async with client(url, token, seconds) as peer_of_a:
        count = 0
        async for _ in peer_of_a.send_message(message("drip")):
            count += 1
            if count == after:
                event()
    return count


def test_during_the_answer_a_cut_link_is_an_error_at_once(peer_b, url, token, link):
    with within(5), pytest.raises(A2AClientHTTPError, match="broke before the answer was whole"):
        asyncio.run(drip_until(url, token, link.cut))
    link.mend()
    until(lambda: connections(peer_b) == 0)


def test_during_the_answer_a_silent_link_ends_with_the_time_limit(url, token, link):
    with (
        within(5),
        pytest.raises(A2AClientTimeoutError, match=r"was silent for 0.5 s. It may have done what was asked"),
    ):
        asyncio.run(drip_until(url, token, lambda: link.cut(silently=True), seconds=0.5))


def test_an_answer_that_takes_longer_than_the_limit_arrives_as_long_as_it_is_not_silent(url, token):
    class Enough(Exception):
        pass

    def stop():
        raise Enough

    began = time.monotonic()
    with pytest.raises(Enough):
        asyncio.run(drip_until(url, token, stop, seconds=1, after=30))  # twenty a second
    assert time.monotonic() - began > 1


def test_after_the_answer_a_cut_link_changes_nothing(url, token, link):
    async def answer():
        async with client(url, token) as peer_of_a:
            events = [event async for event in peer_of_a.send_message(message("spell whole"))]
            link.cut()
            return events[-1][0]

    assert text_of(asyncio.run(answer())) == "whole"


def test_a_peer_that_was_never_started_is_an_error_at_once(network, peer_b, token):
    nobody = network.route(f"http://127.0.0.1:{kept_port()}", "a", "b")
    for address in (nobody, f"http://127.0.0.1:{kept_port()}"):
        with within(5), pytest.raises(A2AClientHTTPError, match=UNREACHABLE):
            ask(address, token, "echo hello")


def test_a_peer_that_is_killed_in_mid_task_is_an_error_at_once_and_started_again_it_answers(network, url, token):
    peer_b = network["b"].programs["peer_app"]
    with within(5), pytest.raises(A2AClientHTTPError, match="broke before the answer was whole"):
        asyncio.run(drip_until(url, token, peer_b.kill))
    with within(5), pytest.raises(A2AClientHTTPError, match=UNREACHABLE):
        ask(url, token, "echo hello")
    again = network["b"].start("tests.sites.peer_app")
    assert ask(again.url_from("a"), token, "echo hello") == "hello"
    with within(8):
        again.stop()


def test_a_peer_that_is_stopped_in_mid_task_ends_soon_and_its_caller_does_not_take_the_part_for_the_whole(network):
    peer_b = network["b"].start("tests.sites.peer_app")
    token = network.issuer.token("a", peer_b.identity)
    with within(10), pytest.raises(A2AClientHTTPError, match="broke before the answer was whole"):
        asyncio.run(drip_until(peer_b.url_from("a"), token, peer_b.process.terminate))
    until(lambda: peer_b.process.poll() is not None)


def test_the_client_tool_of_strands_says_what_went_wrong(network, link):
    peer_b = network["b"].start("tests.sites.peer_app")
    url, token = peer_b.url_from("a"), network.issuer.token("a", peer_b.identity)
    tool = make_a2a_client(allowed_endpoints=[(url, peer(url, token, 10))])
    assert (
        asyncio.run(tool(operation="send_message", endpoint=url, message="echo hi"))["message"]["role"] == "assistant"
    )
    link.cut()
    with pytest.raises(RuntimeError, match=UNREACHABLE):
        asyncio.run(tool(operation="send_message", endpoint=url, message="echo hi"))
    link.mend()
    with pytest.raises(RuntimeError, match="did not complete: task state is 'failed'"):
        asyncio.run(tool(operation="send_message", endpoint=url, message="fail"))
