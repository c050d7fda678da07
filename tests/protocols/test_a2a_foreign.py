"""A foreign implementation of A2A: its client asks our servers, our clients ask its server. It is npm's @a2a-js/sdk."""

import asyncio

import pytest
from a2a.client.errors import A2AClientHTTPError, A2AClientJSONRPCError
from a2a.types import TaskIdParams, TaskState
from strands.agent.a2a_agent import A2AAgent
from strands.vended_tools.a2a_client import make_a2a_client

from helpers.apps.peers import peer, skill
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from tests.apps.asking import ask, client, get, message, send, text_of, told_by
from tests.protocols.a2a_node import foreign

__all__ = ["foreign"]
TWO = {
    "name": "foreign",
    "sites": {"a": {"kind": "outpost"}, "b": {"kind": "outpost"}},
    "links": [{"between": ["a", "b"]}],
}
SECRET = "foreign-token"


@pytest.fixture(scope="module")
def ours():
    """Our scripted peer at b, as a reaches it, and a token for it."""
    with Network(Topology.model_validate(TWO)) as network:
        peer_b = network["b"].start("tests.sites.peer_app")
        yield peer_b.url_from("a"), network.issuer.token("a", peer_b.identity)


@pytest.fixture(scope="module")
def theirs(foreign):
    with foreign.server(SECRET) as url:
        yield url


def text(task):
    return "".join(part["text"] for artifact in task["artifacts"] for part in artifact["parts"])


