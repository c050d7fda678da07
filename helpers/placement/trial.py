"""Placements run for real: at each of three sites an agent, a model from a script and tools, over links with latency.

    with Network(Topology.read("data/three-places.toml")) as network:
        trial = Trial(network)
        trial.measure([Placement("outpost", "region", "outpost"), ...])    # seconds of a turn

The agent is a Strands agent that speaks to a model over Ollama's API and to tools over HTTP; the model is a script, so
that a turn takes the same time whenever it is run. What it says is fiction.
"""

import secrets
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from types import TracebackType
from typing import Self

import httpx
from opentelemetry.propagate import inject
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    format_trace_id,
    get_current_span,
    use_span,
)

from helpers.placement.errors import AmbiguousPlace, NoTurn
from helpers.placement.placement import PLACES, Placement, place
from helpers.placement.routes import Routes
from helpers.settings import settings
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.sites.topology import Conditions, Kind

QUESTION = "Is there anything in the record of P-1001 that speaks against Dantrolene?"
PATIENT = "P-1001"  # whom the script asks for; fiction
SECONDS = 300  # that a turn may take; the first one of an agent loads Strands
FASTER = 0.05  # a share of a turn: as long as a round makes one so much faster than before, there is another
PINGS = 5  # to measure a link


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
        kept = httpx.Limits(keepalive_expiry=SECONDS)  # as callers do who ask often; httpx's own 5 s are over too soon
        self._client = httpx.Client(timeout=SECONDS, trust_env=False, limits=kept)
        self._turns: dict[Placement, list[tuple[float, str]]] = {}  # seconds, and the trace's id
        for program in self.programs.values():
            self._tell(program)

    def turn(self, placement: Placement, question: str = QUESTION) -> float:
        """Ask once, in the current trace, or else in one of its own; seconds until the answer was here.

        Raises:
            httpx.HTTPError: a link is cut, or a part has ended.
        """
        url = self.programs[placement.agent].url_from(self.caller)
        asked = {"question": question, "model": placement.model, "tools": placement.tools}
        current = get_current_span()
        span = current if current.get_span_context().is_valid else _stranger()
        headers: dict[str, str] = {}
        with use_span(span):
            inject(headers)
            began = time.perf_counter()
            self._client.post(f"{url}/turn", json=asked, headers=headers).raise_for_status()
            took = time.perf_counter() - began
        trace = format_trace_id(span.get_span_context().trace_id)
        self._turns.setdefault(placement, []).append((took, trace))
        return took

    def measure(self, placements: Iterable[Placement], rounds: int = 3, most: int = 8) -> dict[Placement, float]:
        """Seconds of the fastest turn of each: what else runs on the machine can only make a turn longer.

        They are asked in rounds, each once in a round, so that the machine is the same for all. After `rounds` there
        are more, `most` in all, as long as a round makes one of them faster by a twentieth.
        """
        wanted = list(placements)
        self.load({one.agent for one in wanted})
        fastest: dict[Placement, float] = {}
        for done in range(1, most + 1):
            before = dict(fastest)
            for one in wanted:
                fastest[one] = min(self.turn(one), fastest.get(one, float("inf")))
            if done >= rounds and all(fastest[one] > before[one] * (1 - FASTER) for one in wanted):
                break
        return fastest

    def load(self, agents: Iterable[Kind] = PLACES) -> None:
        """Let the agents at these places do a turn by themselves, all at once: the first one loads Strands."""
        alone = [Placement(where, where, where) for where in agents]
        with ThreadPoolExecutor() as threads:
            list(threads.map(self._silently, alone))

    def fastest(self, placement: Placement) -> str:
        """The trace of the fastest turn so far of a placement; its spans tell what the parts took at that.

        Raises:
            NoTurn: it was not run.
        """
        if not (turns := self._turns.get(placement)):
            raise NoTurn(f"There was no turn with {placement}. Run one: trial.turn(placement).")
        return min(turns)[1]

    def links(self) -> Routes:
        """The links as they are now: what the fastest of some round trips takes more than one within a place."""
        found: dict[tuple[str, str], Conditions] = {}
        for one, other in combinations(PLACES, 2):
            late = max(self._round_trip(one, other) - self._round_trip(one, one), 0.0)
            found[one, other] = Conditions(latency_ms=late / 2 * 1000)
        return Routes(found)

    def close(self) -> None:
        """End the caller's connections; programs end with the network."""
        self._client.close()

    def _silently(self, placement: Placement) -> None:
        url = self.programs[placement.agent].url
        asked = {"question": QUESTION, "model": placement.model, "tools": placement.tools}
        self._client.post(f"{url}/turn", json=asked).raise_for_status()

    def _round_trip(self, one: Kind, other: Kind) -> float:
        asked = {"place": other, "times": PINGS}
        answer = self._client.post(f"{self.programs[one].url}/distance", json=asked).raise_for_status()
        return float(answer.json()["seconds"])

    def _tell(self, program: Program) -> None:
        """Tell a program where all are, as it reaches them: over links, but for itself; on AWS, as they are."""
        site = program.identity.partition("/")[0]
        aws = settings().profile == "aws"
        ways = {where: other.url if aws else other.url_from(site) for where, other in self.programs.items()}
        self._client.post(f"{program.url}/sites", json=ways).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _stranger() -> NonRecordingSpan:
    """A trace that begins here, whether this process is traced or not."""
    ids = secrets.randbits(128) or 1, secrets.randbits(64) or 1
    return NonRecordingSpan(SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)))


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
