"""What hangs on a session: questions of a client that goes away, and the deadline of a question."""

import asyncio
import json

import pytest
from mcp.client.client import Client as McpClient
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ElicitResult

from helpers.apps import stateful
from tests.region.gateway.conftest import Client
from tests.region.gateway.upstreams import Approval, served
from tests.waiting import until


def server():
    made = MCPServer("asking")
    made.calls = []

    @made.tool()
    async def order(units: int, ctx: Context) -> str:
        """Order, if a person agrees."""
        try:
            answer = await ctx.elicit(f"Order {units}?", schema=Approval)
        finally:
            made.calls.append(units)
        return answer.action

    return made


@pytest.fixture(params=["direct", "gateway"])
def asking(request, gateways):
    """A server whose questions wait as long as is said: the server, its sessions, its address, and the tool's name."""
    stack = []

    def start(seconds):
        made = server()
        app = stateful.application(made, [], question_seconds=seconds)
        behind = served(app)
        stack.append(behind)
        url = behind.__enter__()
        if request.param == "direct":
            return made, app.state.sessions, f"{url}/mcp", "order"
        gateway, address = gateways.make()
        gateways.server(gateway, "a", url)
        return made, app.state.sessions, address, "a___order"

    yield start
    for each in stack:
        each.__exit__(None, None, None)


def test_a_question_that_nobody_answers_ends_the_call_and_is_taken_back(asking):
    _, _, url, name = asking(0.3)
    ended = []

    async def never(context, params):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append(params.message)
            raise
        return ElicitResult(action="decline")

    async def ask():
        async with McpClient(url, mode="legacy", elicitation_callback=never) as client:
            return await client.call_tool(name, {"units": 3})

    answer = asyncio.run(ask())
    assert answer.is_error and "Nobody answered within 0.3 s" in answer.content[0].text
    assert ended == ["Order 3?"]


def test_questions_at_once_get_their_own_answers(asking):
    _, _, url, name = asking(20)

    async def answer(context, params):
        return (
            ElicitResult(action="accept", content={"approve": True})
            if "1" in params.message
            else ElicitResult(action="decline")
        )

    async def ask():
        async with McpClient(url, mode="legacy", elicitation_callback=answer) as client:
            return await asyncio.gather(*(client.call_tool(name, {"units": units}) for units in (1, 2)))

    assert [each.content[0].text for each in asyncio.run(ask())] == ["accept", "decline"]


@pytest.mark.parametrize("asking", ["gateway"], indirect=True)
def test_a_client_that_goes_away_takes_its_question_along_and_its_session_still_works(asking, region):
    made, behind, url, name = asking(60)
    client = Client(url)
    client.begin(capabilities={"elicitation": {}})
    session = region.gateways.endpoint.sessions.known[client.headers["mcp-session-id"]]
    call = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": name, "arguments": {"units": 7}}}
    with client.http.stream("POST", url, json=call, headers=client.headers) as stream:
        question = next(json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
    until(lambda: made.calls == [7] and not session.pending and not session.running)
    late = client.post({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}})
    assert late.status_code == 400 and late.json()["error"]["code"] == -32600
    assert client.tools() == [name]
    client.http.delete(url, headers=client.headers)
    until(lambda: not behind.known)
