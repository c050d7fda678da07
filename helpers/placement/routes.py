"""What lies between two places: the links of a topology, by the kinds of their sites.

    routes = Routes.of(Topology.read("data/region-and-edges.toml")).through("region")
    routes.between("outpost", "region").latency_ms

Of a link, latency, jitter and bandwidth are counted as `helpers.sites` applies them. Not counted: TCP's slow start,
which on a long link adds round trips to a message of more than some 14 kB over a new connection, and lost packets.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Self

from helpers.placement.errors import AmbiguousPlace, MissingLink
from helpers.placement.placement import PLACES, place
from helpers.sites.topology import Conditions, Kind, Topology

HERE = Conditions()


class Routes:
    """The conditions between places; between a place and itself nothing takes time.

    Routes({("outpost", "region"): Conditions(latency_ms=30)})

    Raises:
        UnknownPlace: a name is no place.
        AmbiguousPlace: two links join the same places.
    """

    def __init__(self, links: Mapping[tuple[str, str], Conditions]) -> None:
        self.links: dict[frozenset[Kind], Conditions] = {}
        for (one, other), conditions in links.items():
            pair = frozenset((place(one, "an end of a link"), place(other, "an end of a link")))
            if pair in self.links or len(pair) == 1:
                raise AmbiguousPlace(
                    f"The link {one} - {other} is there twice or joins a place to itself. Take it out."
                )
            self.links[pair] = conditions

    @classmethod
    def of(cls, links: "Topology | Routes") -> "Routes":
        """The links of a topology that has at most one site of each kind; links that are not up are left out.

        Raises:
            AmbiguousPlace: there are several sites of one kind.
        """
        if isinstance(links, Routes):
            return links
        kinds = {name: site.kind for name, site in links.sites.items()}
        for kind in PLACES:
            named = [name for name, its in kinds.items() if its == kind]
            if len(named) > 1:
                raise AmbiguousPlace(
                    f"{links.name} has several sites of the kind {kind}: {', '.join(named)}. "
                    "Leave one of them in the topology that you give here."
                )
        return cls(
            {(kinds[link.between[0]], kinds[link.between[1]]): link for link in links.links if link.state == "up"}
        )

    def through(self, middle: Kind) -> Self:
        """These, and for each pair that no link joins the way through `middle`: both latencies, the lesser bandwidth.

        What crosses such a way passes `middle` as encrypted traffic; it is not counted as data that is there.
        """
        place(middle, "the middle of a way")
        made = type(self)({})
        made.links = dict(self.links)
        for pair in combinations(PLACES, 2):
            legs = [self.links.get(frozenset((end, middle))) for end in pair]
            if middle not in pair and frozenset(pair) not in made.links and all(legs):
                made.links[frozenset(pair)] = _joined(*(leg for leg in legs if leg))
        return made

    def between(self, one: Kind, other: Kind) -> Conditions:
        """What lies between two places.

        Raises:
            MissingLink: no link joins them.
        """
        if one == other:
            return HERE
        found = self.links.get(frozenset((one, other)))
        if found is None:
            known = "; ".join(" - ".join(sorted(pair)) for pair in self.links) or "none"
            raise MissingLink(
                f"No link that is up joins {one} and {other}. Links: {known}. Add one to the topology ([[links]] with "
                "between and latency_ms), or, where traffic goes through the Region, take Routes.of(topology)"
                '.through("region").'
            )
        return found


def seconds(conditions: Conditions, round_trips: float, size: float = 0) -> float:
    """How long so many round trips, and `size` bytes over both ways together, take on a link; jitter by its mean."""
    one_way = (conditions.latency_ms + conditions.jitter_ms / 2) / 1000
    sending = size * 8 / (conditions.bandwidth_mbit * 1e6) if conditions.bandwidth_mbit else 0.0
    return 2 * one_way * round_trips + sending


def _joined(one: Conditions, other: Conditions) -> Conditions:
    widths = [each.bandwidth_mbit for each in (one, other) if each.bandwidth_mbit]
    return Conditions(
        latency_ms=one.latency_ms + other.latency_ms,
        jitter_ms=one.jitter_ms + other.jitter_ms,
        bandwidth_mbit=min(widths, default=None),
    )
