"""What is judged of the Region: how it asks the factories, and what it makes of their answers."""

import random
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from typing import Any

from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.manufacturing import rules
from helpers.labs.manufacturing.peers import Factory

TOGETHER = 2.5  # seconds within which both must have been asked; less than the Region waits for one
LATE = 4.0  # seconds after which a silent factory answers; more than the Region waits


def gather(learner: Learner, chance: random.Random, _: Path) -> None:
    """Both at once, each with its own token; what does not answer is named, and not waited for."""
    question = f"Which bearings wear? ({chance.randrange(10**6)})"
    words = {name: f"{name} says {chance.randrange(10**6)}" for name in ("tannau", "uhlenhorst")}
    tokens = {name: token_hex(8) for name in words}
    both = threading.Barrier(2, timeout=TOGETHER)

    def together(name: str) -> str | None:
        try:
            both.wait()
        except threading.BrokenBarrierError:
            return None
        return words[name]

    def late(name: str) -> str:
        time.sleep(LATE)
        return words[name]

    with learner.case("both factories answer, when both are asked"), ExitStack() as stack:
        factories = {
            name: stack.enter_context(Factory(name, tokens[name], lambda _, name=name: together(name)))  # type: ignore[misc]
            for name in words
        }
        seen = _asked(learner, factories, question, tokens)
        if any(given != tokens[name] for name, one in factories.items() for given in one.tokens):
            raise Wrong("its own token at each factory", "another one", "the token: each factory has its own")
        look = "one after the other or at once: each waits here until the other is asked too"
        learner.expect(seen, {"answers": words, "missing": []}, look)
        if any(one.asked != [question] for one in factories.values()):
            raise Wrong(shown([question]), shown([one.asked for one in factories.values()]), "the question: as it is")
    with learner.case("one factory has an error"), ExitStack() as stack:
        well = stack.enter_context(Factory("tannau", tokens["tannau"], lambda _: words["tannau"]))
        ill = stack.enter_context(Factory("uhlenhorst", tokens["uhlenhorst"], lambda _: None))
        seen = _asked(learner, {"uhlenhorst": ill, "tannau": well}, question, tokens)
        _half(learner, seen, words, "an error of one factory: the other's answer counts, and the missing one is named")
    with learner.case("neither can be reached"):
        places = {name: {"url": "http://127.0.0.1:9", "token": tokens[name]} for name in ("uhlenhorst", "tannau")}
        outcome = learner.attempt(places, question)
        expected = {"answers": {}, "missing": ["tannau", "uhlenhorst"]}
        look = "links that are down: no error, but both names, sorted, in missing"
        if outcome.raised:
            raise Wrong(shown(expected), str(outcome.raised), look)
        learner.expect(outcome.value, expected, look)
    with learner.case("one factory is silent"), ExitStack() as stack:
        well = stack.enter_context(Factory("tannau", tokens["tannau"], lambda _: words["tannau"]))
        mute = stack.enter_context(Factory("uhlenhorst", tokens["uhlenhorst"], lambda _: late("uhlenhorst")))
        seen = _asked(learner, {"tannau": well, "uhlenhorst": mute}, question, tokens)
        _half(learner, seen, words, "the time limit: a factory that is silent for PATIENCE seconds is missing")


def _asked(learner: Learner, factories: dict[str, Factory], question: str, tokens: dict[str, str]) -> Any:  # noqa: ANN401
    places = {name: {"url": one.url, "token": tokens[name]} for name, one in factories.items()}
    outcome = learner.attempt(places, question)
    if outcome.raised:
        look = "errors of a factory: they must not end the question to the others"
        raise Wrong("the answers, and who is missing", str(outcome.raised), look)
    return outcome.value


def _half(learner: Learner, seen: Any, words: dict[str, str], look: str) -> None:  # noqa: ANN401
    learner.expect(seen, {"answers": {"tannau": words["tannau"]}, "missing": ["uhlenhorst"]}, look)


def correlate(learner: Learner, chance: random.Random, _: Path) -> None:
    """The lots that wear out soon in two places."""
    bad, worse, other = (f"B-{number}" for number in chance.sample(range(100, 999), 3))
    hours = round(30 + 30 * chance.random(), 1)
    shared = [_summary("uhlenhorst", "saw-1", bad, hours), _summary("tannau", "lathe-1", bad, hours + 3)]
    with learner.case("the same lot in two factories", "the keys: lot, factories, machines, hours_left"):
        _found(learner, shared)
    with learner.case("two machines of one factory", "what is counted: factories, not machines"):
        _found(learner, [_summary("tannau", f"lathe-{number}", bad, hours) for number in (1, 2)])
    with learner.case("a bearing that does not wear", "hours_left is None: that machine is no evidence"):
        _found(learner, [shared[0], _summary("tannau", "lathe-1", bad, None)])
    with learner.case("a bearing that lasts for weeks", "SOON: who has more than 72 hours left is no evidence"):
        _found(learner, [shared[0], _summary("tannau", "lathe-1", bad, 72.5)])
    with learner.case(
        "one that has 72 hours left, one that has none", "SOON: exactly 72 hours still count, and 0.0 too"
    ):
        _found(learner, [_summary("tannau", "lathe-1", bad, 72.0), _summary("uhlenhorst", "saw-1", bad, 0.0)])
    with learner.case("healthy machines of a bad lot", "machines: only those that wear"):
        _found(learner, [*shared, _summary("tannau", "router-4", bad, None), _summary("tannau", "saw-2", bad, 400.0)])
    with learner.case("two lots", "the order: the lot with the least hours_left first"):
        urgent = [_summary("tannau", "lathe-2", worse, hours - 9), _summary("uhlenhorst", "saw-2", worse, hours - 5)]
        alone = _summary("tannau", "sander-2", other, 1.0)
        _found(learner, [*shared, alone, *urgent])
    with learner.case("nothing to tell", "what is returned when there is nothing: an empty list"):
        _found(learner, [])


def _summary(factory: str, machine: str, lot: str, hours: float | None) -> dict[str, Any]:
    return {"factory": factory, "machine": machine, "lot": lot, "hours_left": hours}


def _found(learner: Learner, summaries: list[dict[str, Any]]) -> None:
    outcome = learner.attempt(summaries)
    if outcome.raised:
        raise Wrong(shown(rules.correlate(summaries)), str(outcome.raised))
    learner.expect(outcome.value, rules.correlate(summaries))
