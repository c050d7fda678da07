"""What is judged of the answers from protocols, and of the graph that asks record, protocol and supervisor."""

import random
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from helpers.labs.healthcare.record_checks import SCRIPT
from helpers.labs.judging import Learner, Outcome, Wrong, shown
from helpers.labs.wire import Callback, StandIn

DOCUMENTS = "helpers.labs.healthcare.stand_ins:Documents"
AGENT = "helpers.labs.healthcare.stand_ins:node"
QUESTION = "Which dose of prothrombin complex does one give when the INR is above 6?"
JUDGE, READER = "Does the passage answer", "Answer the question from the passage"  # how the two prompts begin
LONG, SHORT, SILENT = 20.0, 1.0, 4.0  # seconds that a node may take, or that it is silent
MOST_NODES = 9
Passages = list[tuple[str, str]]  # path and text


def ask_protocol(learner: Learner, chance: random.Random, _: Path) -> None:
    """The first protocol's passage that answers is read and named; if none does, nothing is made up."""
    dose = f"{chance.randrange(31, 99)} units/kg"
    good = ("protocols/warfarin-reversal.docx", f"INR above 6.0: {dose}.")
    aside = ("protocols/falls-prevention.html", "Lower the bed.")
    policy = ("policies/visitors.html", f"A visitor has asked about {dose}.")
    played = _Reading(learner, dose)
    found = {"answer": f"Give {dose}.", "source": f"{good[0]}, What to give"}
    none = {"answer": "The protocols do not say.", "source": None}
    cases: list[tuple[str, Passages, str, dict[str, Any], str]] = [
        ("the best passage answers", [good, aside], "Yes", found, "the dict: the stripped answer, and the source"),
        ("the second passage answers", [aside, good], " YES.", found, "the loop: go on when a passage does not answer"),
        ("a policy is the best passage", [policy, good], "yes", found, "the search: where, with the kind protocols"),
        ("no passage answers", [aside, aside], "yes", none, "what is returned when no passage answers"),
        ("nothing is found", [], "yes", none, "what is returned when nothing is found"),
        ("the third passage answers", [aside, aside, good], "yes", none, "the search: k, the 2 best passages"),
        ("the judge says: No, yesterday's dose is meant", [good], "No, yesterday's dose is meant.", none,
         "the judge's answer: yes at its beginning, whatever the case"),
    ]  # fmt: skip
    for name, passages, yes, expected, look in cases:
        with learner.case(name, look):
            seen = played.ask(passages, yes)
            learner.expect_type(seen, dict, "a dict with the keys answer and source")
            learner.expect(seen, expected)
            if expected is none and played.read:
                raise Wrong("no question to the reader", f"{played.read} of them", "READER: only after a yes")


class _Reading:
    """Questions about documents that hold, or do not hold, the dose."""

    def __init__(self, learner: Learner, dose: str) -> None:
        self._learner, self._dose = learner, dose
        self._passages: Passages = []
        self._yes = ""
        self.read = 0

    def ask(self, passages: Passages, yes: str) -> Any:  # noqa: ANN401 - what the learner returns
        self._passages, self._yes, self.read = passages, yes, 0
        self._learner.callbacks = {"turn": self._turn, "find": self._find}
        model, documents = StandIn(SCRIPT, (Callback("turn"),)), StandIn(DOCUMENTS, (Callback("find"),))
        return self._learner.call(model, documents, QUESTION)

    def _find(self, question: str, k: int, where: Any) -> Passages:  # noqa: ANN401
        if QUESTION not in question:
            raise Wrong(f"a search for {QUESTION!r}", shown(question), "the search: the question as it was asked")
        kinds = (where or {}).get("kind", ["protocols", "policies"])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        return [(path, text) for path, text in self._passages if path.split("/")[0] in kinds][:k]

    def _turn(self, system: str, messages: Any, tools: Any) -> dict[str, str]:  # noqa: ANN401
        if len(messages) > 1:
            raise Wrong("one message", f"{len(messages)}", "the memory: a new agent for each passage and each prompt")
        text = " ".join(block.get("text", "") for block in messages[0]["content"])
        held = [one for _, one in self._passages if one in text]
        if len(set(held)) != 1:
            raise Wrong("a prompt with one passage", shown(text), "the prompt: one passage at a time, with its text")
        if QUESTION not in text:
            raise Wrong("a prompt with the question", shown(text), "the prompt: passage and question")
        if system.startswith(READER):
            self.read += 1
            return {"text": f"Give {self._dose}.\n" if self._dose in text else "Give 1 mg."}
        if not system.startswith(JUDGE):
            raise Wrong("JUDGE or READER as the system prompt", shown(system), "the system prompts: JUDGE, then READER")
        return {"text": self._yes if self._dose in text else "No."}


