"""What passes between a client and a server over HTTP is kept, in its order, and nothing else is different for it."""

import asyncio
from contextvars import ContextVar
from typing import Annotated

import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp_types import ElicitResult
from pydantic import BaseModel

from helpers.approvals.recorder import Recorder
from tests.region.gateway.upstreams import served

whose = ContextVar("whose", default="nobody's")


class Approval(BaseModel):
    approve: bool


def question(units: int) -> Elicit[Approval]:
    return Elicit(f"Order {units}?", Approval)


@pytest.fixture(scope="module")
def url():
    server = MCPServer("asking")

    @server.tool()
    async def order(units: int, ctx: Context, answer: Annotated[Approval, Resolve(question)]) -> str:
        """Order, if a person agrees."""
        for done in (1, 2):
            await ctx.report_progress(done, 2)
        return f"{units}: {answer.approve}"

    with served(server.streamable_http_app()) as address:
        yield f"{address}/mcp"


async def order(transport, era, units=3):
    """What comes of a call, whose call the question belonged to, and what was told of progress."""
    seen, told = [], []

    async def elicit(context, params):
        seen.append(whose.get())
        return ElicitResult(action="accept", content={"approve": True})

    async def progress(done, total, message):
        told.append((done, total))

    async with Client(transport, mode=era, elicitation_callback=elicit) as client:

        async def call(name, units):
            whose.set(name)
            return await client.call_tool("order", {"units": units}, progress_callback=progress)

        results = await asyncio.gather(call("Maria's", units), call("Jan's", units + 1))
    return [result.content[0].text for result in results], sorted(seen), told


def said(message):
    return message.body.get("method") or next(key for key in ("result", "error") if key in message.body)


def test_all_messages_are_kept_in_their_order_and_between_whom(url, era):
    recorder = Recorder("agent", "store")
    texts, _, told = asyncio.run(order(recorder.transport(streamable_http_client(url)), era))
    assert texts == ["3: True", "4: True"] and sorted(told) == [(1, 2), (1, 2), (2, 2), (2, 2)]
    messages = recorder.messages
    assert [message.at for message in messages] == sorted(message.at for message in messages)
    assert said(messages[0]) == ("initialize" if era == "legacy" else "server/discover")
    assert (messages[0].sender, messages[0].receiver) == ("agent", "store")
    assert (messages[1].sender, messages[1].receiver, said(messages[1])) == ("store", "agent", "result")
    kinds = [said(message) for message in messages]
    assert kinds.count("notifications/progress") == 4
    if era == "legacy":
        assert kinds.count("elicitation/create") == 2 and kinds.count("tools/call") == 2
    else:
        assert kinds.count("tools/call") == 4, "each call is made again with the answer"
    calls = [message.body["id"] for message in messages if said(message) == "tools/call"]
    results = [message.body["id"] for message in messages if message.sender == "store" and said(message) == "result"]
    assert set(calls) <= set(results)


def test_a_question_is_answered_in_the_context_of_its_call_with_a_recorder_and_without(url, era):
    plain = asyncio.run(order(streamable_http_client(url), era))
    recorded = asyncio.run(order(Recorder().transport(streamable_http_client(url)), era))
    assert plain[1] == recorded[1] == ["Jan's", "Maria's"]


def test_what_was_kept_can_be_forgotten_and_is_nobody_else_s_list(url):
    recorder = Recorder()
    asyncio.run(order(recorder.transport(streamable_http_client(url)), "legacy"))
    recorder.messages.clear()
    assert recorder.messages
    recorder.clear()
    assert recorder.messages == []
