"""The desk before servers that sample, and that send a person to a web page: limits, the log, and what is answered."""

import asyncio

import pytest
from mcp.client import Client
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError
from mcp_types import (
    URL_ELICITATION_REQUIRED,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitCompleteNotification,
    ElicitRequest,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)

from helpers.approvals.calls import Call
from helpers.approvals.desk import MOST_QUESTIONS, Desk
from helpers.approvals.question import Answer
from helpers.approvals.sampling import ModelSampler
from helpers.approvals.scripted import ScriptedApprover
from helpers.apps.audit import AuditFailed
from tests.approvals.sampled import TOOLS, Scripted, describe, said, server
from tests.apps.gated import events
from tests.waiting import until

PAGE = "https://pay.example/order/7"
SAMPLE = CreateMessageRequest(params=CreateMessageRequestParams(messages=[said("?")], max_tokens=5))


def errors(raised):
    """All the errors of a group."""
    return [each for one in raised.exceptions for each in (errors(one) if isinstance(one, ExceptionGroup) else [one])]


def refusal(called):
    """What a call is refused with."""
    with pytest.raises((ExceptionGroup, MCPError)) as raised:
        called()
    (error,) = errors(raised.value) if isinstance(raised.value, ExceptionGroup) else [raised.value]
    assert isinstance(error, MCPError)
    return error.error


def call(shop, desk, era, **options):
    """Call its one tool, as a call that the desk knows."""

    async def called():
        callbacks = {"elicitation_callback": desk.elicit, "sampling_callback": desk.sample}
        async with Client(shop, mode=era, sampling_capabilities=TOOLS, **callbacks, **options) as client:
            made = Call("shop", "ask")
            async with desk.running(made):
                return await client.call_tool("ask")

    return asyncio.run(called())


# Sampling


def test_without_a_model_a_server_is_told_so(log, era):
    refused = refusal(lambda: describe(server(), Desk(ScriptedApprover([]), log, server="shop"), era))
    assert "has no model to sample" in refused.message and events(log) == []


@pytest.fixture
def insatiable(era):
    """A server that samples for ever: one by one over a session, and many at a time without one."""
    shop = MCPServer("shop")
    many = {str(number): SAMPLE for number in range(MOST_QUESTIONS + 5)}

    async def one_by_one(ctx: Context) -> str:
        while True:
            await ctx.session.send_request(SAMPLE, CreateMessageResult)

    async def many_at_a_time(ctx: Context) -> InputRequiredResult:
        return InputRequiredResult(input_requests=many)

    shop.add_tool(one_by_one if era == "legacy" else many_at_a_time, "ask")
    return shop


def test_a_server_that_samples_for_ever_meets_a_limit(log, era, insatiable):
    model = Scripted()
    desk = Desk(ScriptedApprover([]), log, server="shop", sampler=ModelSampler(model, per_minute=1000))
    refused = refusal(lambda: call(insatiable, desk, era))
    assert refused.message == f"The client does not sample: more than {MOST_QUESTIONS} questions in one call."
    assert len(model.asked) <= MOST_QUESTIONS and "refused" in events(log)


