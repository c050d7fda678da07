"""The desk before a store's gate, in both eras: what it lets through, what it writes down, and what it remembers."""

import asyncio
from types import SimpleNamespace

import pytest
from mcp.client import Client
from mcp_types import ElicitRequestFormParams
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from helpers.approvals.calls import Answers, Call
from helpers.approvals.desk import Desk
from helpers.approvals.question import Answer
from helpers.approvals.scripted import NoAnswerLeft, ScriptedApprover
from helpers.apps.audit import AuditFailed
from helpers.apps.gate import OPERATION
from tests.apps.gated import WANTED, Store, events

YES = Answer("accept", {"quantity": 1, "reason": "rust"}, by="Maria")
FORM = {"type": "object", "properties": {"quantity": {"type": "integer"}, "reason": {"type": "string"}}}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def call(store, desk, era, operation="op-1"):
    async def called():
        async with Client(store.server, mode=era, elicitation_callback=desk.elicit) as client:
            return await client.call_tool("discard_stock", WANTED, meta={OPERATION: operation})

    return asyncio.run(called())


def test_an_answer_is_written_down_with_who_gave_it_before_anything_is_done(store, log, era):
    result = call(store, Desk(ScriptedApprover([YES]), log, server="store"), era)
    assert result.structured_content["quantity"] == 1 and store.discarded() == [1]
    assert events(log) == ["asked", "answered"] and log.verify() == 2
    assert (log.entries()[1].who, log.entries()[1].details["content"]) == ("Maria", {"quantity": 1, "reason": "rust"})


def test_the_trace_shows_when_a_person_was_asked_and_not_what_was_said(store, log):
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    async def ask():
        desk = Desk(ScriptedApprover([YES]), log, server="store")
        form = ElicitRequestFormParams(message="Discard 2 of P-1001?", requested_schema=FORM)
        with provider.get_tracer("t").start_as_current_span("execute_tool"):
            async with desk.running(Call("store", "discard_stock", WANTED)):
                return await desk.elicit(SimpleNamespace(request_id=1), form)

    assert asyncio.run(ask()).action == "accept"
    (span,) = spans.get_finished_spans()
    assert [event.name for event in span.events] == ["approval.asked", "approval.answered"]
    told = dict(span.events[1].attributes)
    assert told.pop("workshop.question") and told == {"workshop.tool": "discard_stock", "workshop.action": "accept"}


def test_the_approver_is_told_what_the_gate_told(store, log):
    approver = ScriptedApprover([Answer("decline")])
    call(store, Desk(approver, log, server="store"), "legacy")
    (question,) = approver.asked
    assert (question.server, question.operation) == ("store", "op-1") and "Discard 2 of" in question.message
    assert question.seconds_left() <= 60, "the gate's deadline comes before the desk's"


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_what_is_not_accepted_is_not_done(store, log, era, action):
    result = call(store, Desk(ScriptedApprover([Answer(action)]), log, server="store"), era)
    assert result.is_error and store.discarded() == []


@pytest.mark.parametrize("content", [{}, {"quantity": 501, "reason": ""}, {"quantity": "1", "reason": ""}])
def test_an_answer_that_breaks_the_form_is_not_sent(store, log, era, content):
    given = Answer("accept", {"reason": "rust"} | content if content else {"quantity": None, "reason": None})
    result = call(store, Desk(ScriptedApprover([given]), log, server="store"), era)
    assert result.is_error and "cancelled" in result.content[0].text and store.discarded() == []
    assert events(log) == ["asked", "refused"]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({f"field {n}": {"type": "string"} for n in range(200)}, "200 fields"),
        ({"address": {"type": "object", "properties": {"street": {"type": "string"}}}}, "nested object"),
        ({"address": {"$ref": "https://attacker.example/schema"}}, "$ref"),
    ],
)
def test_a_form_that_mcp_does_not_allow_never_reaches_the_approver(log, properties, said):
    approver = ScriptedApprover([YES])
    desk = Desk(approver, log, server="store")
    params = ElicitRequestFormParams(message="?", requested_schema={"type": "object", "properties": properties})
    assert asyncio.run(desk.elicit(None, params)).action == "cancel"
    assert approver.asked == [] and events(log) == ["refused"]
    assert said in log.entries()[0].details["reason"]


def test_an_approver_that_never_answers_is_waited_for_until_the_deadline(store, log, era):
    result = call(store, Desk(ScriptedApprover([ScriptedApprover.SILENT]), log, server="store", seconds=0.2), era)
    assert result.is_error and store.discarded() == [] and events(log) == ["asked", "expired"]


def test_an_approver_that_fails_approves_nothing(store, log, era):
    result = call(store, Desk(ScriptedApprover([]), log, server="store"), era)
    assert result.is_error and store.discarded() == [] and events(log) == ["asked", "failed"]
    assert NoAnswerLeft.__name__ in log.entries()[1].details["reason"]


def test_without_a_record_nothing_is_approved(store, log, era, monkeypatch):
    def full(event, **facts):
        raise AuditFailed("The disk is full.")

    monkeypatch.setattr(log, "write", full)
    approver = ScriptedApprover([YES])
    result = call(store, Desk(approver, log, server="store"), era)
    assert result.is_error and store.discarded() == [] and approver.asked == []


def test_an_answer_that_did_not_arrive_is_given_again_and_nobody_is_asked_twice(store, log, tmp_path):
    class Lost(Exception):
        """The process ends when the answer was written down, and before it is sent."""

    class Losing(Desk):
        async def elicit(self, context, params):
            await super().elicit(context, params)
            raise Lost

    path = tmp_path / "answers.sqlite"
    with pytest.raises(ExceptionGroup):
        call(store, Losing(ScriptedApprover([YES]), log, server="store", answers=Answers(path)), "legacy")
    assert store.discarded() == []
    anew = ScriptedApprover([])
    result = call(store, Desk(anew, log, server="store", answers=Answers(path)), "legacy")
    assert not result.is_error and anew.asked == [] and store.discarded() == [1]
    assert events(log) == ["asked", "answered", "answered again"]
