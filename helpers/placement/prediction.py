"""What a placement comes to: seconds of a turn, what crosses, whether it may, which model, and what it costs.

prediction = predict(Placement("outpost", "region", "outpost"), topology, work)
prediction.seconds, prediction.crossings, prediction.refusals
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from helpers.placement.capability import Choice
from helpers.placement.errors import UnknownPart
from helpers.placement.placement import PARTS, Placement, place
from helpers.placement.routes import Routes, seconds
from helpers.placement.work import Ask, Flow, Work, number
from helpers.sites.topology import Kind, Topology

Models = Mapping[Kind, Choice]
Prices = Mapping[tuple[str, str], float]  # (part, place): USD an hour


@dataclass(frozen=True)
class Crossing:
    """What crosses a link in a turn: bytes both ways together, and the classes of data in it."""

    ask: Ask
    between: tuple[Kind, Kind]  # who asks, and who is asked
    round_trips: float
    bytes: float
    classes: frozenset[str]
    seconds: float


@dataclass(frozen=True)
class Prediction:
    """One placement. `own` is the time of agent, model and tools themselves; `refusals` say why it may not be."""

    placement: Placement
    own: Mapping[str, float]
    crossings: tuple[Crossing, ...]
    refusals: tuple[str, ...] = ()
    choice: Choice | None = None
    usd_per_hour: float | None = None  # None: a price is not known

    @property
    def seconds(self) -> float:
        """Of a turn, from question to answer."""
        return sum(self.own.values()) + sum(each.seconds for each in self.crossings)

    @property
    def round_trips(self) -> float:
        """That cross a link."""
        return sum(each.round_trips for each in self.crossings)

    @property
    def bytes(self) -> float:
        """That cross a link."""
        return sum(each.bytes for each in self.crossings)

    @property
    def classes(self) -> frozenset[str]:
        """Of the data that crosses a link."""
        return frozenset().union(*(each.classes for each in self.crossings))

    @property
    def allowed(self) -> bool:
        """Whether data may be where it would be, and a model fits."""
        return not self.refusals


def predict(
    placement: Placement,
    links: Topology | Routes,
    work: Work,
    *,
    models: Models | None = None,
    prices: Prices | None = None,
) -> Prediction:
    """What a placement comes to.

    Args:
        models: which model fits where (see `capability.choices`); without it, any does.
        prices: USD an hour by part and place; a placement of which one is missing has no cost.

    Raises:
        MissingLink: no link joins two places that have to talk.
        AmbiguousPlace: the topology has several sites of a kind.
        UnknownPart, UnknownPlace, OutOfRange: `prices` has what cannot be.
    """
    routes = Routes.of(links)
    choice = models[placement.model] if models is not None else None
    refusals = list(_misplaced(placement, work))
    if choice and not choice.model:
        refusals.append(f"no model fits at {placement.model}: {choice.why}")
    return Prediction(
        placement=placement,
        own={
            "agent": work.seconds,
            "question": work.question.seconds,
            "model": work.model_seconds(placement.model),
            "tools": work.tools.seconds,
        },
        crossings=tuple(_crossings(placement, routes, work)),
        refusals=tuple(refusals),
        choice=choice,
        usd_per_hour=_cost(placement, prices),
    )


def ends(placement: Placement, work: Work) -> dict[Ask, tuple[Kind, Kind]]:
    """Who asks and who is asked, by place."""
    return {
        "question": (work.caller, placement.agent),
        "model": (placement.agent, placement.model),
        "tools": (placement.agent, placement.tools),
    }


def _crossings(placement: Placement, routes: Routes, work: Work) -> Iterator[Crossing]:
    for ask, (one, other) in ends(placement, work).items():
        flow: Flow = getattr(work, ask)
        if one != other and flow.round_trips:
            takes = seconds(routes.between(one, other), flow.round_trips, flow.size)
            yield Crossing(ask, (one, other), flow.round_trips, flow.size, frozenset(flow.classes), takes)


def _misplaced(placement: Placement, work: Work) -> Iterator[str]:
    """A sentence for each class of data and place where it would be and may not."""
    seen: dict[tuple[str, Kind], list[str]] = {}
    for name in work.data:
        seen.setdefault((name, placement.tools), []).append("is kept")
    for ask, both in ends(placement, work).items():
        for name in getattr(work, ask).classes:
            for where in dict.fromkeys(both):
                seen.setdefault((name, where), []).append(f"is in the {ask} flow")
    for (name, where), how in sorted(seen.items()):
        if where not in work.allowed(name):
            may = ", ".join(work.allowed(name)) or "nowhere"
            yield f"{name} may be at {may}, and {' and '.join(sorted(how))} at {where}"


def _cost(placement: Placement, prices: Prices | None) -> float | None:
    if prices is None:
        return None
    for (part, where), price in prices.items():
        if part not in PARTS:
            raise UnknownPart(f"{part!r} is no part that has a price. Write one of {', '.join(PARTS)}.")
        number(price, f"the price of the {part} at {place(where, 'a price')}")
    found = [prices.get((part, getattr(placement, part))) for part in PARTS]
    return None if None in found else sum(price for price in found if price is not None)
