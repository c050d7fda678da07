"""The clocks of sites differ, by minutes at times: what has to be added to a span's times to draw it by one clock.

As Jaeger's clock skew adjuster does it: a call that cannot have been when its site says it was is put into the middle
of its parent, as if the way there took as long as the way back.
"""

from collections.abc import Iterable

from helpers.tracing.spans import Span
from helpers.tracing.tree import trees, walk


def adjusted(spans: Iterable[Span]) -> dict[str, int]:
    """Nanoseconds to add to the times of each span of a trace, by `span_id`; 0 for most.

    The clock of a root is taken as right. What a moved span caused on its own site moves with it.
    """
    offsets: dict[str, int] = {}
    roots = trees(spans)
    for root in roots:
        offsets[root.span.span_id] = 0
    for node in walk(roots):
        for child in node.children:
            offsets[child.span.span_id] = _offset(node.span, offsets[node.span.span_id], child.span)
    return offsets


def _offset(parent: Span, moved: int, child: Span) -> int:
    """Of a child whose parent has been moved by `moved`."""
    if child.site == parent.site:
        return moved
    start, end = parent.start + moved, parent.end + moved
    length = child.end - child.start
    # What a queue hands on may well begin after its sender has ended; nothing begins before what caused it.
    late = child.end - end > length and child.kind != "CONSUMER"
    if child.start >= start and not late:
        return 0
    slack = max(end - start - length, 0)  # a child that is longer than its parent begins with it
    return start + slack // 2 - child.start
