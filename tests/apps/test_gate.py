"""The gate: nothing without an approval, nothing twice, in both eras of MCP, whatever dies in between."""

import signal

import pytest

from helpers.apps.audit import AuditFailed
from helpers.apps.stock import Stock
from tests.apps.dying import DEATHS, die
from tests.apps.gated import CANCEL, DECLINE, Store, accept

STEPS = ["asked", "approved", "begun", "done"]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def text(result):
    return result.content[0].text


def test_an_approved_operation_is_carried_out_and_every_step_is_logged(store, era):
    result, asked = store.call(accept(), era)
    assert result.structured_content == {
        "sku": "GT-201",
        "quantity": 2,
        "reason": "broken handles",
        "left": result.structured_content["left"],
    }
    assert store.discarded() == [2] and len(asked) == 1
    assert store.events() == STEPS and store.gate.log.verify() == 4


def test_the_question_tells_what_is_to_be_done_and_until_when(store, era):
    _, (question,) = store.call(DECLINE, era)
    assert "Discard 2 of" in question.message and "broken handles" in question.message and "UTC" in question.message
    assert question.requested_schema["properties"]["quantity"]["default"] == 2


def test_a_number_changed_in_the_form_is_what_is_done_and_what_is_logged(store, era):
    result, _ = store.call(accept(quantity=1), era)
    assert result.structured_content["quantity"] == 1 and store.discarded() == [1]
    asked, approved, *_ = store.gate.log.entries()
    assert (asked.arguments["quantity"], approved.details["approved"]["quantity"]) == (2, 1)


@pytest.mark.parametrize(("answer", "said"), [(DECLINE, "declined"), (CANCEL, "cancelled")])
def test_what_is_not_approved_is_not_done(store, era, answer, said):
    result, _ = store.call(answer, era)
    assert result.is_error and said in text(result) and store.discarded() == []
    assert store.events() == ["asked", "refused"]


@pytest.mark.parametrize("content", [{"quantity": 0}, {"quantity": 501}, {"quantity": "many"}, {"reason": None}])
def test_an_answer_that_breaks_the_schema_approves_nothing(store, era, content):
    result, _ = store.call(accept(**content), era)
    assert result.is_error and store.discarded() == [] and "approved" not in store.events()


def test_an_answer_after_the_deadline_approves_nothing(tmp_path, era):
    store = Store(tmp_path, seconds=0)
    result, _ = store.call(accept(), era)
    assert result.is_error and "Nobody approved" in text(result) and store.discarded() == []


def test_a_call_repeated_with_its_id_is_told_what_was_done_and_does_nothing_more(store, era):
    first, _ = store.call(accept(), era, "op-1")
    again, asked = store.call(accept(), era, "op-1")
    assert again.structured_content == first.structured_content
    assert store.discarded() == [2] and asked == []


def test_what_was_refused_is_not_asked_again_with_the_same_id(store, era):
    store.call(DECLINE, era, "op-1")
    again, asked = store.call(accept(), era, "op-1")
    assert again.is_error and "declined" in text(again) and asked == [] and store.discarded() == []


def test_an_id_is_good_for_exactly_its_arguments(store, era):
    store.call(DECLINE, era, "op-1")
    changed, asked = store.call(accept(), era, "op-1", quantity=3)
    assert changed.is_error and "another one" in text(changed) and asked == [] and store.discarded() == []


def test_without_an_id_each_settled_operation_is_asked_for_anew_and_the_question_tells_of_the_last(store, era):
    store.call(accept(), era)
    _, (question,) = store.call(DECLINE, era)
    assert "The same was done at" in question.message and store.discarded() == [2]


def test_an_operation_that_fails_is_not_tried_again(store, era):
    Stock.discard(store.stock, "GT-201", store.stock.article("GT-201").quantity - 1, "sold")
    before = store.discarded()
    result, _ = store.call(accept(), era, "op-1")
    again, asked = store.call(accept(), era, "op-1")
    assert "cannot be discarded" in text(result) and text(again) == text(result) and asked == []
    assert store.discarded() == before and store.events()[-1] == "failed"


def test_nothing_is_done_when_the_log_cannot_be_written(store, era, monkeypatch):
    write = store.gate.log.write

    def full(event, **facts):
        if event == "begun":
            raise AuditFailed("The disk is full.")
        return write(event, **facts)

    monkeypatch.setattr(store.gate.log, "write", full)
    result, _ = store.call(accept(), era, "op-1")
    assert result.is_error and store.discarded() == []
    monkeypatch.undo()
    result, asked = store.call(accept(), era, "op-1")
    assert not result.is_error and asked == [] and store.discarded() == [2]


# Each step of the gate, and what a program that is started again may say of an operation that died there.
@pytest.mark.parametrize(("step", "carried_out", "then"), DEATHS, ids=[step for step, _, _ in DEATHS])
def test_a_program_killed_at_any_step_does_nothing_unapproved_and_nothing_twice(tmp_path, era, step, carried_out, then):
    assert die(tmp_path, era, step) == -signal.SIGKILL
    store = Store(tmp_path)
    assert store.discarded() == carried_out
    result, asked = store.call(accept(), era, "op-1")
    assert len(asked) == (then == "asked again")
    assert result.is_error == (then == "not known") and ("not known" in text(result)) == (then == "not known")
    assert store.discarded() == (carried_out if then == "not known" else [2])
    events = store.events()
    assert events[-1] == ("unknown" if then == "not known" else "done") and store.gate.log.verify() == len(events)
    assert "begun" not in events or "approved" in events[: events.index("begun")]
