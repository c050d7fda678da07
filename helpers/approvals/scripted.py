"""Answers from a script, for tests and for automation.

ScriptedApprover([Answer("accept", {"quantity": 2}), Answer("decline")])
ScriptedApprover({"discard_stock": Answer("accept"), "stop_line": SILENT})
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from helpers.approvals.question import Answer, Question


class NoAnswerLeft(Exception):
    """A question was asked for which the script has no answer."""


class Silent:
    """In the place of an answer: none is ever given."""


SILENT: Final = Silent()
Line = Answer | Callable[[Question], Answer] | Silent


class ScriptedApprover:
    """Gives its answers in their order; from a mapping, to each tool always the same. Waits for nobody."""

    SILENT = SILENT

    def __init__(self, answers: Iterable[Line] | Mapping[str, Line], name: str = "script") -> None:
        self.name = name
        self.asked: list[Question] = []
        self._of_tool = dict(answers) if isinstance(answers, Mapping) else None
        self._in_order = deque(() if isinstance(answers, Mapping) else answers)

    async def answer(self, question: Question) -> Answer:
        """The next answer; of a silent one, wait until nobody wants it any more.

        Raises:
            NoAnswerLeft: there is none.
        """
        self.asked.append(question)
        line = self._next(question)
        if isinstance(line, Silent):
            never: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            return await never  # until it is cancelled
        answer = line if isinstance(line, Answer) else line(question)
        return answer if answer.by else replace(answer, by=self.name)

    def _next(self, question: Question) -> Line:
        try:
            return self._in_order.popleft() if self._of_tool is None else self._of_tool[question.tool]
        except (IndexError, KeyError):
            asked = f"{question.server} asks for {question.tool or 'a tool'}: {question.message!r}"
            raise NoAnswerLeft(f"{self.name} has no answer for what {asked}. Add one, or ask a person.") from None
