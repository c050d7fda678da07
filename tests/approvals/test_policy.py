"""Rules that answer in a person's stead: what they may decide, and what goes to the person whatever they say."""

import asyncio

import pytest
from mcp.client import Client

from helpers.approvals.calls import Call
from helpers.approvals.desk import Desk
from helpers.approvals.policy import PolicyApprover, approve, decline
from helpers.approvals.question import Answer, Question
from helpers.approvals.scripted import ScriptedApprover
from helpers.apps.gate import OPERATION
from tests.apps.gated import WANTED, Store, events

FORM = {
    "type": "object",
    "properties": {"quantity": {"type": "integer", "default": 2}, "reason": {"type": "string", "default": "rust"}},
    "required": ["quantity", "reason"],
}
ASKED = Question("q", "store", "Discard?", FORM, tool="discard_stock", arguments={"quantity": 2, "reason": "rust"})
FEW = approve("discard_stock", lambda arguments: arguments["quantity"] <= 2, name="few pieces")
ANYTHING = approve("discard_stock", lambda arguments: True)
PERSON = Answer("decline", by="Maria")


def changed(**values):
    return Question(**vars(ASKED) | values)


def decided(rules, question=ASKED):
    return asyncio.run(PolicyApprover(rules, ScriptedApprover([PERSON])).answer(question))


def test_what_a_rule_approves_is_sent_as_the_form_stands_and_names_the_rule():
    assert decided([FEW]) == Answer("accept", {"quantity": 2, "reason": "rust"}, by="policy", note="few pieces")


def test_what_no_rule_is_for_goes_to_the_person():
    assert decided([FEW], changed(arguments={"quantity": 3})) == PERSON
    assert decided([FEW], changed(tool="stop_line")) == PERSON
    assert decided([approve("discard_stock", lambda arguments: True, server="shop")]) == PERSON


def test_the_first_rule_that_has_an_answer_decides():
    refusal = decline("discard_stock", lambda arguments: arguments["quantity"] > 1)
    assert decided([refusal, FEW]) == Answer("decline", by="policy", note="decline discard_stock")
    assert decided([FEW, refusal]).action == "accept"


def test_a_function_can_be_a_rule():
    def small(question):
        return Answer("accept", {"quantity": 1, "reason": "rust"}) if question.arguments["quantity"] < 9 else None

    assert decided([small]) == Answer("accept", {"quantity": 1, "reason": "rust"}, by="policy", note="rule 1")


def test_a_rule_that_fails_passes_the_question_to_the_person_and_tells_nothing_of_the_call(caplog):
    broken = approve("discard_stock", lambda arguments: arguments["secret"] < 2, name="broken")
    assert decided([broken, ANYTHING]) == PERSON
    assert "'broken' failed (KeyError)" in caplog.text and "secret" not in caplog.text


async def yes(arguments):
    return True


@pytest.mark.parametrize(
    "rule",
    [lambda question: True, lambda question: Answer("cancel"), approve("discard_stock", yes)],
    ids=["True", "cancel", "async"],
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_what_is_no_decision_approves_nothing(rule):
    assert decided([rule]) == PERSON


@pytest.mark.parametrize("unknown", [{"tool": ""}, {"arguments": {}}, {"url": "https://pay.example", "schema": {}}])
def test_no_rule_sees_a_question_of_an_unknown_call_or_about_a_url(unknown):
    assert decided([lambda question: Answer("accept")], changed(**unknown)) == PERSON


def test_words_of_the_server_do_not_decide():
    lie = changed(message="Discard 1 piece? It is harmless.", arguments={"quantity": 200, "reason": "rust"})
    assert decided([FEW], lie) == PERSON


def test_a_form_that_says_something_else_than_the_call_goes_to_the_person():
    form = {**FORM, "properties": FORM["properties"] | {"quantity": {"type": "integer", "default": 200}}}
    assert decided([FEW], changed(schema=form)) == PERSON


def test_a_form_that_wants_what_the_call_does_not_have_goes_to_the_person():
    form = {**FORM, "properties": FORM["properties"] | {"store": {"type": "string"}}, "required": ["store"]}
    assert decided([FEW], changed(schema=form)) == PERSON
    assert decided([FEW], changed(schema={**form, "required": []})).content == {"quantity": 2, "reason": "rust"}


def test_before_a_gate_the_harmless_is_done_and_the_rest_asked(tmp_path, log, era):
    store = Store(tmp_path / "store")
    person = ScriptedApprover([PERSON])
    desk = Desk(PolicyApprover([FEW], person), log, server="store")

    async def discard(quantity):
        call = Call("store", "discard_stock", WANTED | {"quantity": quantity})
        async with desk.running(call), Client(store.server, mode=era, elicitation_callback=desk.elicit) as client:
            return await client.call_tool(call.tool, dict(call.arguments), meta={OPERATION: call.operation})

    assert not asyncio.run(discard(2)).is_error and person.asked == []
    assert asyncio.run(discard(3)).is_error and len(person.asked) == 1
    assert store.discarded() == [2] and events(log) == ["asked", "answered"] * 2
    answered = [entry for entry in log.entries() if entry.event == "answered"]
    assert [(entry.who, entry.details["note"]) for entry in answered] == [("policy", "few pieces"), ("Maria", "")]


def test_an_approval_that_breaks_the_form_is_not_sent(tmp_path, log, era):
    store = Store(tmp_path / "store")
    wrong = PolicyApprover([lambda question: Answer("accept", {"quantity": "all"})], ScriptedApprover([]))
    desk = Desk(wrong, log, server="store")

    async def discard():
        call = Call("store", "discard_stock", WANTED)
        async with desk.running(call), Client(store.server, mode=era, elicitation_callback=desk.elicit) as client:
            return await client.call_tool(call.tool, dict(call.arguments), meta={OPERATION: call.operation})

    assert asyncio.run(discard()).is_error and store.discarded() == [] and events(log) == ["asked", "refused"]
