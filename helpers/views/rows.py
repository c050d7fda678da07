"""The rows of a waterfall: spans depth first, by one clock, and what is too much folded together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import pandas as pd

from helpers.tracing.clock import adjusted
from helpers.tracing.spans import Attributes, Span
from helpers.tracing.tree import Node, trees, walk
from helpers.views.picture import distance, duration, short

FEW, KEPT, MOST = 60, 3, 200  # rows from which on is folded, siblings of a name that stay then, and rows at most
LARGEST = 10**12  # count of tokens
NAME = 120  # characters of a name, at most
APART = "not connected"
Tokens = tuple[int | None, int | None]  # of a model: read, and written
Offsets = Mapping[tuple[str, str], int]  # ns by which a span was moved, by the ids of its trace and its own


@dataclass(frozen=True)
class Row:
    """A row as it is drawn: a span, or the spans folded into it. Times are ns since 1970, by the root's clock."""

    name: str
    depth: int
    part: int  # which of the trees, from 0
    site: str
    service: str
    start: int
    end: int
    seconds: float  # that the span took, or those folded took together
    status: str = "UNSET"
    tokens: Tokens = (None, None)
    moved: bool = False  # to another site or service than its parent's
    notes: tuple[str, ...] = ()
    marks: tuple[tuple[str, int], ...] = ()  # events of approvals and links: name and time
    spans: int = 1
    errors: int = 0

    @property
    def folded(self) -> bool:
        """Whether it stands for spans that have no row of their own."""
        return self.name.startswith("… ")


@dataclass
class _Fold:
    """Siblings of one name that share a row."""

    nodes: list[Node] = field(default_factory=list)


def rows(spans: Iterable[Span], hide: Sequence[str] = ()) -> list[Row]:
    """At most `MOST` of them; the last one then says what is left out.

    Raises:
        ValueError: there are no spans, or all of them are hidden.
    """
    given = some(spans)
    offsets = _offsets(given)
    patterns = [hide] if isinstance(hide, str) else list(hide)
    whole = trees(_later(span, offsets[span.trace_id, span.span_id]) for span in given)
    roots = [kept for root in whole if (kept := _without(root, patterns))]
    if not roots:
        raise ValueError(f"All {len(given)} spans are hidden by {patterns}. Name less in `hide`.")
    found = list(_in_order(roots, offsets))
    return found if len(found) <= MOST else [*found[: MOST - 1], _rest(found[MOST - 1 :], found[MOST - 2])]


def some(spans: Iterable[Span]) -> list[Span]:
    """The spans.

    Raises:
        ValueError: there are none.
    """
    given = list(spans)
    if not given:
        raise ValueError(
            "There are no spans to show. Run what is traced first, and wait until its spans have arrived: "
            "programs send them in batches, a few seconds late."
        )
    return given


def table(found: Sequence[Row]) -> pd.DataFrame:
    """The rows as text."""
    first = min(row.start for row in found)
    apart = [row.part != before.part for before, row in zip([found[0], *found], found, strict=False)]
    columns = {
        "span": ["  " * row.depth + row.name for row in found],
        "site": [short(row.site, NAME) for row in found],
        "service": [short(row.service, NAME) for row in found],
        "start_ms": [round((row.start - first) / 1e6, 3) for row in found],
        "ms": [round(row.seconds * 1e3, 3) for row in found],
        "tokens_in": pd.array([row.tokens[0] for row in found], dtype="Int64"),
        "tokens_out": pd.array([row.tokens[1] for row in found], dtype="Int64"),
        "status": [row.status for row in found],
        "notes": [
            "; ".join([*([APART] if alone else []), *row.notes, *dict.fromkeys(name for name, _ in row.marks)])
            for alone, row in zip(apart, found, strict=True)
        ],
    }
    return pd.DataFrame(columns)


def counted(tokens: Tokens) -> str:
    """`312→24 tokens`, or what is known of it."""
    match tokens:
        case (None, None):
            return ""
        case (read, None):
            return f"{read} tokens in"
        case (None, written):
            return f"{written} tokens out"
    return f"{tokens[0]}→{tokens[1]} tokens"


def _offsets(spans: list[Span]) -> Offsets:
    """Each trace by itself: ids of spans are unique within a trace only."""
    by_trace = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    return {(trace, id): by for trace, those in by_trace.items() for id, by in adjusted(those).items()}


def _in_order(roots: list[Node], offsets: Offsets) -> Iterator[Row]:
    """Depth first, without recursion."""
    fold: Callable[[list[Node]], list[Node | _Fold]] = _folded if sum(1 for _ in walk(roots)) > FEW else list
    left: list[tuple[Node | _Fold, Node | None, int, int]] = []  # each with its parent, its depth and its part
    left.extend((each, None, 0, part) for part, each in reversed(list(enumerate(fold(roots)))))
    while left:
        each, parent, depth, part = left.pop()
        if isinstance(each, _Fold):
            yield _fold_row(each, parent, depth, part)
        else:
            yield _row(each, parent, depth, part, offsets)
            left.extend((child, each, depth + 1, part) for child in reversed(fold(each.children)))


