"""Spans as trees: each below its parent, whatever the links between them are worth."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from helpers.tracing.spans import Span

MISSING = "parent missing"
CIRCLE = "parents in a circle"


@dataclass
class Node:
    """A span and what it caused, by start."""

    span: Span
    children: list["Node"] = field(default_factory=list)
    lost: str = ""  # MISSING or CIRCLE: why it is a root although it names a parent


def trees(spans: Iterable[Span]) -> list[Node]:
    """The roots, by start, of one trace or of several. A span that is there twice is taken once.

    A span whose parent is not there is a root, and so is the earliest span of those that are each other's parents.
    """
    nodes: dict[tuple[str, str], Node] = {}
    for span in sorted(spans, key=_order):
        nodes.setdefault((span.trace_id, span.span_id), Node(span))
    roots: list[Node] = []
    for node in nodes.values():
        parent = _parent(node, nodes)
        (parent.children if parent else roots).append(node)
        node.lost = MISSING if node.span.parent_id and not parent else ""
    return sorted([*roots, *_opened(nodes, roots)], key=lambda root: _order(root.span))


def walk(roots: Iterable[Node]) -> Iterator[Node]:
    """Depth first. Without recursion: a trace may be deeper than Python's stack."""
    left = list(roots)[::-1]
    while left:
        node = left.pop()
        yield node
        left.extend(reversed(node.children))


def _opened(nodes: dict[tuple[str, str], Node], roots: list[Node]) -> list[Node]:
    """The roots of what no root leads to: each circle, opened above its earliest span."""
    reached = {id(node) for node in walk(roots)}
    opened = []
    for node in nodes.values():
        if id(node) in reached:
            continue
        first = min(_circle(node, nodes), key=lambda each: _order(each.span))
        above = _parent(first, nodes)
        assert above, "all of a circle have a parent"
        above.children.remove(first)
        first.lost = CIRCLE
        opened.append(first)
        reached |= {id(each) for each in walk([first])}
    return opened


def _circle(node: Node, nodes: dict[tuple[str, str], Node]) -> list[Node]:
    """The circle that the parents of a span end in."""
    path: dict[int, Node] = {}
    at: Node | None = node
    while at and id(at) not in path:
        path[id(at)] = at
        at = _parent(at, nodes)
    passed = list(path.values())
    return passed[list(path).index(id(at)) :]


def _parent(node: Node, nodes: dict[tuple[str, str], Node]) -> Node | None:
    return nodes.get((node.span.trace_id, node.span.parent_id)) if node.span.parent_id else None


def _order(span: Span) -> tuple[int, str, str]:
    return span.start, span.trace_id, span.span_id