def test_the_foreign_client_reads_our_card(foreign, ours):
    (card,) = foreign.ask(*ours, "card")
    assert card["name"] == "peer" and card["protocolVersion"] == "0.3.0" and card["url"] == f"{ours[0]}/"
    assert card["capabilities"]["streaming"] is True
    assert card["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def test_the_foreign_client_sends_a_message_and_gets_the_task_again(foreign, ours):
    (task,) = foreign.ask(*ours, "send", "echo hello from afar")
    assert task["kind"] == "task" and task["status"]["state"] == "completed" and text(task) == "hello from afar"
    (same,) = foreign.ask(*ours, "get", task["id"])
    assert same["status"]["state"] == "completed" and text(same) == "hello from afar"


def test_the_foreign_client_gets_the_pieces_of_a_stream_in_order_and_the_end_last(foreign, ours):
    events = foreign.ask(*ours, "stream", "spell in order")
    pieces = [event["artifact"]["parts"][0]["text"] for event in events if event["kind"] == "artifact-update"]
    assert [piece for piece in pieces if piece] == list("in order")
    assert events[0]["kind"] == "task" and events[0]["status"]["state"] == "submitted"
    assert events[-1]["kind"] == "status-update" and events[-1]["final"]
    assert events[-1]["status"]["state"] == "completed"
    assert {event.get("taskId", event.get("id")) for event in events} == {events[0]["id"]}


def test_the_foreign_client_cancels_a_task_and_its_stream_ends(foreign, ours):
    *events, cancelled = foreign.ask(*ours, "stream-and-cancel", "drip")
    assert cancelled["kind"] == "task" and cancelled["status"]["state"] == "canceled"
    assert events[-1]["status"]["state"] == "canceled" and events[-1]["final"]
    (refusal,) = foreign.ask(*ours, "cancel", cancelled["id"])
    assert refusal["name"].startswith("TaskNotCancelable")
    (refusal,) = foreign.ask(*ours, "get", "no-such-task")
    assert refusal["name"].startswith("TaskNotFound")


@pytest.mark.parametrize("token", ["", "garbage"])
def test_the_foreign_client_is_refused_without_a_good_token_but_may_read_the_card(foreign, ours, token):
    (card,) = foreign.ask(ours[0], token, "card")
    assert card["name"] == "peer"
    for action in ("send", "stream"):
        (refusal,) = foreign.ask(ours[0], token, action, "echo hello")
        assert refusal["kind"] == "error" and "401" in refusal["message"]


def test_an_error_of_our_agent_reaches_the_foreign_client_as_a_task_that_failed(foreign, ours):
    (task,) = foreign.ask(*ours, "send", "fail")
    assert task["status"]["state"] == "failed"
    *_, last = foreign.ask(*ours, "stream", "fail")
    assert last["status"]["state"] == "failed" and last["final"]


def test_the_foreign_client_keeps_its_context_over_two_messages_and_another_has_its_own(foreign, ours):
    counts = [foreign.ask(*ours, "send", "count", context)[0] for context in ("one", "one", "other")]
    assert [text(task) for task in counts] == ["1", "3", "1"]
    assert [task["contextId"] for task in counts] == ["one", "one", "other"]


def test_a_message_too_large_is_refused_to_the_foreign_client_too(foreign, ours):
    (refusal,) = foreign.ask(*ours, "send", "x" * 100_000)
    assert refusal["kind"] == "error" and "413" in refusal["message"]


def test_our_clients_read_the_foreign_card(theirs):
    card = asyncio.run(A2AAgent(theirs, client_config=peer(theirs)).get_agent_card())
    assert card.name == "foreign" and skill(card, "echo").name == "Echo"


def test_strands_agent_asks_the_foreign_server(theirs):
    assert ask(theirs, SECRET, "echo hello") == "hello"
    assert ask(theirs, SECRET, "spell in order") == "in order"
    failed = A2AAgent(theirs, client_config=peer(theirs, SECRET))("fail")
    assert failed.state["a2a_task_state"] == "failed" and "scripted to fail" in str(failed)


def test_the_client_tool_of_strands_asks_the_foreign_server(theirs):
    tool = make_a2a_client(allowed_endpoints=[(theirs, peer(theirs, SECRET))])
    card = asyncio.run(tool(operation="discover", endpoint=theirs))
    assert card["name"] == "foreign"
    answer = asyncio.run(tool(operation="send_message", endpoint=theirs, message="echo hello"))
    assert answer["message"]["content"][0]["text"] == "hello"
    with pytest.raises(RuntimeError, match="task state is 'failed'"):
        asyncio.run(tool(operation="send_message", endpoint=theirs, message="fail"))


@pytest.mark.parametrize("streaming", [True, False])
def test_the_client_of_a2a_sdk_sends_gets_and_keeps_its_context(theirs, streaming):
    async def ask_twice():
        async with client(theirs, SECRET, streaming=streaming) as foreign_peer:
            tasks = [await send(foreign_peer, "count", f"kept-{streaming}") for _ in range(2)]
            return tasks, await get(foreign_peer, tasks[1].id), await send(foreign_peer, "fail")

    tasks, same, failed = asyncio.run(ask_twice())
    assert [text_of(task) for task in tasks] == ["1", "2"]
    assert same.status.state == TaskState.completed and text_of(same) == "2"
    assert failed.status.state == TaskState.failed and told_by(failed) == "scripted to fail"


def test_an_answer_that_is_a_message_and_no_task_arrives(theirs):
    async def answer():
        # Not as a stream: a2a-sdk 0.3.26 leaves the rest of a stream that begins with a message unread and open.
        async with client(theirs, SECRET, streaming=False) as foreign_peer:
            return [answer async for answer in foreign_peer.send_message(message("message no task"))]

    (only,) = asyncio.run(answer())
    assert only.kind == "message" and only.parts[0].root.text == "no task"


def test_the_client_of_a2a_sdk_cancels_a_task_of_the_foreign_server(theirs):
    async def cancel():
        async with asyncio.timeout(15), client(theirs, SECRET) as foreign_peer:
            cancelled = None
            async for task, _ in foreign_peer.send_message(message("drip")):
                if cancelled is None and text_of(task):
                    cancelled = asyncio.create_task(foreign_peer.cancel_task(TaskIdParams(id=task.id)))
            await cancelled
            with pytest.raises(A2AClientJSONRPCError):
                await foreign_peer.cancel_task(TaskIdParams(id=task.id))
            return await get(foreign_peer, task.id)

    assert asyncio.run(cancel()).status.state == TaskState.canceled


def test_a_wrong_token_is_refused_by_the_foreign_server_in_its_own_words(theirs):
    with pytest.raises(A2AClientHTTPError, match="401: The foreign peer does not know this token"):
        ask(theirs, "wrong", "echo hello")