def assess(learner: Learner, chance: random.Random, _: Path) -> None:
    """Each agent once, in order, with what it needs; no answer if one fails or is silent."""
    task = f"P-{chance.randrange(5001, 9999)} bleeds. What is to be done?"
    said = {"record": f"INR {chance.randrange(70, 99) / 10}", "protocol": f"{chance.randrange(31, 50)} units/kg"}
    said["supervisor"] = f"Ask Campus B for {chance.randrange(2, 9)} units."
    with learner.case("three agents that answer"):
        played = _Round(learner, task, said)
        seen = learner.call(*played.agents, task, LONG)
        _in_order(learner, played, said)
        learner.expect(seen, said["supervisor"], "what is returned: the supervisor's answer as a text, stripped")
    for name in said:
        with learner.case(f"the {name} agent fails", "an agent that fails: return None"):
            played = _Round(learner, task, {**said, name: None})
            _no_answer(learner.attempt(*played.agents, task, LONG))
            if name != "supervisor" and "supervisor" in dict(played.asked):
                raise Wrong("a supervisor that is not asked", "it was", "the condition: both answers must be there")
    for name in ("protocol", "supervisor"):
        with learner.case(f"the {name} agent is silent", "the time: a limit of `seconds` for each node, then None"):
            played = _Round(learner, task, said, silent=name)
            _no_answer(learner.attempt(*played.agents, task, SHORT))


class _Round:
    """Three agents whose answers are known; None is an error. `asked` is who was asked, with what."""

    def __init__(self, learner: Learner, task: str, said: Mapping[str, str | None], silent: str = "") -> None:
        self.task, self._said, self._silent = task, said, silent
        self.asked: list[tuple[str, str]] = []
        learner.callbacks = {name: partial(self._turn, name) for name in said}
        self.agents = [StandIn(AGENT, (name, Callback(name))) for name in said]

    def _turn(self, name: str, system: str, messages: Any, tools: Any) -> dict[str, Any]:  # noqa: ANN401
        self.asked.append((name, " ".join(block.get("text", "") for block in messages[-1]["content"])))
        if len(self.asked) > MOST_NODES:
            raise Wrong("three agents, each once", "a graph without an end", "the edges, and a bound of nodes")
        answer = self._said[name]
        if answer is None:
            raise RuntimeError("the model is away")
        return {"text": f"{answer}\n", "silence": SILENT if name == self._silent else 0}


def _in_order(learner: Learner, played: _Round, said: Mapping[str, str]) -> None:
    names = [name for name, _ in played.asked]
    twice = len(names) > len(set(names))
    look = "the order: record first, protocol when that has answered, the supervisor last"
    learner.expect(names, list(said), "the condition: an edge into the supervisor waits for both" if twice else look)
    told = dict(played.asked)
    only = "a node reads only the answers of those that have an edge to it"
    # Two that begin at once may still ask in this order: then the missing edge is what tells.
    _handed(told["protocol"], said["record"], f"{look}; the edge from record to protocol: {only}")
    _handed(told["supervisor"], said["protocol"], f"the edge from protocol to supervisor: {only}")
    _handed(told["supervisor"], said["record"], f"the edge from record to supervisor: {only}")


def _no_answer(outcome: Outcome) -> None:
    if outcome.raised or outcome.value is not None:
        raise Wrong("None", str(outcome.raised) if outcome.raised else shown(outcome.value))


def _handed(text: str, wanted: str, look: str) -> None:
    if wanted not in text:
        raise Wrong(f"an agent that reads {wanted!r}", shown(text), look)
