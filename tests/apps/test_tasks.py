"""Tasks and contexts: they never mix, they end however their caller does, and nothing of them is left."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest
from a2a.client.errors import A2AClientHTTPError, A2AClientJSONRPCError
from a2a.types import TaskIdParams, TaskState

from tests.apps.asking import ask, client, get, message, send, text_of, told_by
from tests.apps.conftest import connections
from tests.waiting import end, until

MANY = 20


def test_twenty_contexts_at_once_never_mix(url, token):
    async def conversation(number):
        async with client(url, token, seconds=60) as peer_of_a:
            context = f"context-{number}"
            counts = [text_of(await send(peer_of_a, "count", context)) for _ in range(3)]
            spelt = await send(peer_of_a, f"spell {context} alone", context)
            return counts, text_of(spelt), spelt.context_id

    async def all_of_them():
        return await asyncio.gather(*map(conversation, range(MANY)))

    for number, told in enumerate(asyncio.run(all_of_them())):
        context = f"context-{number}"
        assert told == (["1", "3", "5"], f"{context} alone", context)  # question and answer count


def test_two_tasks_of_one_context_wait_for_each_other(url, token):
    async def both():
        async with client(url, token) as one, client(url, token) as other:
            return await asyncio.gather(send(one, "count", "shared"), send(other, "count", "shared"))

    assert sorted(text_of(task) for task in asyncio.run(both())) == ["1", "3"]


def test_strands_agent_starts_a_context_of_its_own_with_every_call(url, token):
    assert [ask(url, token, "count") for _ in range(2)] == ["1", "1"]


def test_an_answer_that_nobody_heard_can_be_fetched_when_the_link_is_mended(peer_b, url, token, link):
    async def be_cut_off():
        async with client(url, token) as peer_of_a:
            with pytest.raises(A2AClientHTTPError):
                async for task, _ in peer_of_a.send_message(message("spell " + "heard later " * 200)):
                    link.cut()
                    cut_off.append(task.id)

    async def found():
        async with client(url, token) as peer_of_a:
            return await get(peer_of_a, cut_off[0])

    cut_off = []
    asyncio.run(be_cut_off())
    link.mend()
    until(lambda: asyncio.run(found()).status.state == TaskState.completed)
    assert text_of(asyncio.run(found())) == "heard later " * 200
    until(lambda: connections(peer_b) == 0)


CALLER = """
import asyncio, sys
from tests.apps.asking import client, message
async def main():
    async with client(*sys.argv[1:3]) as peer:
        async for task, _ in peer.send_message(message("drip")):
            print(task.id, flush=True)
asyncio.run(main())
"""


@pytest.fixture
def strict_peer(network):
    """A peer that gives a task two seconds."""
    peer_b = network["b"].start("tests.sites.peer_app", "--task-seconds", "2", name="strict")
    yield peer_b
    peer_b.stop()


def test_a_caller_that_is_killed_in_mid_answer_leaves_no_task_no_connection_and_no_thread_behind(network, strict_peer):
    url, token = strict_peer.url_from("a"), network.issuer.token("a", strict_peer.identity)
    ask(url, token, "echo hello")
    threads = psutil.Process(strict_peer.process.pid).num_threads()
    caller = subprocess.Popen([sys.executable, "-c", CALLER, url, token], stdout=subprocess.PIPE, text=True)
    task = caller.stdout.readline().strip()
    os.kill(caller.pid, signal.SIGKILL)
    end(caller)

    async def state():
        async with client(url, token) as peer_of_a:
            return (await get(peer_of_a, task)).status.state

    assert asyncio.run(state()) not in (TaskState.failed, TaskState.completed)  # it could be fetched
    until(lambda: asyncio.run(state()) == TaskState.failed)
    until(lambda: connections(strict_peer) == 0)
    assert psutil.Process(strict_peer.process.pid).num_threads() <= threads + 1


def test_a_task_that_takes_too_long_fails_and_says_so_and_its_context_lives_on(network, strict_peer):
    url, token = strict_peer.url_from("a"), network.issuer.token("a", strict_peer.identity)

    async def too_long():
        async with client(url, token) as peer_of_a:
            task = await send(peer_of_a, "drip", "long")
            return task, await send(peer_of_a, "echo again", "long")

    task, again = asyncio.run(too_long())
    assert task.status.state == TaskState.failed and "longer than 2 s" in told_by(task)
    assert again.status.state == TaskState.completed and text_of(again) == "again"


@pytest.mark.parametrize("streaming", [True, False])
def test_an_error_of_the_agent_is_a_task_that_failed_and_its_context_lives_on(url, token, streaming):
    context = f"unlucky-{streaming}"

    async def fail():
        async with client(url, token, streaming=streaming) as peer_of_a:
            return await send(peer_of_a, "fail", context), await send(peer_of_a, "echo again", context)

    task, again = asyncio.run(fail())
    assert task.status.state == TaskState.failed and told_by(task) == "Agent execution failed"
    assert "scripted" not in task.model_dump_json()  # what went wrong inside is for the log
    assert text_of(again) == "again"


def test_a_cancelled_task_ends_its_stream_at_once_and_its_context_lives_on(url, token):
    def cancel(task):
        async def with_a_client_of_its_own():
            async with client(url, token) as other:
                states.append((await other.cancel_task(TaskIdParams(id=task))).status.state)

        return threading.Thread(target=asyncio.run, args=(with_a_client_of_its_own(),))

    async def drip():
        started = None
        async with asyncio.timeout(10), client(url, token) as peer_of_a:
            async for task, _ in peer_of_a.send_message(message("drip", "one")):
                if started is None:
                    started = cancel(task.id)
                    started.start()
            with pytest.raises(A2AClientJSONRPCError, match="cannot be canceled"):
                await peer_of_a.cancel_task(TaskIdParams(id=task.id))
            return task, text_of(await send(peer_of_a, "echo again", "one")), started

    states = []
    task, again, canceller = asyncio.run(drip())
    canceller.join(10)
    assert states == [TaskState.canceled] and task.status.state == TaskState.canceled
    assert again == "again"
