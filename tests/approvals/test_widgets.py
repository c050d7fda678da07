"""Questions answered by a form of widgets; here they are clicked from Python."""

import asyncio
import threading
import time

import ipywidgets
import pytest

from helpers.approvals.forms import BadForm
from helpers.approvals.question import Question
from helpers.approvals.widgets import WidgetApprover
from tests.waiting import until

HOSTILE = "<img src=x onerror=alert(1)></script>**bold** $\\href{javascript:alert(1)}{x}$ \x1b[31mred\x1b[0m\u202e\x00"
SCHEMA = {
    "type": "object",
    "properties": {
        "quantity": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2},
        "sure": {"type": "boolean"},
        "level": {"type": "string", "enum": ["low", "high"]},
        "days": {"type": "array", "items": {"enum": ["mo", "tu"]}, "minItems": 1},
        "mail": {"type": "string", "format": "email"},
    },
    "required": ["quantity", "sure"],
}


def question(schema=SCHEMA, message="Discard?", **more):
    return Question("1", "store", message, schema, **more)


def asked(question, use):
    """The answer, when a thread of its own, as the kernel's, does `use(form)`."""
    approver = WidgetApprover("Maria")

    def click():
        until(lambda: approver.forms)
        use(approver.forms[0])

    async def main():
        thread = threading.Thread(target=click)
        thread.start()
        try:
            return await asyncio.wait_for(approver.answer(question), 20)
        finally:
            thread.join()
            assert approver.forms == []

    return asyncio.run(main())


def press(form, label):
    next(button for button in form.buttons if button.description == label).click()


def texts(form):
    """What its HTML widgets hold."""
    widgets = [form.box]
    for widget in widgets:
        widgets.extend(getattr(widget, "children", ()))
    return [widget.value for widget in widgets if isinstance(widget, ipywidgets.HTML)]


def test_the_values_of_the_form_are_the_answer():
    def use(form):
        form.inputs["quantity"].value = "3"
        form.inputs["sure"].value = True
        form.inputs["days"].value = ("tu",)
        press(form, "Approve")

    answer = asked(question(), use)
    assert (answer.action, answer.by) == ("accept", "Maria")
    assert answer.content == {"quantity": 3, "sure": True, "days": ["tu"]}


@pytest.mark.parametrize(("label", "action"), [("Decline", "decline"), ("Cancel", "cancel")])
def test_what_is_not_approved_has_no_content(label, action):
    answer = asked(question(), lambda form: press(form, label))
    assert (answer.action, answer.content) == (action, {})


def test_values_that_do_not_fit_are_said_beside_their_fields_and_the_form_stays():
    def use(form):
        form.inputs["quantity"].value = "ten"
        form.inputs["mail"].value = "nobody"
        press(form, "Approve")
        assert "whole number" in form.messages["quantity"].value and "e-mail" in form.messages["mail"].value
        assert "Must be given" in form.messages["sure"].value and not form.answer.done()
        form.inputs["quantity"].value, form.inputs["mail"].value = "4", ""
        form.inputs["sure"].value = False
        press(form, "Approve")
        assert "number" not in form.messages["quantity"].value

    assert asked(question(), use).content == {"quantity": 4, "sure": False}


def test_the_second_click_changes_nothing():
    def use(form):
        press(form, "Decline")
        press(form, "Approve")
        press(form, "Cancel")

    assert asked(question({}), use).action == "decline"


def test_hostile_text_is_shown_as_text():
    schema = {"properties": {HOSTILE: {"type": "string", "title": HOSTILE, "description": HOSTILE, "enum": [HOSTILE]}}}
    seen = []

    def use(form):
        seen.extend(texts(form))
        descriptions = [widget.description for widget in form.inputs.values()]
        assert descriptions == [""], "a description is typeset"
        press(form, "Decline")

    asked(question(schema, HOSTILE, tool=HOSTILE, arguments={HOSTILE: HOSTILE}), use)
    shown = "".join(seen)
    assert "&lt;img src=x onerror=alert(1)&gt;&lt;/script&gt;**bold**" in shown
    assert not any(bad in shown for bad in ("<img", "</script", "\x1b", "\u202e", "\x00"))


def test_who_asks_for_what_and_until_when_is_shown():
    def use(form):
        until(lambda: form.countdown.value)
        shown = "".join(texts(form))
        assert all(word in shown for word in ("store", "discard_stock", "GT-201", "Maria", "Discard?", "Answer by"))
        press(form, "Cancel")

    asked(question(tool="discard_stock", arguments={"sku": "GT-201"}, deadline=time.time() + 90), use)


def test_an_address_is_shown_in_full_with_its_host():
    def use(form):
        shown = "".join(texts(form))
        assert 'rel="noopener noreferrer"' in shown and "evil.example</b>" in shown
        assert "https://bank.example@evil.example/&quot;" not in shown and "?a=1&amp;b=2" in shown
        press(form, "Approve")

    answer = asked(question({}, url="https://bank.example@evil.example/pay?a=1&b=2"), use)
    assert (answer.action, answer.content) == ("accept", {})


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "https://",
        "https://evil.example\\@bank.example",
        "https://b\u0430nk.example",
        "https://bank.example\n.evil.example",
        'https://a.example/"onclick="x',
    ],
)
def test_an_address_that_is_no_page_or_can_be_misread_is_refused(url):
    with pytest.raises(ValueError, match="is not opened"):
        asyncio.run(WidgetApprover("Maria").answer(question({}, url=url)))


def test_a_form_that_mcp_does_not_allow_is_refused():
    with pytest.raises(BadForm):
        asyncio.run(WidgetApprover("Maria").answer(question({"properties": {"a": {"type": "object"}}})))


def test_a_cancelled_question_is_taken_away():
    async def main():
        approver = WidgetApprover("Maria")
        task = asyncio.ensure_future(approver.answer(question()))
        await asyncio.to_thread(until, lambda: approver.forms)
        (form,) = approver.forms
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        press(form, "Approve")  # a click that was on its way
        assert approver.forms == [] and form.box.comm is None

    asyncio.run(main())
