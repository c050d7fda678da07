"""A connection: what an agent and a notebook do with it, and what it repeats and what it does not."""

import asyncio
import os
import signal
import threading
from concurrent.futures import CancelledError
from datetime import timedelta

import pytest
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel
from strands import Agent

from helpers.approvals.calls import Calls
from helpers.approvals.connection import Connection
from helpers.approvals.desk import MOST_QUESTIONS, Desk
from helpers.approvals.question import Answer
from helpers.approvals.scripted import SILENT, ScriptedApprover
from helpers.apps import stateful
from tests.approvals import kernel
from tests.apps.agents import Scripted
from tests.apps.gated import WANTED, Store, events
from tests.region.gateway.upstreams import served
from tests.waiting import until

YES = Answer("accept", {"quantity": 1, "reason": "rust"}, by="Maria")


class Sure(BaseModel):
    sure: bool


@pytest.fixture
def plain():
    """A server whose tools are not gated; `ran` is what ran."""
    made = MCPServer("plain")
    made.ran = []

    @made.tool()
    async def count(to: int, context: Context) -> int:
        """Count."""
        made.ran.append(to)
        for i in range(to):
            await context.report_progress(i + 1, to, "counting")
            await context.info(f"{i + 1}")
        return to

    @made.tool()
    async def nag(context: Context) -> str:
        """Ask for ever."""
        while True:
            made.ran.append(await context.elicit("Sure?", schema=Sure))

    @made.tool()
    async def hang() -> str:
        """Never end."""
        made.ran.append("hang")
        await asyncio.Event().wait()
        return "never"

    @made.tool()
    async def die() -> str:
        """End the program."""
        made.ran.append("die")
        os.kill(os.getpid(), signal.SIGKILL)
        return "never"

    return made


def desk(log, *answers, **more):
    return Desk(ScriptedApprover(answers), log, server="store", **more)


def said(answer):
    return answer["content"][0]["text"]


def test_an_agent_calls_the_tools_and_a_person_is_asked_meanwhile(tmp_path, log, era):
    store = Store(tmp_path)
    model = Scripted([[("discard_stock", WANTED)], "One piece was discarded."], tmp_path / "asked")
    agent = Agent(model=model, tools=[Connection(store.server, desk(log, YES), mode=era)], callback_handler=None)
    assert "One piece" in str(agent("Discard two of GT-201."))
    assert store.discarded() == [1] and store.events()[-1] == "done"
    agent.cleanup()


def test_tools_are_called_from_a_loop_that_is_running(tmp_path, log, era):
    store = Store(tmp_path)

    async def cell():
        with Connection(store.server, desk(log, YES, YES), mode=era) as connection:
            first = await connection.call_tool_async("1", "discard_stock", WANTED)
            return first, connection.call_tool_sync("2", "discard_stock", WANTED | {"reason": "wet"})

    first, second = asyncio.run(cell())
    assert first["status"] == second["status"] == "success" and store.discarded() == [1, 1]


def test_progress_and_logs_are_told(plain, log):
    told, logged = [], []

    async def progress(*given):
        told.append(given)

    async def logging(params):
        logged.append(params.data)

    with Connection(plain, desk(log), mode="legacy", progress=progress, logging=logging) as connection:
        assert connection.call_tool_sync("1", "count", {"to": 3})["structuredContent"] == {"result": 3}
    assert told == [(1, 3, "counting"), (2, 3, "counting"), (3, 3, "counting")] and logged == ["1", "2", "3"]


def test_a_server_that_asks_for_ever_is_answered_a_limited_number_of_times(plain, log):
    with Connection(plain, desk(log, *[Answer("accept", {"sure": True})] * 100), mode="legacy") as connection:
        threading.Thread(target=connection.call_tool_sync, args=("1", "nag"), daemon=True).start()
        until(lambda: len(plain.ran) > MOST_QUESTIONS + 3)
        assert len(connection.desk.approver.asked) == MOST_QUESTIONS
        assert {answer.action for answer in plain.ran[MOST_QUESTIONS:]} == {"cancel"}


def test_a_call_whose_question_nobody_answers_ends(tmp_path, log, era):
    store = Store(tmp_path)
    with Connection(store.server, desk(log, SILENT, seconds=0.2), mode=era) as connection:
        answer = connection.call_tool_sync("1", "discard_stock", WANTED)
    assert "cancelled; nothing was done" in said(answer) and store.discarded() == []
    assert events(log) == ["called", "asked", "expired", "returned"]


def test_a_call_is_cancelled_where_its_agent_is(plain, log):
    cancel = threading.Event()

    async def cancelled():
        with Connection(plain, desk(log)) as connection:
            calling = asyncio.ensure_future(connection.call_tool_async("1", "hang", cancel_signal=cancel))
            await asyncio.to_thread(until, lambda: "hang" in plain.ran)
            cancel.set()
            with pytest.raises(asyncio.CancelledError):
                await calling

    asyncio.run(cancelled())
    assert events(log) == ["called", "failed"]


def test_what_became_of_a_cancelled_call_is_noted_before_its_connection_is_closed(plain, log, monkeypatch):
    note = Connection._note

    async def slow(self, event, call, **details):
        await asyncio.sleep(0.2 if event == "failed" else 0)  # a disk that is busy
        await note(self, event, call, **details)

    monkeypatch.setattr(Connection, "_note", slow)
    test_a_call_is_cancelled_where_its_agent_is(plain, log)


