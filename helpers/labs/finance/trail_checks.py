"""What is judged of the audit trail: how it grows, and what its verification finds."""

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from helpers.labs.finance.rules import GENESIS, digest, trail
from helpers.labs.judging import Learner, Wrong, shown

PARTS = {
    "number": "number: the first entry is 1, each next one more",
    "event": "event: as it was given",
    "before": "before: the hash of the last entry, and 64 zeros where there is none",
    "hash": "hash: of the JSON of number, event and before, with sort_keys=True",
}
Log = list[dict[str, Any]]


def audit(learner: Learner, chance: random.Random, _: Path) -> None:
    """The chain of hashes, entry for entry."""
    events = _events(chance, 5)
    log: Log = []
    for number, event in enumerate(events, 1):
        with learner.case(f"event {number}"):
            seen = learner.call(log, event)
            learner.expect_type(seen, list, "a list, the log with the new entry at its end")
            learner.expect(len(seen), number, "the length: one entry more than before")
            learner.expect(seen[:-1], log, "the entries before: they stay as they are")
            log = trail(events[:number])
            _entry(learner, seen[-1], log[-1])
            if learner.changed:
                raise Wrong("the given log as it was", "it was changed", "the given log: leave it, return a new list")
    with learner.case(
        "an event whose keys come in another order", "the JSON: sorted, or the order of keys changes the hash"
    ):
        turned = dict(reversed(list(events[0].items())))
        _entry(learner, learner.call([], turned)[-1], trail([turned])[-1])


def verify(learner: Learner, chance: random.Random, _: Path) -> None:
    """The first entry that is wrong, whatever was done to the log."""
    events = _events(chance, chance.randrange(6, 10))
    whole = trail(events)
    place = chance.randrange(2, len(events) - 2)  # counted from 1
    head = whole[-1]["hash"]
    with learner.case("a log that is whole", "what is returned when nothing is wrong: None"):
        learner.expect(learner.call(whole, head), None)
        learner.expect(learner.call(whole), None)
        learner.expect(learner.call([]), None)
    for name, forge, wrong, look in FORGERIES:
        with learner.case(name, look):
            _found(learner, forge(deepcopy(whole), place), head, place + wrong)
    end = "the head: the last hash must be the one that was kept"
    with learner.case("the last entries are cut off", end):
        _found(learner, whole[:-2], head, len(whole) - 1)
        _found(learner, [], head, 1)
    with learner.case("everything from one entry on is made anew", end):
        events[place - 1] = {**events[place - 1], "who": "Nobody"}
        _found(learner, trail(events), head, len(whole) + 1)
    with learner.case(
        "the last entries are cut off, and no head was kept", "the head: without one, an end cannot be told"
    ):
        learner.expect(learner.call(whole[:-2]), None)


def _changed(log: Log, place: int) -> Log:
    log[place - 1]["event"]["who"] = "Nobody"
    return log


def _rehashed(log: Log, place: int) -> Log:
    entry = _changed(log, place)[place - 1]
    entry["hash"] = digest(entry["number"], entry["event"], entry["before"])
    return log


def _removed(log: Log, place: int) -> Log:
    del log[place - 1]
    return log


def _swapped(log: Log, place: int) -> Log:
    log[place - 1], log[place] = log[place], log[place - 1]
    return log


def _added(log: Log, place: int) -> Log:
    log[place - 1]["approved_by"] = None
    return log


def _without_hash(log: Log, place: int) -> Log:
    del log[place - 1]["hash"]
    return log


def _renumbered(log: Log, place: int) -> Log:
    """One is removed, and those behind it get new numbers and hashes of their own, but not of what came before."""
    del log[place - 1]
    for number, entry in enumerate(log, 1):
        entry["number"] = number
        entry["hash"] = digest(number, entry["event"], entry["before"])
    return log


FORGERIES: list[tuple[str, Callable[[Log, int], Log], int, str]] = [
    ("an event is changed", _changed, 0, "the hash: make it anew from what the entry says, and compare"),
    ("an event is changed, and its hash made anew", _rehashed, 1, "before: it must be the hash of the entry before"),
    ("an entry is removed", _removed, 0, "number and before: an entry that is missing leaves a gap"),
    ("two entries have changed places", _swapped, 0, "number and before: each entry has its place"),
    ("an entry is removed, and the others renumbered", _renumbered, 0, "before: numbers alone prove nothing"),
    ("a field is added to an entry", _added, 0, "the fields: compare the whole entry, nothing may be added to it"),
    ("an entry has lost its hash", _without_hash, 0, "the fields: one that is not there is wrong too, and no error"),
]


def _found(learner: Learner, log: Log, head: str, expected: int) -> None:
    wanted = f"{expected}, the number of the first entry that is wrong or missing"
    outcome = learner.attempt(log, head)
    if outcome.raised and "KeyError" in outcome.raised.kinds:
        raise Wrong(wanted, str(outcome.raised))
    seen = learner.answered(outcome)
    if seen != expected or isinstance(seen, bool):
        raise Wrong(wanted, shown(seen))


def _entry(learner: Learner, seen: Any, expected: dict[str, Any]) -> None:  # noqa: ANN401
    learner.expect_type(seen, dict, "an entry: a dict with number, event, before and hash")
    learner.expect(sorted(seen), sorted(PARTS), "the keys of an entry")
    for part, look in PARTS.items():
        learner.expect(seen[part], expected[part], look)


def _events(chance: random.Random, count: int) -> list[dict[str, Any]]:
    kinds = ["asked", "answered", "frozen", "declined"]
    return [
        {
            "what": chance.choice(kinds),
            "account": f"AC-2{chance.randrange(10000):04}",
            "who": chance.choice(["Maria", "Jörg"]),
        }
        for _ in range(count)
    ]


assert len(GENESIS) == 64, "as the text of the step says"
