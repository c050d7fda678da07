"""What AgentCore Gateway on a laptop adds to a tool call, beside FastMCP's proxy, and how well its search finds tools.

The peer is the same MCP server reached directly; client, gateway and server are processes, measured in turns. How
lists, calls and memory grow is in `bench.gateway_growth`.
"""

import json
import statistics
from functools import cache

import numpy as np
from mcp import ClientSession

from bench import gateway_growth, mcp_client, proxy
from bench.gateways import Gateways, Ways, gateways
from bench.measure import Pairs, Part, Ratio, in_turns
from helpers.apps.retail import FOLDER

ROUNDS = 10
CALLS = 300
PROXY_ROUNDS, PROXY_CALLS = 4, 60
AMONG = 5  # a tool that fits has to be among so many


def ratios() -> list[Ratio]:
    """A call through the gateway against the direct one, and against one through FastMCP's proxy."""
    return _measured().ratios


def notes() -> list[str]:
    """The proxy's other form, search, and how lists, calls and memory grow; of the same run."""
    return _measured().notes


@cache
def _measured() -> Part:
    with gateways() as made:
        ways = made.before()
        calls = _calls(ways)
        beside = _beside(ways)
        growth = gateway_growth.measured(made, ways)
        search = _search(made)
    return Part([*calls.ratios, *beside.ratios], [*calls.notes, *beside.notes, *growth, search])


def _calls(ways: Ways) -> Part:
    """Calls through the gateway and direct ones."""
    found = in_turns(
        lambda _: mcp_client.calls(ways.gateway, ways.through, CALLS),
        lambda _: mcp_client.calls(ways.direct, ways.tool, CALLS),
        ROUNDS,
    )
    p50, p99 = _percentiles(found, 50), _percentiles(found, 99)
    added = statistics.median(ours - peer for ours, peer in p50)
    return Part(
        [
            Ratio("a tool call through the gateway, p50, against direct", "ms", p50, 1.5, more_is_better=False),
            Ratio("a tool call through the gateway, p99, against direct", "ms", p99, 2.0, more_is_better=False),
        ],
        [f"A gateway adds {added:.2f} ms to a tool call (MCP 2025-11-25, a session, answers as streams)"],
    )


def _percentiles(found: list[tuple[np.ndarray, np.ndarray]], percent: int) -> Pairs:
    return [(float(np.percentile(ours, percent)), float(np.percentile(peer, percent))) for ours, peer in found]


def _beside(ways: Ways) -> Part:
    """The gateway and both forms of FastMCP's proxy; one that begins a session for each call is what it has first."""
    if reason := proxy.missing():
        return Part([], [f"FastMCP's proxy was not measured, it cannot be installed: {reason}"])
    by_request, by_session = (_against(ways, kind) for kind in proxy.KINDS)
    other = Ratio("", "1/s", by_session, bound=1.0)
    said = (
        f"{proxy.VERSION}: create_proxy(url), which the ratio is of, begins a session with the server for each "
        f"request; with StatefulProxyClient, which keeps it for the client's session, the gateway is {other.ratio:.1f} "
        f"times as fast ({1000 / other.ours:.1f} ms a call, and {1000 / other.peer:.1f} ms)"
    )
    name = "tool calls one after the other, against FastMCP's proxy"
    return Part([Ratio(name, "1/s", by_request, bound=5.0)], [said])


def _against(ways: Ways, kind: str) -> Pairs:
    """Calls a second as their p50 has it, through the gateway and through the proxy."""
    with proxy.proxy(ways.direct, kind) as url:
        found = in_turns(
            lambda _: mcp_client.calls(ways.gateway, ways.through, PROXY_CALLS),
            lambda _: mcp_client.calls(url, ways.tool, PROXY_CALLS),
            PROXY_ROUNDS,
        )
    return [(1000 / ours, 1000 / peer) for ours, peer in _percentiles(found, 50)]


def _search(made: Gateways) -> str:
    """How long the search tool takes, and for how many questions a tool that fits is among the first five."""
    lines = (FOLDER / "tool-questions.jsonl").read_text("utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    asked, hits = iter([questions[0], *questions]), list[bool]()

    async def ask(session: ClientSession) -> None:
        question = next(asked)
        answer = await session.call_tool(gateway_growth.SEARCH, {"query": question["question"]})
        assert answer.structured_content, answer
        hits.append(fits(question, [tool["name"] for tool in answer.structured_content["tools"]]))

    times = mcp_client.times(made.searching(), ask, len(questions), warm=1)  # the first embeds the tools, too
    return (
        f"The search tool over 60 tools: p50 {np.median(times):.0f} ms, embedding of the question included; "
        f"recall@{AMONG} {np.mean(hits[1:]):.3f} on {len(questions)} questions"
    )


def fits(question: dict[str, object], found: list[str]) -> bool:
    """Whether a tool that fits the question is among the first five found."""
    good = {question["tool"], *question.get("also", [])}  # type: ignore[misc]
    return any(name.rpartition("___")[2] in good for name in found[:AMONG])
