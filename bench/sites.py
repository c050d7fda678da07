"""What a link with its ledger adds to a call, what A2A adds to the agent, and how asking several peers at once grows.

The peer is the same program reached directly: a real A2A server whose model is scripted, so that no model's time hides
what the links take. Both are measured in turns, in one run.
"""

import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import httpx
from strands import Agent

from bench.measure import Ratio, in_turns, milliseconds
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.sites.topology import Topology
from tests.sites.peer_app import Scripted

ROUNDS = 10
CALLS = 60
AT_ONCE = 4
PEERS = (1, 2, 4, 8)
ADDED_MS = 1.0  # what a link may add to a call
CLASSIFIED = {"patient": [f"P-{number}" for number in range(1001, 1241)], "account": r"AC-[0-9]{5}"}
MESSAGE = {"kind": "message", "role": "user", "messageId": "m", "parts": [{"kind": "text", "text": "echo hello"}]}
SEND = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": MESSAGE}}


class Caller:
    """Sends messages from site a to a program of site b, directly or through the link."""

    def __init__(self, network: Network, program: Program) -> None:
        token = network.issuer.token("a", program.identity)
        self.client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        self.direct, self.linked = program.url, program.url_from("a")

    def send(self, url: str) -> None:
        """One message, and its answer."""
        self.client.post(url, json=SEND).raise_for_status()

    def p50(self, url: str) -> float:
        """Milliseconds for a call, the median of a round."""
        return statistics.median(milliseconds(lambda: self.send(url)) for _ in range(CALLS))

    def rate(self, url: str) -> float:
        """Calls per second, several at once."""
        started = perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: self.send(url), range(CALLS * 2)))
        return CALLS * 2 / (perf_counter() - started)


_notes: list[str] = []


def ratios() -> list[Ratio]:
    """A link at no latency: time added to a call, and throughput, against the program reached directly."""
    _notes.clear()
    with _network() as network:
        caller = Caller(network, network["b"].start("tests.sites.peer_app"))
        caller.p50(caller.direct), caller.p50(caller.linked)  # warm up
        delays = in_turns(lambda _: caller.p50(caller.linked), lambda _: caller.p50(caller.direct), ROUNDS)
        rates = in_turns(lambda _: caller.rate(caller.linked), lambda _: caller.rate(caller.direct), ROUNDS)
        _notes.extend([_a2a_note(statistics.median(direct for _, direct in delays)), _fan_out_note(network, caller)])
    added = [(linked - direct, ADDED_MS) for linked, direct in delays]
    return [
        Ratio("a link adds to a call, p50, of 1 ms", "ms", added, bound=1.0, more_is_better=False),
        Ratio(f"calls through a link, {AT_ONCE} at once", "1/s", rates, bound=0.9),
    ]


def notes() -> list[str]:
    """What A2A adds to a message, and how a fan-out grows; of the last run."""
    return _notes


def _network() -> Network:
    sites = {"a": {"kind": "outpost"}, "b": {"kind": "outpost"}}
    plan = {"name": "bench", "sites": sites, "links": [{"between": ["a", "b"]}]}
    return Network(Topology.model_validate(plan), CLASSIFIED)


def _a2a_note(direct: float) -> str:
    agent = Agent(Scripted(), callback_handler=None)
    alone = statistics.median(milliseconds(lambda: agent("echo hello")) for _ in range(CALLS))
    return f"A2A adds {direct - alone:.1f} ms to a message: {direct:.1f} ms, of which the agent takes {alone:.1f} ms"


def _fan_out_note(network: Network, caller: Caller) -> str:
    """All peers are asked at once, through the link; they share this machine's cores."""
    callers = [caller, *(Caller(network, _peer(network, number)) for number in range(1, max(PEERS)))]
    found = []
    for many in PEERS:
        times = [milliseconds(lambda chosen=callers[:many]: _ask_all(chosen)) for _ in range(CALLS // 2)]  # type: ignore[misc]
        found.append(f"{many}: {statistics.median(times):.1f} ms")
    return f"Asking several peers at once through the link, by their number: {', '.join(found)}"


def _peer(network: Network, number: int) -> Program:
    return network["b"].start("tests.sites.peer_app", name=f"peer-{number}")


def _ask_all(callers: list[Caller]) -> None:
    threads = [threading.Thread(target=caller.send, args=(caller.linked,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
