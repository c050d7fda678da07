"""Sessions with a gateway while a question is open: it expires, its tools change, a question is taken back."""

import asyncio
import threading
from contextlib import suppress
from typing import Annotated

import pytest
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Resolve, Sample
from mcp_types import CreateMessageResultWithTools
from pydantic import BaseModel

from helpers.approvals.connection import Connection
from helpers.approvals.desk import Desk
from helpers.approvals.question import Answer
from helpers.approvals.recorder import Recorder
from helpers.approvals.sampling import ModelSampler
from helpers.approvals.scripted import SILENT, ScriptedApprover
from helpers.apps import stateful
from tests.approvals.sampled import PRICE, Scripted, said
from tests.apps.gated import WANTED, Store, events
from tests.region.gateway.conftest import STREAMS
from tests.region.gateway.upstreams import served
from tests.waiting import until

YES = Answer("accept", {"quantity": 1, "reason": "rust"}, by="Maria")
BOTH = STREAMS | {"supportedVersions": ["2025-11-25", "2026-07-28"]}


class Sure(BaseModel):
    sure: bool


@pytest.fixture
def behind(gateways):
    """Puts a server behind a new gateway; the gateway's id and address, and the target's."""
    stack = []

    def put(server):
        at = served(stateful.application(server, []))
        stack.append(at)
        gateway, url = gateways.make(BOTH)
        target = gateways.server(gateway, "shop", at.__enter__())
        return gateway, url, target["targetId"]

    yield put
    for each in stack:
        each.__exit__(None, None, None)


def of(gateway, region):
    """A gateway's sessions. The Region is that of all tests, and has others."""
    return [each for each in region.gateways.endpoint.sessions.known.values() if each.gateway_id == gateway]


class Person:
    """Answers when it is told to."""

    def __init__(self):
        self.asked, self.answers = [], threading.Event()

    def __call__(self, question):
        self.asked.append(question)
        assert self.answers.wait(30)
        return YES


def test_a_session_that_expires_while_its_question_is_open_loses_nothing(tmp_path, log, behind, region):
    store, person = Store(tmp_path), Person()
    gateway, url, _ = behind(store.server)
    results = []
    with Connection(url, Desk(ScriptedApprover([person]), log, server="store"), mode="legacy") as connection:
        calling = threading.Thread(
            target=lambda: results.append(connection.call_tool_sync("1", "shop___discard_stock", WANTED))
        )
        calling.start()
        until(lambda: person.asked)
        (old,) = of(gateway, region)
        old.expires = 0
        until(lambda: old not in of(gateway, region))
        until(lambda: any(session.pending for session in of(gateway, region)))
        person.answers.set()
        calling.join(30)
    assert results[0]["status"] == "success" and store.discarded() == [1]
    assert len(person.asked) == 1 and events(log).count("asked") == 1


def test_tools_that_change_while_a_question_is_open_are_told_and_the_question_stays(
    tmp_path, log, behind, gateways, region
):
    store, person, recorder, results = Store(tmp_path), Person(), Recorder(), []
    gateway, url, target = behind(store.server)
    connection = Connection(
        url, Desk(ScriptedApprover([person]), log, server="store"), mode="legacy", recorder=recorder
    )
    with connection:
        calling = threading.Thread(
            target=lambda: results.append(connection.call_tool_sync("1", "shop___discard_stock", WANTED))
        )
        calling.start()
        until(lambda: person.asked)
        until(lambda: all(session.streams for session in of(gateway, region)))

        @store.server.tool()
        def opening_hours() -> str:
            """When the store is open."""
            return "9 to 18"

        gateways.control.synchronize_gateway_targets(gatewayIdentifier=gateway, targetIdList=[target])
        until(lambda: any(m.body.get("method") == "notifications/tools/list_changed" for m in recorder.messages))
        assert len(of(gateway, region)) == 1, "the session went on"
        person.answers.set()
        calling.join(30)
        assert "shop___opening_hours" in {tool.name for tool in connection.list_tools_sync()}
    assert results[0]["status"] == "success" and store.discarded() == [1]


def test_a_question_that_is_taken_back_goes_before_the_next_one_is_asked(log, behind):
    shop = MCPServer("shop")

    @shop.tool()
    async def reorder(context: Context) -> str:
        """Ask twice: nobody answers the first time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await context.elicit("Order ten?", schema=Sure)
        return (await context.elicit("Order five?", schema=Sure)).action

    _, url, _ = behind(shop)

    def second(_):
        until(lambda: "withdrawn" in events(log))  # so that the first form is gone while the second one is there
        return Answer("accept", {"sure": True})

    person = ScriptedApprover([SILENT, second])
    with Connection(url, Desk(person, log, server="shop"), mode="legacy") as connection:
        answer = connection.call_tool_sync("1", "shop___reorder")
    assert answer["content"][0]["text"] == "accept"
    assert sorted(events(log)) == ["answered", "asked", "asked", "called", "returned", "withdrawn"]


def test_a_server_behind_a_gateway_samples_with_tools(log, behind, era):
    shop = MCPServer("shop")

    def wanted() -> Sample:
        return Sample([said("What does a spade cost?")], max_tokens=50, tools=[PRICE])

    @shop.tool()
    def price(reply: Annotated[CreateMessageResultWithTools, Resolve(wanted)]) -> str:
        """What the model wants to use."""
        (use,) = reply.content if isinstance(reply.content, list) else [reply.content]
        return f"{use.name} {use.input}"

    _, url, _ = behind(shop)
    desk = Desk(
        ScriptedApprover([]), log, server="shop", sampler=ModelSampler(Scripted(("price", '{"sku": "GT-201"}')))
    )
    with Connection(url, desk, mode=era) as connection:
        answer = connection.call_tool_sync("1", "shop___price")
    assert answer["content"][0]["text"] == "price {'sku': 'GT-201'}"
    assert events(log) == ["called", "sampled", "returned"]
