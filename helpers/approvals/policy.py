"""Rules that approve, or decline, what is harmless, and pass all else to a person.

    PolicyApprover([approve("discard_stock", lambda arguments: arguments["quantity"] <= 2)], otherwise=WidgetApprover())

A rule decides on the arguments of the call, which the client itself sent. The message of a question is the server's:
it may say "2 pieces" of a call for 200, so that no rule may go by its words.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from helpers.approvals.question import Action, Answer, Approver, Question

Rule = Callable[[Question], Answer | None]
Condition = Callable[[Mapping[str, Any]], bool]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ToolRule:
    """Answers the questions of one tool when its arguments meet a condition; `approve` and `decline` make them."""

    action: Action
    tool: str
    when: Condition
    name: str
    server: str = ""  # as the desk calls it; empty for any

    def __call__(self, question: Question) -> Answer | None:
        """The answer; None if this rule is not for the question, or its condition is not met.

        Raises:
            TypeError: the condition says neither True nor False, as one that is `async` does.
        """
        if question.tool != self.tool or self.server not in ("", question.server):
            return None
        met = self.when(question.arguments)
        if not isinstance(met, bool):
            kind = type(met).__name__
            raise TypeError(f"The condition of {self.name!r} gave {kind}. Let it return True or False.")
        return Answer(self.action) if met else None


def approve(tool: str, when: Condition, *, server: str = "", name: str = "") -> ToolRule:
    """Approve the calls of `tool` whose arguments `when` is True of; `name` is what the log says of this rule."""
    return ToolRule("accept", tool, when, name or f"approve {tool}", server)


def decline(tool: str, when: Condition, *, server: str = "", name: str = "") -> ToolRule:
    """Decline the calls of `tool` whose arguments `when` is True of."""
    return ToolRule("decline", tool, when, name or f"decline {tool}", server)


class PolicyApprover:
    """Asks its rules in their order; the first that has an answer decides, and if none has, `otherwise` does.

    A question goes to `otherwise` unseen by any rule if it is about a URL, or if its tool or arguments are not known:
    there is nothing then that a rule could decide on. So it does when a rule fails, or when an approval cannot be
    sent as it was decided, because the form wants what the call has not, or has another value than the call.
    """

    def __init__(self, rules: Iterable[Rule], otherwise: Approver, name: str = "policy") -> None:
        self.rules, self.otherwise, self.name = tuple(rules), otherwise, name

    async def answer(self, question: Question) -> Answer:
        """The answer of a rule, which carries its name as the note, or that of a person."""
        return self._by_rule(question) or await self.otherwise.answer(question)

    def _by_rule(self, question: Question) -> Answer | None:
        if question.url is not None or not question.tool or not question.arguments:
            return None
        for number, rule in enumerate(self.rules, 1):
            name = getattr(rule, "name", "") or f"rule {number}"
            try:
                answer = rule(question)
                if answer is not None:
                    return self._completed(answer, question, name)
            except Exception as error:
                logger.warning("Rule %r failed (%s), so that a person is asked.", name, type(error).__name__)
                return None
        return None

    def _completed(self, answer: Answer, question: Question, name: str) -> Answer:
        """Signed, and with the form filled in.

        Raises:
            TypeError: it is no answer that a rule may give.
            ValueError: the form cannot be filled in.
        """
        if not isinstance(answer, Answer) or answer.action not in ("accept", "decline"):
            raise TypeError(f"{name!r} gave no approval and no refusal. Let it return an Answer, or None.")
        content = answer.content or (filled(question) if answer.action == "accept" else {})
        return replace(answer, content=content, by=self.name, note=name)


def filled(question: Question) -> dict[str, Any]:
    """The form of a question as it would be sent unchanged: its defaults, and what the call has of the same name.

    Raises:
        ValueError: a default is not what the call says, or a field that is required has neither.
    """
    content = {}
    for name, field in question.schema.get("properties", {}).items():
        values = [source[key] for source, key in ((question.arguments, name), (field, "default")) if key in source]
        if len(values) == 2 and values[0] != values[1]:
            raise ValueError(f"The form has another {name!r} than the call.")
        if values:
            content[name] = values[0]
    if missing := set(question.schema.get("required", ())) - set(content):
        raise ValueError(f"The form wants {', '.join(sorted(missing))}, which the call does not have.")
    return content
