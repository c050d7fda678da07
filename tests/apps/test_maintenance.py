"""The factory's maintenance over MCP: progress, logs, sampling, a gate, and an agent as one tool; in both eras."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import mcp_types
import pytest
from mcp.client import Client

from helpers.apps import maintenance
from tests.apps.dying_agent import die
from tests.apps.factory import PROPOSAL, WANTED, Factory, accept
from tests.apps.gated import CANCEL, DECLINE
from tests.apps.mcp_calls import talk

REPLY = mcp_types.CreateMessageResult(
    role="assistant", model="scripted", content=mcp_types.TextContent(type="text", text="The kiln is too hot.")
)


@pytest.fixture
def factory(tmp_path):
    return Factory(tmp_path)


def connected(factory, era, work, **callbacks):
    async def talk():
        async with Client(factory.server, mode=era, **callbacks) as client:
            return await work(client)

    return asyncio.run(talk())


def test_all_lines_are_told_and_run_at_first(factory, era):
    result = connected(factory, era, lambda client: client.call_tool("list_lines", {}))
    lines = result.structured_content["result"]
    assert [line["line"] for line in lines] == ["cutting", "finishing"]
    assert {line["minutes_left"] for line in lines} == {0}


def test_an_inspection_reports_progress_machine_by_machine(factory, era):
    seen = []

    async def progress(done, total, message):
        seen.append((done, total, message))

    async def work(client):
        return await client.call_tool("inspect", {"line": "cutting"}, progress_callback=progress)

    findings = connected(factory, era, work).structured_content["result"]
    assert [finding["latest"]["machine"] for finding in findings] == ["saw-1", "planer-1", "router-1"]
    names = ("saw-1", "planer-1", "router-1")
    assert seen == [(n, 3, f"{name} inspected") for n, name in enumerate(names, 1)]


def test_an_inspection_logs_what_it_finds(factory):
    logged = []

    async def log(params):
        logged.append(params.data)

    connected(
        factory, "legacy", lambda client: client.call_tool("inspect", {"line": "finishing"}), logging_callback=log
    )
    assert len(logged) == 3 and logged[0].startswith("sander-1: ")


def test_an_inspection_that_is_cancelled_ends(factory, era, monkeypatch):
    async def work(client):
        began, ended = asyncio.Event(), asyncio.Event()

        async def sleep(seconds):
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        monkeypatch.setattr(maintenance, "anyio", SimpleNamespace(sleep=sleep))
        call = asyncio.ensure_future(client.call_tool("inspect", {"line": "cutting"}))
        await began.wait()
        call.cancel()
        async with asyncio.timeout(10):
            await ended.wait()
        return await client.call_tool("list_lines", {})

    assert not connected(factory, era, work).is_error


def test_a_diagnosis_asks_the_callers_model_with_the_readings(factory, era):
    sampled = []

    async def sample(context, params):
        sampled.append(params)
        return REPLY

    result = connected(
        factory, era, lambda client: client.call_tool("diagnose", {"line": "Finishing"}), sampling_callback=sample
    )
    assert result.structured_content == {"line": "finishing", "said": "The kiln is too hot.", "model": "scripted"}
    (params,) = sampled
    text = params.messages[0].content.text
    assert all(machine in text for machine in ("sander-1", "kiln-1", "packer-1")) and "saw-1" not in text
    assert text == factory.readings("finishing"), "the same in each round"


def test_a_model_that_answers_with_a_picture_is_refused(factory, era):
    async def sample(context, params):
        picture = mcp_types.ImageContent(type="image", data="", mime_type="image/png")
        return REPLY.model_copy(update={"content": picture})

    result = connected(
        factory, era, lambda client: client.call_tool("diagnose", {"line": "cutting"}), sampling_callback=sample
    )
    assert result.is_error and "Use one that writes text" in result.content[0].text


@pytest.mark.parametrize("tool", ["inspect", "diagnose", "stop_line"])
def test_a_line_that_there_is_not_is_refused_before_anything_is_asked(factory, era, tool):
    arguments = {"line": "painting"} | ({"minutes": 5, "reason": ""} if tool == "stop_line" else {})
    result = connected(factory, era, lambda client: client.call_tool(tool, arguments))
    assert result.is_error and "There are cutting, finishing" in result.content[0].text and factory.events() == []


def test_a_line_is_stopped_once_for_as_long_as_was_approved(factory, era):
    result, (question,) = factory.call(accept(minutes=20), era, "op-1")
    again, asked = factory.call(accept(), era, "op-1")
    assert "saw-1" in question.message and "for 30 minutes" in question.message
    assert result.structured_content == {"line": "cutting", "minutes": 20, "reason": "blade"}
    assert again.structured_content == result.structured_content and asked == []
    assert factory.stops() == [20] and factory.lines.line("cutting").minutes_left == 20
    assert factory.events() == ["asked", "approved", "begun", "done"]


@pytest.mark.parametrize("answer", [DECLINE, CANCEL])
def test_what_is_not_approved_does_not_stop(factory, era, answer):
    result, _ = factory.call(answer, era)
    assert result.is_error and factory.stops() == [] and factory.lines.line("cutting").minutes_left == 0


def test_a_line_that_stands_still_is_not_stopped_again(factory, era):
    factory.call(accept(), era)
    result, _ = factory.call(accept(), era)
    assert result.is_error and "stands still already" in result.content[0].text and factory.stops() == [30]


def test_a_stop_ends_by_itself(factory):
    factory.call(accept(), "auto")
    with closing(sqlite3.connect(factory.lines.path)) as database, database:
        database.execute("update stops set at = at - 1801")
    assert factory.lines.line("cutting").minutes_left == 0


def test_the_agent_has_a_line_stopped_once_a_person_approves(factory, era):
    result, (question,) = factory.ask(accept(), era)
    assert result.structured_content["done"] == WANTED and "for 30 minutes" in question.message
    assert factory.stops() == [30]


def test_the_agent_is_told_that_nobody_approved(factory, era):
    result, _ = factory.ask(DECLINE, era)
    assert "declined" in result.structured_content["answer"] and factory.stops() == []


def test_the_agent_looks_and_proposes_nothing_that_cannot_be(tmp_path, era):
    turns = [("look_at_line", {"line": "cutting"}), ("stop_line", {**PROPOSAL[1], "line": "painting"})]
    result, asked = Factory(tmp_path, [turns[0], turns[1]]).ask(accept(), era)
    assert "Beyond their limits on the line cutting" in result.structured_content["answer"]
    assert "There is no line 'painting'" in result.structured_content["answer"] and asked == []


@pytest.mark.parametrize(
    ("step", "stops", "again"),
    [("after proposal", [], True), ("after approved", [], False), ("after done", [30], False)],
)
def test_killed_at_any_step_it_stops_the_line_once(tmp_path, era, step, stops, again):
    assert die(tmp_path, era, step, Factory, accept()) == -signal.SIGKILL
    factory = Factory(tmp_path)
    assert factory.stops() == stops
    result, asked = factory.ask(accept(), era, "op-1")
    assert result.structured_content["done"] == WANTED and len(asked) == again
    assert factory.stops() == [30] and factory.turns() == 2


def test_the_program_serves_it_at_a_site(network):
    program = network["b"].start("maintenance", "--pause", "0")
    tools = talk(network, program, lambda client: client.list_tools()).tools
    gated = {tool.name for tool in tools if (tool.meta or {}).get("workshop/gated")}
    assert gated == {"stop_line", "ask_maintenance"}
    assert {"list_lines", "inspect", "diagnose"} <= {tool.name for tool in tools}
