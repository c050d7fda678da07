"""Placements run for real: at each of three sites an agent, a model from a script and tools, over links with latency.

    with Network(Topology.read("data/three-places.toml")) as network:
        trial = Trial(network)
        trial.measure([Placement("outpost", "region", "outpost"), ...])    # seconds of a turn

The agent is a Strands agent that speaks to a model over Ollama's API and to tools over HTTP; the model is a script, so
that a turn takes the same time whenever it is run. What it says is fiction.
"""

import statistics
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import httpx

from helpers.placement.errors import AmbiguousPlace
from helpers.placement.placement import PLACES, Placement, place
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.sites.topology import Kind

QUESTION = "Is there anything in the record of P-1001 that speaks against Dantrolene?"
PATIENT = "P-1001"  # whom the script asks for; fiction
SECONDS = 300  # that a turn may take; the first one of an agent loads Strands


class Trial:
    """All parts at all places; each turn says which of them it uses. The network is not closed with it.

    Raises:
        AmbiguousPlace: the topology has not exactly one site of each kind.
        NotLinked: two of the sites are not linked.
        ProgramFailed: a program does not start.
    """

    def __init__(
        self, network: Network, caller: Kind = "outpost", *, model_seconds: float = 0.05, tool_seconds: float = 0.01
    ) -> None:
        self.network, self.sites = network, _sites(network)
        self.caller = self.sites[place(caller, "the caller")]
        given = ["--model-seconds", str(model_seconds), "--tool-seconds", str(tool_seconds)]
        self.programs = {where: network[site].start("turns", *given) for where, site in self.sites.items()}
        self._client = httpx.Client(timeout=SECONDS, trust_env=False)  # keeps its connections, as callers do
        for program in self.programs.values():
            self._tell(program)

    def turn(self, placement: Placement, question: str = QUESTION) -> float:
        """Ask once; seconds until the answer was here.

        Raises:
            httpx.HTTPError: a link is cut, or a part has ended.
        """
        url = self.programs[placement.agent].url_from(self.caller)
        asked = {"question": question, "model": placement.model, "tools": placement.tools}
        began = time.perf_counter()
        self._client.post(f"{url}/turn", json=asked).raise_for_status()
        return time.perf_counter() - began

    def measure(self, placements: Iterable[Placement], turns: int = 5) -> dict[Placement, float]:
        """The median seconds of a turn of each, after one more, which opens connections that are kept."""
        measured = {}
        for placement in placements:
            self.turn(placement)
            measured[placement] = statistics.median(self.turn(placement) for _ in range(turns))
        return measured

    def close(self) -> None:
        """End the caller's connections; programs end with the network."""
        self._client.close()

    def _tell(self, program: Program) -> None:
        """Tell a program where all are, as it reaches them: over links, but for itself."""
        site = program.identity.partition("/")[0]
        ways = {where: other.url_from(site) for where, other in self.programs.items()}
        self._client.post(f"{program.url}/sites", json=ways).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _sites(network: Network) -> dict[Kind, str]:
    """The one site of each kind."""
    found: dict[Kind, str] = {}
    for where in PLACES:
        named = [name for name, site in network.sites.items() if site.kind == where]
        if len(named) != 1:
            raise AmbiguousPlace(
                f"A trial needs one site of the kind {where}, and {network.topology.name} has {len(named)}. "
                "Give it a topology with one outpost, one local-zone and one region, each linked with the others."
            )
        found[where] = named[0]
    return found
