"""How a gateway grows: lists by their tools, calls by the clients at once, memory by sessions. One plot of each."""

import statistics
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import mcp_client
from bench.gateways import Gateways, Ways, gateways
from bench.measure import in_turns
from helpers.settings.settings import ROOT

PLOT = ROOT / "artefacts" / "gateway-growth.png"
TOOLS = (10, 100, 1_000)
CLIENTS = (1, 2, 4, 8, 16)
SESSIONS = (0, 200, 400, 600, 800)
FIRST_SESSIONS = 50  # after which what a process keeps for any session is there
LISTS, CALLS, ROUNDS = 20, 320, 4
SEARCH = "x_amz_bedrock_agentcore_search"
HELD = 100


def measured(made: Gateways, ways: Ways) -> list[str]:
    """What is to be said of the growth; the plot is written."""
    lists, searches, clients = _lists(made), _searches(made), _clients(ways)
    memory, held = _memory()
    _plot(lists, searches, clients, memory)
    kib = slope(memory) * 1024
    return [
        f"tools/list, the whole list, p50 in ms by tools:\n{lists.round(1).to_string()}",
        f"The search tool by tools, p50 in ms, embedding of the question included:\n{searches.round(1).to_string()}",
        f"Calls by clients at once, p50 in ms and calls a second:\n{clients.round(1).to_string()}",
        f"An idle session that has made a call takes {kib:.0f} KiB of the Region's {memory.iloc[0]:.0f} MiB, "
        f"by {SESSIONS[-1]} sessions; "
        f"with a client that stays connected {held * 1024:.0f} KiB, by {HELD}; plots in {PLOT.relative_to(ROOT)}",
    ]


def slope(memory: "pd.Series[float]") -> float:
    """MiB a session, by the line that fits best."""
    return float(np.polyfit(memory.index.to_numpy(float), memory.to_numpy(float), 1)[0])


def _lists(made: Gateways) -> pd.DataFrame:
    """A row for each number of tools."""
    return pd.DataFrame.from_dict({tools: _listed(made.before(tools), tools) for tools in TOOLS}, orient="index")


def _listed(ways: Ways, tools: int) -> dict[str, float]:
    async def work(session: mcp_client.ClientSession) -> None:
        found = await mcp_client.listed(session)
        assert found == tools, f"{found} tools are listed, and not {tools}"

    def p50(url: str) -> Callable[[int], float]:
        return lambda _: float(np.median(mcp_client.times(url, work, LISTS, warm=2)))

    return _ratio(in_turns(p50(ways.gateway), p50(ways.direct), ROUNDS), "")


def _searches(made: Gateways) -> "pd.Series[float]":
    """Milliseconds of a search, by the number of tools; the first embeds the tools, and is not counted."""

    async def ask(session: mcp_client.ClientSession) -> None:
        answer = await session.call_tool(SEARCH, {"query": "How many pieces are there?"})
        assert answer.structured_content and answer.structured_content["tools"], answer

    ways = {tools: made.before(tools, searchType="SEMANTIC") for tools in TOOLS}
    return pd.Series(
        {tools: float(np.median(mcp_client.times(way.gateway, ask, LISTS, warm=1))) for tools, way in ways.items()}
    )


def _clients(ways: Ways) -> pd.DataFrame:
    """A row for each number of clients."""

    def work(url: str, tool: str, many: int) -> Callable[[int], tuple[float, float]]:
        return lambda _: mcp_client.together(url, tool, many, CALLS)

    rows = {}
    for many in CLIENTS:
        found = in_turns(work(ways.gateway, ways.through, many), work(ways.direct, ways.tool, many), ROUNDS)
        p50 = _ratio([(ours[1], peer[1]) for ours, peer in found], ", ms")
        rate = _ratio([(ours[0], peer[0]) for ours, peer in found], ", 1/s")
        rows[many] = p50 | rate
    return pd.DataFrame.from_dict(rows, orient="index")


def _ratio(pairs: list[tuple[float, float]], unit: str) -> dict[str, float]:
    """Both, and the median of the ratios within a round."""
    return {
        f"gateway{unit}": statistics.median(ours for ours, _ in pairs),
        f"direct{unit}": statistics.median(peer for _, peer in pairs),
        f"ratio{unit}": statistics.median(ours / peer for ours, peer in pairs),
    }


def _memory() -> "tuple[pd.Series[float], float]":
    """MiB of a Region by the number of sessions that nobody is connected to any more, and of one with its client.

    The Region is a new one: what lists and calls have given back would hide what sessions take.
    """
    with gateways() as made:
        ways = made.before()
        mcp_client.leave(ways.gateway, ways.through, FIRST_SESSIONS)
        found, before = {}, 0
        for sessions in SESSIONS:
            mcp_client.leave(ways.gateway, ways.through, sessions - before)
            found[sessions], before = made.megabytes(), sessions
        held = mcp_client.holding(ways.gateway, ways.through, HELD, made.megabytes)
    return pd.Series(found), (held - found[SESSIONS[-1]]) / HELD


def _plot(lists: pd.DataFrame, searches: "pd.Series[float]", clients: pd.DataFrame, memory: "pd.Series[float]") -> None:
    figure = Figure(figsize=(10, 7), layout="constrained")
    of_lists, of_calls, of_rates, of_memory = figure.subplots(2, 2).flat
    _lines(of_lists, lists, "", xlabel="tools", ylabel="tools/list and search p50, ms", xscale="log", yscale="log")
    of_lists.plot(searches.index, searches, marker="o", label="search, gateway")
    _lines(of_calls, clients, ", ms", xlabel="clients at once", ylabel="tool call p50, ms")
    _lines(of_rates, clients, ", 1/s", xlabel="clients at once", ylabel="tool calls a second")
    of_memory.plot(memory.index, memory, marker="o", label="Region")
    of_memory.set(xlabel="idle sessions", ylabel="resident, MiB")
    for axes in (of_lists, of_calls, of_rates, of_memory):
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.legend()
    figure.suptitle("How a gateway grows")
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, dpi=120)


def _lines(axes: Axes, table: pd.DataFrame, unit: str, **labels: str) -> None:
    for way in ("gateway", "direct"):
        axes.plot(table.index, table[way + unit], marker="o", label=way)
    axes.set(**labels)
