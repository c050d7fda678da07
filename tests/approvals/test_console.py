"""A person at a terminal, whose lines come from a queue, and once from a real terminal."""

import asyncio
import os
import pty
import queue
import subprocess
import sys

import pytest

from helpers.approvals.console import ConsoleApprover
from helpers.approvals.forms import BadForm
from helpers.approvals.question import Answer, Question
from tests.waiting import end

SCHEMA = {
    "type": "object",
    "properties": {
        "quantity": {"type": "integer", "minimum": 1, "default": 3},
        "place": {"type": "string", "enum": ["shelf", "yard"]},
        "sure": {"type": "boolean"},
        "note": {"type": "string"},
    },
    "required": ["quantity", "place"],
}
QUESTION = Question("q", "store", "Discard 3?", SCHEMA, tool="discard_stock", arguments={"sku": "GT-201"})
PROGRAM = """
import asyncio
from helpers.approvals.console import ConsoleApprover
from helpers.approvals.question import Question
schema = {"type": "object", "properties": {"quantity": {"type": "integer", "minimum": 1}}, "required": ["quantity"]}
print(asyncio.run(ConsoleApprover("Maria").answer(Question("q", "store", "Discard?", schema))).content)
"""


class Terminal:
    """Lines to be typed, and what was printed."""

    def __init__(self, *lines):
        self.lines, self.printed = queue.Queue(), []
        for line in lines:
            self.lines.put(line)
        self.approver = ConsoleApprover("Maria", self.read, self.printed.append)

    def read(self):
        line = self.lines.get(timeout=30)
        if line is None:
            raise EOFError
        return line

    def answer(self, question=QUESTION):
        return asyncio.run(self.approver.answer(question))

    @property
    def text(self):
        return "\n".join(self.printed)


def test_fields_are_asked_one_after_the_other_and_what_is_wrong_again():
    terminal = Terminal("perhaps", "a", "0", "two", "2", "3", "yard", "maybe", "yes", "")
    assert terminal.answer() == Answer("accept", {"quantity": 2, "place": "yard", "sure": True}, by="Maria")
    assert (
        "Must be at least 1." in terminal.text
        and terminal.text.count("Quantity") + terminal.text.count("quantity") >= 3
    )
    assert "store, discard_stock, asks Maria: Discard 3?" in terminal.text and "sku: GT-201" in terminal.text


def test_a_choice_may_be_named_by_its_number_and_an_empty_line_is_the_default():
    assert Terminal("approve", "", "1", "", "").answer().content == {"quantity": 3, "place": "shelf"}


@pytest.mark.parametrize(("line", "action"), [("d", "decline"), ("Cancel", "cancel"), (None, "cancel")])
def test_nothing_is_asked_of_who_does_not_approve(line, action):
    answer = Terminal(line).answer()
    assert (answer.action, answer.content, answer.by) == (action, {}, "Maria")


def test_what_a_server_says_does_not_reach_the_terminal_as_commands():
    terminal = Terminal("d")
    terminal.answer(Question("q", "store", "\x1b[2Jgone\x07\u202e", arguments={"\x1b]0;own\x07": "\x1b[31m"}))
    assert "\x1b" not in terminal.text and "\u202e" not in terminal.text and "gone" in terminal.text


def test_a_form_that_is_none_is_not_asked():
    with pytest.raises(BadForm):
        Terminal().answer(Question("q", "store", "?", {"type": "object", "properties": {"x": {"type": "object"}}}))


def test_the_line_typed_for_a_question_that_is_gone_does_not_answer_the_next():
    terminal = Terminal()

    async def both():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await terminal.approver.answer(QUESTION)
        terminal.lines.put("a")  # meant for the first
        terminal.lines.put("d")
        return await terminal.approver.answer(QUESTION)

    assert asyncio.run(both()).action == "decline" and "not asked any more" in terminal.text


def test_one_question_is_asked_at_a_time():
    terminal = Terminal("d", "c")

    async def both():
        other = Question("r", "factory", "Stop?")
        return await asyncio.gather(terminal.approver.answer(QUESTION), terminal.approver.answer(other))

    first, second = asyncio.run(both())
    assert (first.action, second.action) == ("decline", "cancel")
    asked = [line for line in terminal.printed if "asks Maria" in line or "[a]pprove" in line]
    assert ["store" in asked[0], "[a]" in asked[1], "factory" in asked[2]] == [True] * 3


def test_a_person_at_a_real_terminal(no_survivors):
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=theirs, stdout=subprocess.PIPE, text=True)
    try:
        os.write(ours, b"a\n0\n4\n")
        printed, _ = process.communicate(timeout=60)
    finally:
        end(process) if process.poll() is None else None
        os.close(ours)
        os.close(theirs)
    assert "{'quantity': 4}" in printed and "Must be at least 1." in printed
