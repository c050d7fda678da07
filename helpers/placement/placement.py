"""The three decisions, and which combinations of them the article names.

Placement(agent="outpost", model="outpost", tools="outpost").pattern       # "local agents"
Placement(agent="region", model="region", tools="outpost").pattern         # "distributed agents"
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from typing import Literal, get_args

from helpers.placement.errors import UnknownPlace
from helpers.sites.topology import Kind

Part = Literal["agent", "model", "tools"]
PARTS: tuple[Part, ...] = get_args(Part)
PLACES: tuple[Kind, ...] = get_args(Kind)

LOCAL = "local agents"  # all in one boundary at the edge
DISTRIBUTED = "distributed agents"  # agent and model in the Region; its tools, or agents as tools, at the edge
REGION = "all in the Region"  # nothing at the edge: what the article starts from
ANOTHER = "another"


@dataclass(frozen=True, order=True)
class Placement:
    """Where the agent, its model, and its tools with their data run.

    Raises:
        UnknownPlace: a place is neither outpost nor local-zone nor region.
    """

    agent: Kind
    model: Kind
    tools: Kind

    def __post_init__(self) -> None:
        for part in PARTS:
            place(getattr(self, part), f"the {part}")

    @property
    def pattern(self) -> str:
        """What the article calls it: `LOCAL`, `DISTRIBUTED`, `REGION`; else `ANOTHER`."""
        places = {self.agent, self.model, self.tools}
        if len(places) == 1:
            return REGION if self.agent == "region" else LOCAL
        return DISTRIBUTED if self.agent == self.model == "region" else ANOTHER

    def __str__(self) -> str:
        return f"agent at {self.agent}, model at {self.model}, tools at {self.tools}"


def every() -> tuple[Placement, ...]:
    """All 27."""
    return tuple(Placement(*places) for places in product(PLACES, repeat=len(PARTS)))


def place(name: object, whose: str) -> Kind:
    """The name, if it is a place; `whose` is for the message.

    Raises:
        UnknownPlace: it is none.
    """
    if name in PLACES:
        return name
    near = get_close_matches(str(name).lower().replace("_", "-").replace(" ", "-"), PLACES, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownPlace(f"{name!r} is no place for {whose}.{hint} Write one of {', '.join(PLACES)}.")


def places(names: Iterable[object], whose: str) -> tuple[Kind, ...]:
    """The names, if all are places.

    Raises:
        UnknownPlace: one is none.
    """
    given = [names] if isinstance(names, str) else names
    return tuple(place(name, whose) for name in given)
