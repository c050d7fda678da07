"""Who plays along on the learner's side: an analyst whose answers the judge decides."""

import asyncio
from collections.abc import Callable
from typing import Any

from helpers.approvals.question import Answer, Question

SILENCE = 600  # seconds


class Analyst:
    """An approver, as `helpers.approvals` has them."""

    def __init__(self, decide: Callable[..., Any]) -> None:
        self._decide = decide

    async def answer(self, question: Question) -> Answer:
        """What the judge has decided; never, if that is silence.

        Raises:
            TypeError: it was not asked by a `Question`.
        """
        if not isinstance(question, Question):
            raise TypeError(f"answer() takes a Question of helpers.approvals, not a {type(question).__name__}")
        told = self._decide(question.tool, dict(question.arguments), question.message)
        if told["action"] == "silence":
            await asyncio.sleep(SILENCE)
        return Answer(told["action"], by=told["by"])
