"""The map of flows, infra/flows.toml, as policies see it and as security groups see it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from helpers.settings.settings import ROOT

PodFlow = tuple[str, str, str, int]  # from, to, protocol, port
PLACES = ("group", "ranges", "list")


class Flow(NamedTuple):
    """Whoever is at `source` may reach `target` at a TCP port; `end` is the one whose group says so."""

    source: str
    target: str
    port: int
    end: str


@dataclass(frozen=True)
class Map:
    """What may ask what."""

    given: dict[str, Any]

    @classmethod
    def read(cls, path: Path = ROOT / "infra/flows.toml") -> "Map":
        """The map in a file."""
        return cls(tomllib.loads(path.read_text("utf-8")))

    @property
    def parties(self) -> dict[str, dict[str, Any]]:
        """What each party is, by name."""
        return self.given["parties"]

    @property
    def pods(self) -> set[str]:
        """The parties that are pods of a cluster."""
        return {name for name, party in self.parties.items() if party.get("pod")}

    def flows(self, site: str) -> set[PodFlow]:
        """What policies must allow at a kind of site."""
        return {
            (source, target, flow.get("protocol", "tcp"), flow["port"])
            for flow in self.given["flows"]
            if site in flow.get("at", self.given["addresses"])
            for source, target in _pairs(flow)
            if {source, target} & self.pods
        }

    def crossing(self) -> set[Flow]:
        """What security groups must allow, once for each end that has a rule."""
        return {made for flow in self.given["flows"] for pair in _pairs(flow) for made in self._between(flow, *pair)}

    def addresses(self, site: str) -> dict[str, str]:
        """The ranges of the parties outside the cluster, and who is there."""
        return {cidr: name for name, cidr in self.given["addresses"][site].items()}

    def _between(self, flow: dict[str, Any], source: str, target: str) -> set[Flow]:
        if {source, target} <= self.pods:
            return set()
        sources = [flow["by"]] if "by" in flow else self._places(source)
        return {
            Flow(here, there, flow["port"], end)
            for here in sources
            for there in self._places(target)
            for end, place in (("from", here), ("to", there))
            if ":" not in place
        }

    def _places(self, name: str) -> list[str]:
        party = self.parties[name]
        if "ranges" in party:
            return [f"range:{each}" for each in party["ranges"]]
        if "list" in party:
            return [f"list:{party['list']}"]
        return [party["group"]] if "group" in party else []


def _pairs(flow: dict[str, Any]) -> list[tuple[str, str]]:
    return [(source, target) for source in flow["from"] for target in flow["to"]]
