"""What an agent does in a turn: how often it asks whom, what crosses then, and where each class of data may be.

work = Work(
    question=Flow(exchanges=1, sent=200, received=400, classes={"patient"}),
    model=Flow(exchanges=3, connections=3, sent=9_000, received=1_200, seconds=2.4, classes={"patient"}),
    tools=Flow(exchanges=2, sent=300, received=4_000, seconds=0.1, classes={"patient"}),
    data={"patient"},
    rules={"patient": ["outpost"]},
)
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from helpers.placement.errors import OutOfRange, UnknownClass
from helpers.placement.placement import PLACES, place, places
from helpers.sites.topology import Kind

Ask = Literal["question", "model", "tools"]
ASKS: tuple[Ask, ...] = ("question", "model", "tools")
ANYWHERE: tuple[Kind, ...] = PLACES


@dataclass(frozen=True)
class Flow:
    """What one asks another in a turn. Numbers are means over turns, so they need not be whole.

    `connections` are those newly opened: each takes a round trip before the first byte (two with TLS 1.3: count it
    twice). `sent` and `received` are bytes, `seconds` what the callee takes for all exchanges together, `classes` the
    classes of data in what crosses either way.

    Raises:
        OutOfRange: a number is negative, infinite or none.
    """

    exchanges: float
    connections: float = 0
    sent: float = 0
    received: float = 0
    seconds: float = 0
    classes: Collection[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("exchanges", "connections", "sent", "received", "seconds"):
            number(getattr(self, name), name)
        object.__setattr__(self, "classes", frozenset(_names(self.classes)))

    @property
    def round_trips(self) -> float:
        """One for each exchange and each new connection."""
        return self.exchanges + self.connections

    @property
    def size(self) -> float:
        """Bytes of both ways together."""
        return self.sent + self.received


@dataclass(frozen=True)
class Work:
    """A turn: someone at `caller` asks the agent, which asks its model and its tools.

    `seconds` is the agent's own time. `at` gives, by place, what the model takes where that is not `model.seconds`: a
    larger GPU, or a larger model. `data` are the classes of data kept where the tools are. `rules` say of each class
    where it may be at all, at rest and in the memory of who reads it; `ANYWHERE` is a rule too.

    Raises:
        UnknownClass: a class without a rule, or a rule for a class that nothing carries.
        UnknownPlace: a rule, `at` or `caller` names no place.
        OutOfRange: a number that cannot be.
    """

    question: Flow
    model: Flow
    tools: Flow
    seconds: float = 0
    caller: Kind = "outpost"
    at: Mapping[Kind, float] = field(default_factory=dict)
    data: Collection[str] = frozenset()
    rules: Mapping[str, Iterable[Kind]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        number(self.seconds, "seconds")
        place(self.caller, "the caller")
        for where, takes in self.at.items():
            number(takes, f"the model's seconds at {place(where, 'the model')}")
        object.__setattr__(self, "data", frozenset(_names(self.data)))
        rules = {name: places(where, f"data of the class {name!r}") for name, where in self.rules.items()}
        object.__setattr__(self, "rules", rules)
        _check(self.classes, rules)

    @property
    def classes(self) -> frozenset[str]:
        """All classes of data that there are, at rest or under way."""
        return frozenset(self.data).union(*(getattr(self, ask).classes for ask in ASKS))

    def allowed(self, name: str) -> tuple[Kind, ...]:
        """Where data of a class may be."""
        return tuple(self.rules[name])

    def model_seconds(self, where: Kind) -> float:
        """What the model takes at a place, for all its answers of a turn together."""
        return self.at.get(where, self.model.seconds)

    def ruled(self, rules: Mapping[str, Iterable[Kind]], data: Collection[str] | None = None) -> "Work":
        """The same work under other rules."""
        return replace(self, rules=rules, data=self.data if data is None else data)


def number(value: float, name: str) -> float:
    """The number, if something can be so long or so many.

    Raises:
        OutOfRange: it cannot.
    """
    if not (math.isfinite(value) and value >= 0):
        raise OutOfRange(f"{name} is {value}. Give a number that is not negative.")
    return value


def _names(given: Collection[str]) -> Collection[str]:
    return [given] if isinstance(given, str) else given


def _check(classes: frozenset[str], rules: Mapping[str, object]) -> None:
    if unruled := classes - rules.keys():
        name = min(unruled)
        raise UnknownClass(
            f"No rule says where data of the class {', '.join(map(repr, sorted(unruled)))} may be. Add it to rules, "
            f'for example rules={{"{name}": ["outpost"]}}, or {{"{name}": ANYWHERE}} if it does not matter.'
        )
    if unknown := rules.keys() - classes:
        known = ", ".join(sorted(classes)) or "none"
        raise UnknownClass(
            f"Rules are about {', '.join(map(repr, sorted(unknown)))}, which nothing carries and no tool keeps; a rule "
            f"with a slip in its name would guard nothing. Classes: {known}. Correct the name, or take the rule out."
        )
