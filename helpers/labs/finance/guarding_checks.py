"""What is judged of the guardrail's policy and of the analyst's approval."""

import random
from pathlib import Path
from typing import Any

from helpers.fiction.chance import Chance
from helpers.guardrails import EdgeGuardrail, GuardrailError, Policy
from helpers.labs.finance.day import iban
from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.wire import Callback, StandIn

ANALYST = "helpers.labs.finance.stand_ins:Analyst"


def guardrail(learner: Learner, chance: random.Random, _: Path) -> None:
    """IBANs and account numbers are masked, the code word blocks, all else passes, in both directions."""
    with learner.case("the policy", "the fields that CreateGuardrail takes; notebook 10 has a whole policy"):
        edge = _compiled(learner)
    number = f"AC-2{chance.randrange(10000):04}"
    account = iban(Chance(chance.randrange(2**20)))
    payment = f"TX-{chance.randrange(100000, 999999)}"
    apart = " ".join(account[start : start + 4] for start in range(0, len(account), 4))
    for source in ("OUTPUT", "INPUT"):
        masks = f"what is masked, for {source} too"
        with learner.case(f"{source}: an IBAN", f"{masks}: the entity of international bank account numbers"):
            _masked(edge, source, f"Paid to {account} by {payment}.", account, payment)
            _masked(edge, source, f"Paid to {apart} by {payment}.", apart, payment)
        with learner.case(f"{source}: an account's number", f"{masks}: a regex for AC-2 and four digits"):
            _masked(edge, source, f"{number} made five payments, first {payment}.", number, payment)
        with learner.case(f"{source}: the code word", "the words: Lindwurm, blocked in both directions"):
            said = _said(edge, source, "What do we know of lindwurm?")
            if said is None or "lindwurm" in said.lower():
                raise Wrong("a text that is blocked", shown(said or "it passed as it was"))
        with learner.case(
            f"{source}: a harmless text", "rules that are too wide: TX numbers and AC sockets are none of them"
        ):
            text = f"{payment} was paid at 14:05 for an AC-22 socket, AC-21 to AC-25 are sold out."
            said = _said(edge, source, text)
            if said is not None:
                raise Wrong(shown(text), shown(said))


def approval(learner: Learner, chance: random.Random, _: Path) -> None:
    """Frozen once, after a recorded yes of somebody else, and in no other case."""
    played = _Played(learner, f"AC-2{chance.randrange(10000):04}")
    with learner.case("the analyst approves", "the order: log asked, ask, log answered, lock, log frozen"):
        learner.expect(played.freeze("accept", "Maria"), True, "what is returned: True, since it was frozen")
        learner.expect(
            played.events, ["log asked", "ask", "log answered", "lock", "log frozen"], "the order of the five steps"
        )
        learner.expect(played.locked, [played.account], "which account is locked")
        learner.expect(played.asked, [{"account_id": played.account}], "the question's arguments: what is approved")
        learner.expect(played.who["answered"], "Maria", "the log of the answer: it says who")
    for action in ("decline", "cancel"):
        with learner.case(f"the analyst answers {action}", "the action: only accept is a yes"):
            _untouched(learner, played, played.freeze(action, "Maria"))
    with learner.case("the analyst says nothing", "the time limit: wait PATIENCE seconds, then it is a no"):
        _untouched(learner, played, played.freeze("silence", ""))
    with learner.case("who raised the finding approves it", "four eyes: answer.by must not be finding['raised_by']"):
        _untouched(learner, played, played.freeze("accept", "screening"))
    with learner.case("the lock fails", "an error of lock: log failed, not frozen, and return False"):
        learner.expect(played.freeze("accept", "Maria", broken=True), False)
        learner.expect(played.events[-2:], ["lock", "log failed"])


class _Played:
    """One call of the learner's function, and what it did in which order."""

    def __init__(self, learner: Learner, account: str) -> None:
        self._learner, self.account = learner, account
        self.events: list[str] = []
        self.asked: list[object] = []
        self.locked: list[object] = []
        self.who: dict[str, object] = {}

    def freeze(self, action: str, by: str, broken: bool = False) -> Any:  # noqa: ANN401 - what the learner returns
        self.events, self.asked, self.locked, self.who = [], [], [], {}
        self._learner.callbacks = {
            "decide": lambda tool, arguments, message: self._decided(arguments, action, by),
            "lock": lambda account: self._lock(account, broken),
            "log": self._log,
        }
        found = {"account_id": self.account, "kind": "burst", "reason": "five payments", "raised_by": "screening"}
        analyst = StandIn(ANALYST, (Callback("decide"),))
        return self._learner.call(found, analyst, Callback("lock"), Callback("log"))

    def _decided(self, arguments: object, action: str, by: str) -> dict[str, str]:
        self.events.append("ask")
        self.asked.append(arguments)
        return {"action": action, "by": by}

    def _lock(self, account: object, broken: bool) -> None:
        self.events.append("lock")
        self.locked.append(account)
        if broken:
            raise ConnectionError("the core system does not answer")

    def _log(self, event: str, account: object = "", who: object = "") -> None:
        self.events.append(f"log {event}")
        self.who[event] = who


def _untouched(learner: Learner, played: _Played, returned: object) -> None:
    if "lock" in played.events:
        raise Wrong("an account that is not locked", f"it was locked: {', '.join(played.events)}")
    learner.expect(returned, False, "what is returned: False, since nothing was frozen")
    learner.expect(
        played.events, ["log asked", "ask", "log answered"], "the log: question and answer are in it all the same"
    )


def _compiled(learner: Learner) -> EdgeGuardrail:
    value = learner.value()
    learner.expect_type(value, dict, "a dict, the arguments of create_guardrail")
    try:
        return EdgeGuardrail(Policy.read(value))
    except GuardrailError as error:
        raise Wrong("a policy that the edge can enforce in full", str(error)) from None


def _said(edge: EdgeGuardrail, source: Any, text: str) -> str | None:  # noqa: ANN401
    """What is shown in the place of the text; None if it passes."""
    report = edge.apply(source, [{"text": {"text": text}}])
    return None if report["action"] == "NONE" else str(report["outputs"][0]["text"])


def _masked(edge: EdgeGuardrail, source: str, text: str, hidden: str, kept: str) -> None:
    said = _said(edge, source, text)
    if said is None:
        raise Wrong(f"{shown(text)} with {hidden} masked", "it passed as it was")
    if hidden in said or kept not in said:
        raise Wrong(f"{shown(text)} with {hidden} masked, and nothing else", shown(said))