@pytest.mark.parametrize("limit", [timedelta(seconds=0.3), None], ids=["its time is over", "its caller is cancelled"])
def test_a_call_ends_with_who_waits_for_it(plain, log, limit):
    async def left():
        with Connection(plain, desk(log)) as connection:
            calling = asyncio.ensure_future(connection.call_tool_async("1", "hang", read_timeout_seconds=limit))
            await asyncio.to_thread(until, lambda: "hang" in plain.ran)
            if limit is None:
                calling.cancel()
            with pytest.raises(TimeoutError if limit else asyncio.CancelledError):
                await calling
            await asyncio.to_thread(until, lambda: events(log)[-1] == "failed")

    asyncio.run(left())


def test_a_tool_that_is_not_gated_is_not_repeated_when_the_connection_breaks(plain, log):
    with served(stateful.application(plain, [])) as url:
        connection = Connection(f"{url}/mcp", desk(log))
        connection.list_tools_sync()
        threading.Thread(target=lambda: until(lambda: plain.ran) or leave.set()).start()
        leave = threading.Event()
        answers = []
        calling = threading.Thread(target=lambda: answers.append(connection.call_tool_sync("1", "hang")))
        calling.start()
        assert leave.wait(20)
    calling.join(30)
    connection.close()
    assert answers[0]["status"] == "error" and plain.ran == ["hang"]
    assert events(log)[-1] == "cut off"


def test_a_server_that_is_not_there_is_told_of(log):
    connection = Connection("http://127.0.0.1:9/mcp", desk(log), patience=0.1)
    with pytest.raises(Exception, match="cannot be reached"):
        connection.list_tools_sync()
    assert "cannot be reached" in said(connection.call_tool_sync("1", "count_stock", {"sku": "GT-201"}))
    connection.close()


def test_the_result_of_an_operation_is_told_again_and_nothing_is_done_again(tmp_path, log, era):
    store, calls = Store(tmp_path), Calls(tmp_path / "calls.sqlite")
    with Connection(store.server, desk(log, YES), mode=era, calls=calls) as connection:
        first = connection.call_tool_sync("1", "discard_stock", WANTED, operation="op-1")
        again = connection.call_tool_sync("1", "discard_stock", WANTED, operation="op-1")
    assert first["structuredContent"] == again["structuredContent"] and store.discarded() == [1]


def test_two_kernels_that_answer_the_same_operation_discard_once(tmp_path, era):
    store = Store(tmp_path / "store")
    both = threading.Barrier(2)

    def person(_):
        both.wait(20)
        return YES

    answers = []

    def run(name):
        with kernel.connection(tmp_path / name, store.server, era, [person]) as connection:
            answers.append(connection.call_tool_sync("1", "discard_stock", WANTED, operation="op-1"))

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert store.discarded() == [1] and store.events().count("begun") == 1
    assert "success" in {answer["status"] for answer in answers}


def test_the_same_operation_with_other_arguments_is_refused(tmp_path, log, era):
    store = Store(tmp_path)
    with Connection(store.server, desk(log, YES), mode=era) as connection:
        connection.call_tool_sync("1", "discard_stock", WANTED, operation="op-1")
        other = Connection(store.server, desk(log, YES), mode=era)
        answer = other.call_tool_sync("1", "discard_stock", WANTED | {"quantity": 20}, operation="op-1")
        other.close()
    assert "is another one" in said(answer) and store.discarded() == [1]


def test_in_a_new_session_tools_are_listed_anew(plain, log):
    with Connection(plain, desk(log), mode="legacy") as connection:
        plain.tool(name="later")(lambda: "later")
        assert "later" not in {tool.name for tool in connection.list_tools_sync()}, "nobody told"
        connection._run(connection.session.forget, connection.session._opened)
        connection.call_tool_sync("1", "count", {"to": 1})
        assert "later" in {tool.name for tool in connection.list_tools_sync()}


def test_nothing_is_called_when_the_log_cannot_be_written(tmp_path, log, era, monkeypatch):
    store = Store(tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "write", full)
    with Connection(store.server, desk(log, YES), mode=era) as connection:
        assert "No space left" in said(connection.call_tool_sync("1", "discard_stock", WANTED))
    assert store.events() == []


def test_no_thread_is_left_when_it_is_closed(plain, log):
    before = threading.active_count()
    with Connection(plain, desk(log)) as connection:
        connection.call_tool_sync("1", "count", {"to": 1})
    until(lambda: threading.active_count() <= before)


def test_closing_ends_a_call_that_waits_and_another_kernel_goes_on_with_it(tmp_path, era):
    store = Store(tmp_path / "store")
    first = kernel.connection(tmp_path, store.server, era, [SILENT])
    first.list_tools_sync()
    ended = []

    def call():
        try:
            first.call_tool_sync("1", "discard_stock", WANTED)
        except CancelledError as error:
            ended.append(error)

    calling = threading.Thread(target=call)
    calling.start()
    until(lambda: first.desk.approver.asked)
    first.close()
    calling.join(20)
    assert ended and store.discarded() == []
    with kernel.connection(tmp_path, store.server, era, [YES]) as again:
        [call] = again.resume()
    assert call.state == "returned" and store.discarded() == [1]
