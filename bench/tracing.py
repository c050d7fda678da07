"""What tracing costs a call through a gateway, an A2A call and an agent's turn: with it against without.

Whoever takes part is a process and traced, or none is; the receiver is a process of its own on the same machine.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from subprocess import PIPE, Popen
from time import monotonic, sleep

from bench import back_end
from bench.gateways import PLAN, gateways
from bench.measure import Pairs, Part, Ratio, in_turns
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.sites.topology import Topology
from helpers.tracing.store import Store

ROUNDS, CALLS = 8, 60
FREE = 1.05  # times as long
SPAN_MS = 0.3
SETTLE_SECONDS = 60


def ratios() -> list[Ratio]:
    """Calls with tracing against calls without; what the receiver does against Phoenix."""
    return [*_measured().ratios, *back_end.ratios()]


def notes() -> list[str]:
    """How many spans there are of a call, and what one adds; how long a query takes."""
    return [*_measured().notes, *back_end.notes()]


@cache
def _measured() -> Part:
    parts = [_gateway(), _a2a(), _agent()]
    return Part([ratio for part in parts for ratio in part.ratios], [note for part in parts for note in part.notes])


class Caller:
    """A process that makes calls of one kind."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process

    def p50(self, calls: int = CALLS) -> float:
        """Milliseconds of a call, the median of so many."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the caller ended; what it said is above"
        return statistics.median(json.loads(answer))


@contextmanager
def caller(url: str, kind: str, *given: str) -> Iterator[Caller]:
    """A caller that sends its spans to `url`, if that is not empty."""
    with tempfile.TemporaryDirectory(prefix="bench_") as folder:
        traced = {"WORKSHOP_IDENTITY": f"oregon/{kind}", "WORKSHOP_TELEMETRY_URL": url, "WORKSHOP_SITE_FOLDER": folder}
        environment = os.environ | (traced if url else {})
        command = [sys.executable, "-m", "bench.traced", kind, *given]
        with Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True) as process:
            try:
                yield Caller(process)
                assert process.stdin
                process.stdin.close()  # it sends what it has, and ends
                process.wait(SETTLE_SECONDS)
            finally:
                process.kill()


@contextmanager
def receiver() -> Iterator[tuple[str, Store]]:
    """A receiver in a process of its own: its address, and what it keeps."""
    with tempfile.TemporaryDirectory(prefix="bench_") as folder:
        path = Path(folder) / "traces.sqlite"
        command = [sys.executable, "-m", "helpers.tracing.receiver", "--port", "0", "--store", str(path)]
        with Popen(command, stdout=PIPE, text=True) as process:
            assert process.stdout
            url = next(word for word in process.stdout.readline().split() if word.startswith("http")).rstrip(",")
            try:
                yield url, Store(path)
            finally:
                process.terminate()


def receives(url: str) -> Program:
    """The receiver at `url` as a network's telemetry."""
    return Program("oregon/receiver", url, lambda address, _: address)


def _gateway() -> Part:
    with receiver() as (url, store), gateways() as off, gateways(receives(url)) as on:
        ways, traced = off.before(), on.before()
        none = (ways.gateway, ways.through)
        return _compared("a call through the gateway", store, url, "gateway", none, (traced.gateway, traced.through))


def _a2a() -> Part:
    with receiver() as (url, store), Network(Topology.model_validate(PLAN)) as network:
        given = []
        for name, telemetry in (("untraced", None), ("traced", receives(url))):
            network.telemetry = telemetry
            program = network["oregon"].start("tests.sites.peer_app", name=name)
            given.append((program.url, network.issuer.token("oregon", program.identity)))
        return _compared("an A2A call", store, url, "a2a", *given)


def _agent() -> Part:
    with receiver() as (url, store):
        return _compared("an agent's turn with a tool, the model from a script", store, url, "agent", (), ())


def _compared(name: str, store: Store, url: str, kind: str, off: tuple[str, ...], on: tuple[str, ...]) -> Part:
    """Calls with tracing against those without, and the spans of a call."""
    with caller("", kind, *off) as untraced, caller(url, kind, *on) as traced:
        untraced.p50()
        traced.p50()
        none, once, thrice = _settled(store), _after(store, traced, CALLS), _after(store, traced, 3 * CALLS)
        spans = (thrice - once - (once - none)) / (2 * CALLS)  # what a batch has besides its calls is not theirs
        pairs = in_turns(lambda _: traced.p50(), lambda _: untraced.p50(), ROUNDS)
    return Part([ratio(f"tracing {name}, p50, against not", pairs, spans)], [_note(name, pairs, spans)])


def ratio(name: str, pairs: Pairs, spans: float) -> Ratio:
    """At most 5 %, or 0.3 ms a span, whichever is more."""
    peer = statistics.median(peer for _, peer in pairs)
    return Ratio(name, "ms", pairs, max(FREE, 1 + SPAN_MS * spans / peer), more_is_better=False)


def _note(name: str, pairs: Pairs, spans: float) -> str:
    added = statistics.median(ours - peer for ours, peer in pairs)
    return f"Tracing {name} adds {added:.2f} ms, with {spans:.1f} spans: {added / spans:.2f} ms a span"


def _after(store: Store, traced: Caller, calls: int) -> int:
    traced.p50(calls)
    return _settled(store)


def _settled(store: Store) -> int:
    """How many spans are there, once no more arrive."""
    deadline, known, since = monotonic() + SETTLE_SECONDS, -1, monotonic()
    while monotonic() < min(deadline, since + 3):  # seconds: a process sends once a second
        if (count := len(store.table())) != known:
            known, since = count, monotonic()
        sleep(0.1)
    return known
