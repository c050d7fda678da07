"""What is judged of the guardrail's policy."""

import json
import random
import re
from pathlib import Path
from typing import Any

from helpers.fiction.chance import Chance
from helpers.guardrails import EdgeGuardrail, GuardrailError, Policy
from helpers.labs.finance.day import iban
from helpers.labs.judging import Learner, Wrong, shown

ENDS = "the two ends of your expression: without \\b at both it takes a part of something longer"
ELSE = "something else is masked too: your expression takes more than AC-2 and four digits"
BLOCKED = "the action: BLOCK refuses the whole text, ANONYMIZE masks what is found"


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
            _passed(edge, source, text)
        with learner.case(f"{source}: what only looks like an account's number", ENDS):
            _passed(edge, source, f"Order {number}1 is none, and part X{number} is none.")


def _compiled(learner: Learner) -> EdgeGuardrail:
    value = learner.value()
    learner.expect_type(value, dict, "a dict, the arguments of create_guardrail")
    try:
        return EdgeGuardrail(Policy.read(value))
    except GuardrailError as error:
        raise Wrong("a policy that the edge can enforce in full", _as_given(str(error), value)) from None


def _as_given(text: str, value: dict[str, Any]) -> str:
    """With the names of sections as they stand in the learner's policy, most of which end in Config."""
    given = json.dumps(value, default=str)
    return re.sub(r"\w+(?=[.\[])", lambda name: name[0] + "Config" * (f'"{name[0]}Config"' in given), text)


def _said(edge: EdgeGuardrail, source: Any, text: str) -> str | None:  # noqa: ANN401
    """What is shown in the place of the text; None if it passes."""
    report = edge.apply(source, [{"text": {"text": text}}])
    return None if report["action"] == "NONE" else str(report["outputs"][0]["text"])


def _passed(edge: EdgeGuardrail, source: str, text: str) -> None:
    said = _said(edge, source, text)
    if said is not None:
        raise Wrong(shown(text), shown(said))


def _masked(edge: EdgeGuardrail, source: str, text: str, hidden: str, kept: str) -> None:
    said = _said(edge, source, text)
    if said is None:
        raise Wrong(f"{shown(text)} with {hidden} masked", "it passed as it was")
    if hidden in said or kept not in said:
        blocked = said in (edge.policy.blocked_input_messaging, edge.policy.blocked_outputs_messaging)
        look = BLOCKED if blocked else "" if hidden in said else ELSE
        raise Wrong(f"{shown(text)} with {hidden} masked, and nothing else", shown(said), look)
