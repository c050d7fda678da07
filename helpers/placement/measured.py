"""The work of a turn, read from what was measured: counts and times from spans, bytes and classes from the ledger.

    work = of_spans(recording.widest(), opens=["model"])
    work = with_crossings(work, network.ledger.table(), Placement("region", "local-zone", "outpost"), SITES, turns=1)

Spans are told by OpenTelemetry's names for generative AI: `invoke_agent` is a turn, `chat` an answer of the model,
`execute_tool` a call of a tool. Requests over HTTP below them are counted; where there are none, because the client is
not traced or the tool runs in the agent's own process, the call counts as the one request that it would be elsewhere.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from helpers.placement.errors import AmbiguousPlace, NoTurn, UnknownPlace
from helpers.placement.placement import Placement
from helpers.placement.prediction import ends, predict
from helpers.placement.routes import Routes
from helpers.placement.work import ANYWHERE, Ask, Flow, Work
from helpers.sites.topology import Kind, Topology
from helpers.tracing.spans import Span
from helpers.tracing.tree import Node, trees, walk

if TYPE_CHECKING:
    import pandas as pd

OPERATION = "gen_ai.operation.name"
REQUEST = ("http.request.method", "http.method")
FOUND = re.compile(r"\d+ (.+)")  # of the ledger's column `classified`


def of_spans(
    spans: Iterable[Span],
    *,
    opens: Collection[Ask] = (),
    caller: Kind = "outpost",
    placement: Placement | None = None,
    links: Topology | Routes | None = None,
) -> Work:
    """The work of a turn: of those in `spans`, the one in the middle by its length. See `with_crossings` for the rest.

    Args:
        opens: who opens a new connection for each request, which spans do not show: Strands' `OllamaModel` does.
        placement, links: where the parts were and what lay between, if that was not one place: what the links took is
            taken off the times.

    Raises:
        NoTurn: there is no `invoke_agent` in them.
    """
    turn = _turn(trees(spans))
    chats, calls = (_calls(turn, name) for name in ("chat", "execute_tool"))
    model, tools = _seconds(chats), _seconds(calls)
    own = max(_whole(turn).span.seconds - _seconds([*chats, *calls]), 0.0)
    work = Work(
        question=_flow(1, 0, "question" in opens),
        model=_flow(_exchanges(chats), model, "model" in opens),
        tools=_flow(_exchanges(calls), tools, "tools" in opens),
        seconds=own,
        caller=caller,
    )
    return _without_links(work, placement, links) if placement and links else work


def with_crossings(
    work: Work, table: "pd.DataFrame", placement: Placement, sites: Mapping[Kind, str], turns: int = 1
) -> Work:
    """The same work with what the ledger says crossed in so many turns of `placement`: bytes, and classes of data.

    `sites` names the site of each place. Each of the three flows has to have crossed a link. Classes get the rule
    ANYWHERE where the work has none: say yours with `work.ruled(...)`.

    Raises:
        AmbiguousPlace: a flow crossed no link, or two flows the same link the same way.
        NoTurn: nothing crossed.
        UnknownPlace: `sites` lacks a place.
    """
    if table.empty or turns < 1:
        raise NoTurn(f"The ledger shows {len(table)} crossings in {turns} turns. Run a turn, then read the ledger.")
    both = ends(placement, work)
    _check_apart(both, placement)
    if missing := {where for pair in both.values() for where in pair} - sites.keys():
        raise UnknownPlace(f"sites lacks {', '.join(sorted(missing))}. Name the site of each place that takes part.")
    flows = {}
    for ask, (one, other) in both.items():
        flows[ask] = _crossed(getattr(work, ask), table, sites[one], sites[other], turns)
    classes = frozenset(work.data).union(*(flow.classes for flow in flows.values()))
    rules = {name: work.rules.get(name, ANYWHERE) for name in classes}
    return replace(work, question=flows["question"], model=flows["model"], tools=flows["tools"], rules=rules)


def _turn(roots: list[Node]) -> list[Node]:
    """Of the turns, the one in the middle: from its outermost span down to its `invoke_agent`."""
    turns = sorted((path for root in roots for path in _paths(root)), key=lambda path: _whole(path).span.seconds)
    if not turns:
        raise NoTurn(
            f"None of these spans is an agent's turn ({OPERATION} = invoke_agent). Give the spans of a turn of a "
            "traced agent, such as recording.settled().trace(trace_id)."
        )
    return turns[(len(turns) - 1) // 2]


def _paths(root: Node) -> Iterable[list[Node]]:
    """The ways to each `invoke_agent` that is in no other one: an agent that is a tool of another is a tool."""
    left = [[root]]
    while left:
        path = left.pop()
        if _operation(path[-1]) == "invoke_agent":
            yield path
        else:
            left += [[*path, child] for child in path[-1].children]


def _whole(turn: list[Node]) -> Node:
    """The outermost span of the agent's own program, so that its work before and after is counted."""
    agent = turn[-1].span
    same = [node for node in turn if (node.span.site, node.span.service) == (agent.site, agent.service)]
    return same[0]