def _later(span: Span, by: int) -> Span:
    events = tuple({**event, "time": event["time"] + by} for event in span.events if _is_marked(event))
    return replace(span, start=span.start + by, end=max(span.end, span.start) + by, events=events)


def _without(root: Node, patterns: list[str]) -> Node | None:
    """The tree without what is hidden, whose children become its parent's. A root stays if anything below it does."""
    for node in list(walk([root]))[::-1]:  # from below
        children = [
            kept for child in node.children for kept in (child.children if _hidden(child, patterns) else [child])
        ]
        node.children = sorted(children, key=lambda child: child.span.start)
    return root if root.children or not _hidden(root, patterns) else None


def _hidden(node: Node, patterns: list[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns for text in (node.span.name, node.span.scope))


def _folded(siblings: list[Node]) -> list[Node | _Fold]:
    """The first `KEPT` of each name, and a fold where the next one would be."""
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    folds: dict[tuple[str, str, str], _Fold] = {}
    kept = list[Node | _Fold]()
    for node in siblings:
        key = (node.span.name, node.span.site, node.span.service)
        seen[key] += 1
        if seen[key] <= KEPT:
            kept.append(node)
        elif key in folds:
            folds[key].nodes.append(node)
        else:
            folds[key] = _Fold([node])
            kept.append(folds[key])
    return kept


def _row(node: Node, parent: Node | None, depth: int, part: int, offsets: Offsets) -> Row:
    span = node.span
    failed = span.status == "ERROR"
    behind = offsets[span.trace_id, span.span_id]
    notes = [short(f"error {span.attributes.get('error.type') or ''}", 60)] if failed else []
    if behind and parent and span.site != parent.span.site:
        notes.append(f"clock {'−' if behind > 0 else '+'}{distance(abs(behind) / 1e9)}")
    return Row(
        name=short(span.name, NAME) or "unnamed",
        depth=depth,
        part=part,
        site=span.site,
        service=span.service,
        start=span.start,
        end=span.end,
        seconds=span.seconds,
        status=span.status,
        tokens=_tokens([span]),
        moved=_moved(node, parent),
        notes=(*notes, *filter(None, [node.lost])),
        marks=tuple((short(event["name"], NAME), event["time"]) for event in span.events),
        errors=int(failed),
    )


def _fold_row(fold: _Fold, parent: Node | None, depth: int, part: int) -> Row:
    spans, first = [node.span for node in fold.nodes], fold.nodes[0].span
    below = [node.span for node in walk(fold.nodes)]
    errors = sum(span.status == "ERROR" for span in below)
    seconds = sum(span.seconds for span in spans)
    return Row(
        name=f"… {len(spans):,} more of {short(first.name, 30) or 'unnamed'}, {duration(seconds)}",
        depth=depth,
        part=part,
        site=first.site,
        service=first.service,
        start=first.start,
        end=max(span.end for span in spans) if parent else first.start,  # roots may be days apart
        seconds=seconds,
        status="ERROR" if errors else "UNSET",
        tokens=_tokens(spans),
        moved=_moved(fold.nodes[0], parent),
        notes=_failures(errors),
        spans=len(below),
        errors=errors,
    )


def _rest(rest: list[Row], before: Row) -> Row:
    spans, errors = sum(row.spans for row in rest), sum(row.errors for row in rest)
    return replace(
        before,
        name=f"… {spans:,} more spans",
        depth=0,
        site="",
        service="",
        end=before.start,
        seconds=0,
        status="ERROR" if errors else "UNSET",
        tokens=(None, None),
        moved=False,
        notes=_failures(errors),
        marks=(),
        spans=spans,
        errors=errors,
    )


def _failures(errors: int) -> tuple[str, ...]:
    return (f"{errors:,} error{'s' if errors > 1 else ''}",) if errors else ()


def _moved(node: Node, parent: Node | None) -> bool:
    return not parent or (node.span.site, node.span.service) != (parent.span.site, parent.span.service)


def _tokens(spans: list[Span]) -> Tokens:
    return _sum(spans, "gen_ai.usage.input_tokens"), _sum(spans, "gen_ai.usage.output_tokens")


def _sum(spans: list[Span], name: str) -> int | None:
    """What is no count is left out: attributes hold anything."""
    values = [span.attributes.get(name) for span in spans]
    counts = [value for value in values if type(value) is int and 0 <= value < LARGEST]
    return sum(counts) if counts else None


def _is_marked(event: Attributes) -> bool:
    return str(event.get("name", "")).startswith(("approval.", "link.")) and type(event.get("time")) is int