def test_questions_and_sampling_count_together(log):
    shop = MCPServer("shop")
    answered = []

    @shop.tool()
    async def ask(ctx: Context) -> str:
        """Ask and sample in turn."""
        while True:
            answered.append((await ctx.elicit_url("Pay?", PAGE, "pay-7")).action)
            await ctx.session.send_request(SAMPLE, CreateMessageResult)

    desk = Desk(ScriptedApprover({"ask": Answer("decline")}), log, server="shop", sampler=ModelSampler(Scripted()))
    desk.sampler.window.most = 1000
    assert "more than 20 questions" in refusal(lambda: call(shop, desk, "legacy")).message
    assert answered == ["decline"] * (MOST_QUESTIONS // 2) + ["cancel"]


def test_a_reply_that_cannot_be_written_down_does_not_leave(log, era, monkeypatch):
    def full(event, **facts):
        raise AuditFailed("The disk is full.")

    monkeypatch.setattr(log, "write", full)
    shop = server()
    desk = Desk(ScriptedApprover([]), log, server="shop", sampler=ModelSampler(Scripted()))
    assert "cannot write its log" in refusal(lambda: describe(shop, desk, era)).message and shop.got == []


def test_a_sampler_that_fails_is_an_error_for_the_server_and_not_the_end_of_the_client(log, era):
    async def broken(context, params):
        raise LookupError("the key is 1234")

    refused = refusal(lambda: describe(server(), Desk(ScriptedApprover([]), log, server="shop", sampler=broken), era))
    assert refused.message == "Sampling failed: LookupError." and events(log) == ["sampled"]


# Web pages


def pay(url=PAGE):
    """A server that sends a person to a page."""
    shop = MCPServer("shop")

    @shop.tool()
    async def ask(ctx: Context) -> str | InputRequiredResult:
        """Pay."""
        if ctx.protocol_version < "2026":
            return (await ctx.elicit_url("Pay?", url, "pay-7")).action
        if answers := ctx.input_responses:
            return f"{answers['pay'].action} {answers['pay'].content}"
        page = ElicitRequestURLParams(message="Pay?", url=url)
        return InputRequiredResult(input_requests={"pay": ElicitRequest(params=page)})

    return shop


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_a_page_is_accepted_or_declined_without_any_content(log, era, action):
    approver = ScriptedApprover([Answer(action, {"card": "1234"}, by="Maria")])
    result = call(pay(), Desk(approver, log, server="shop"), era)
    assert result.content[0].text == (action if era == "legacy" else f"{action} None")
    (question,) = approver.asked
    assert (question.url, question.schema, question.message) == (PAGE, {}, "Pay?")
    assert events(log) == ["asked", "answered"] and log.entries()[0].details["url"] == PAGE


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", ""])
def test_what_is_no_web_page_is_shown_to_nobody(log, era, url):
    approver = ScriptedApprover([])
    result = call(pay(url), Desk(approver, log, server="shop"), era)
    assert result.content[0].text.startswith("cancel") and approver.asked == [] and events(log) == ["refused"]


def test_a_page_that_nobody_looks_at_expires(log, era):
    desk = Desk(ScriptedApprover([ScriptedApprover.SILENT]), log, server="shop", seconds=0.2)
    assert call(pay(), desk, era).content[0].text.startswith("cancel") and events(log) == ["asked", "expired"]


def test_a_server_that_refuses_until_a_page_was_seen_tells_which_and_the_desk_can_ask(log, era):
    shop = MCPServer("shop")
    page = ElicitRequestURLParams(message="Sign in?", url=PAGE, elicitation_id="sign-in")

    @shop.tool()
    async def ask() -> str:
        """Needs somebody who is signed in."""
        raise UrlElicitationRequiredError([page])

    desk = Desk(ScriptedApprover([Answer("accept")]), log, server="shop")
    refused = refusal(lambda: call(shop, desk, era))
    assert refused.code == URL_ELICITATION_REQUIRED and events(log) == []
    (told,) = UrlElicitationRequiredError.from_error(refused).elicitations
    assert told == page
    context = type("Context", (), {"request_id": 1})()
    assert asyncio.run(desk.elicit(context, told)) == ElicitResult(action="accept")


def test_a_client_is_told_when_what_a_page_was_for_is_done(log):
    shop = MCPServer("shop")
    told = []

    @shop.tool()
    async def ask(ctx: Context) -> str:
        """Pay."""
        answer = await ctx.elicit_url("Pay?", PAGE, "pay-7")
        await ctx.session.send_elicit_complete("pay-7", related_request_id=ctx.request_id)
        return answer.action

    async def hear(message):
        told.append(message)

    desk = Desk(ScriptedApprover([Answer("accept")]), log, server="shop")
    assert call(shop, desk, "legacy", message_handler=hear).content[0].text == "accept"
    until(lambda: [type(each) for each in told] == [ElicitCompleteNotification])
    assert told[0].params.elicitation_id == "pay-7" and events(log) == ["asked", "answered"]
