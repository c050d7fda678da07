"""What a server asks of a person, what the person says to it, and who may do so in the person's stead."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Action = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True)
class Question:
    """What a server asks in the course of a call. Asked again after a cut, it has the same `id`."""

    id: str
    server: str  # who asks, as the notebook calls it
    message: str
    schema: Mapping[str, Any] = field(default_factory=dict)  # of the form, as MCP restricts it; empty if there is a URL
    url: str | None = None
    tool: str = ""  # of which call; empty if that is not known, as are the arguments then
    arguments: Mapping[str, Any] = field(default_factory=dict)
    operation: str = ""  # the id of that call, which stays when it is repeated
    deadline: float = float("inf")  # time.time() from which on no answer is wanted

    def seconds_left(self) -> float:
        """How long an answer is still wanted; 0 if it is not."""
        return max(0.0, self.deadline - time.time())


@dataclass(frozen=True)
class Answer:
    """What was said: `accept` with the form's values, `decline`, or `cancel` when nobody decided."""

    action: Action
    content: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""  # who answered
    note: str = ""  # why


class Approver(Protocol):
    """Answers questions: a person at a widget or a console, a script, a policy.

    Several questions may be open at once. When one is withdrawn or its deadline is over, `answer` is cancelled, as
    asyncio cancels; it then takes away what it shows and lets the cancellation pass.
    """

    async def answer(self, question: Question) -> Answer:
        """Answer one question, from whatever thread and event loop it is asked in."""