def _calls(turn: list[Node], operation: str) -> list[Node]:
    """The calls of a turn, by start; not those of an agent within a tool."""
    found, left = [], [turn[-1]]
    while left:
        node = left.pop()
        if _operation(node) == operation:
            found.append(node)
        elif _operation(node) not in ("chat", "execute_tool"):
            left += node.children
    return sorted(found, key=lambda node: node.span.start)


def _exchanges(calls: list[Node]) -> int:
    """Requests one after the other: of calls at the same time, those of the longest row."""
    total, until, most = 0, 0, 0
    for call in calls:
        if call.span.start >= until:
            total, most = total + most, 0
        most = max(most, _requests(call))
        until = max(until, call.span.end)
    return total + most


def _requests(call: Node) -> int:
    """The requests that a call makes itself, not those that its callee makes in turn."""
    mine = [
        node
        for node in walk([call])
        if node.span.kind == "CLIENT"
        and (node.span.site, node.span.service) == (call.span.site, call.span.service)
        and any(name in node.span.attributes for name in REQUEST)
    ]
    return len(mine) or 1


def _seconds(calls: list[Node]) -> float:
    """How long the calls took together; what was at the same time counts once."""
    total, until = 0, 0
    for call in sorted(calls, key=lambda node: node.span.start):
        total += max(call.span.end - max(call.span.start, until), 0)
        until = max(until, call.span.end)
    return total / 1e9


def _operation(node: Node) -> str:
    return str(node.span.attributes.get(OPERATION, ""))


def _flow(exchanges: int, takes: float, opens: bool) -> Flow:
    return Flow(exchanges, connections=exchanges if opens else 0, seconds=takes)


def _without_links(work: Work, placement: Placement, links: Topology | Routes) -> Work:
    late = {each.ask: each.seconds for each in predict(placement, links, work).crossings}
    model = replace(work.model, seconds=max(work.model.seconds - late.get("model", 0.0), 0.0))
    tools = replace(work.tools, seconds=max(work.tools.seconds - late.get("tools", 0.0), 0.0))
    return replace(work, model=model, tools=tools)


def _check_apart(both: Mapping[Ask, tuple[Kind, Kind]], placement: Placement) -> None:
    pairs = list(both.values())
    if any(one == other for one, other in pairs) or len(set(pairs)) < len(pairs):
        raise AmbiguousPlace(
            f"With {placement} the ledger cannot tell question, model and tools apart: {pairs}. Run a turn in which "
            'each crosses a link of its own, or the same link the other way, such as Placement("region", "local-zone", '
            '"outpost") asked from the outpost.'
        )


def _crossed(flow: Flow, table: "pd.DataFrame", one: str, other: str, turns: int) -> Flow:
    asked = table[(table["from"] == one) & (table["to"] == other) & table["status"].isna()]
    answered = table[(table["from"] == other) & (table["to"] == one) & table["status"].notna()]
    if asked.empty:
        raise NoTurn(f"The ledger shows nothing from {one} to {other}. Run a turn of that placement, then read it.")
    texts = [text for rows in (asked, answered) for text in rows["classified"] if text]
    classes = {match[1] for text in texts for part in text.split(", ") if (match := FOUND.fullmatch(part))}
    return replace(
        flow,
        sent=float(asked["bytes"].sum()) / turns,
        received=float(answered["bytes"].sum()) / turns,
        classes=classes,
    )
