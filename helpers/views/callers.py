"""Who called whom, how often, and how slowly: the calls between the services of one trace or of many."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from IPython.display import Image
from matplotlib.figure import Figure

from helpers.tracing.spans import Span
from helpers.views.layout import Layout, Place
from helpers.views.picture import duration, image, place

MOST = 40  # pairs that are drawn
NOTHING = (
    "There are no spans to show. Run what is traced first, and wait until its spans have arrived: "
    "programs send them in batches, a few seconds late."
)


@dataclass(frozen=True)
class Call:
    """A span that was caused by a span of another service, or by the same service at another site."""

    caller: Place
    callee: Place
    seconds: float
    failed: bool


def calls(spans: Iterable[Span]) -> Image:
    """Draw the services by site, and an arrow for each pair of a caller and a callee, at most the busiest 40.

    Raises:
        ValueError: there are no spans.
    """
    return image(*figure_of(spans))


def calls_table(spans: Iterable[Span]) -> pd.DataFrame:
    """A row for each pair, the busiest first: caller, callee, calls, errors, p50_ms, p95_ms.

    A call takes as long as its CLIENT span, with the way there and back; without one, as long as the callee's span.
    One that never arrived has no callee and is not counted.

    Raises:
        ValueError: there are no spans.
    """
    return _table(_checked(spans))


def figure_of(spans: Iterable[Span]) -> tuple[Figure, str]:
    """The figure, and a text for those who cannot see it."""
    given = _checked(spans)
    every = _table(given)
    names = {place(span.site, span.service): _place(span) for span in given}
    drawn = every.head(MOST)
    layout = Layout(set(names.values()), [(names[row.caller], names[row.callee]) for row in drawn.itertuples()])
    for row in drawn.itertuples():
        errors = f"{row.errors} error{'s' if row.errors > 1 else ''}" if row.errors else ""
        layout.arrow(names[row.caller], names[row.callee], _label(row), errors)
    left_out = len(every) - len(drawn)
    layout.note(f"{left_out} more pairs: views.calls_table" if left_out else "" if len(every) else "no calls")
    said = "; ".join(f"{row.caller} to {row.callee}: {row.calls} calls, {row.errors} errors" for row in drawn.itertuples())
    return layout.figure, f"Calls: {said or 'none'}{f'; {left_out} more pairs' if left_out else ''}."


def _label(row: tuple) -> tuple[str, str]:
    return f"{row.calls}×", f"p50 {duration(row.p50_ms / 1e3)} p95 {duration(row.p95_ms / 1e3)}"


def _table(spans: list[Span]) -> pd.DataFrame:
    columns = ["caller", "callee", "calls", "errors", "p50_ms", "p95_ms"]
    found = pd.DataFrame(
        [(place(*call.caller), place(*call.callee), call.seconds * 1e3, call.failed) for call in _calls(spans)],
        columns=["caller", "callee", "ms", "failed"],
    )
    if found.empty:
        return pd.DataFrame(columns=columns)
    pairs = found.groupby(["caller", "callee"], as_index=False).agg(
        calls=("ms", "size"),
        errors=("failed", "sum"),
        p50_ms=("ms", lambda ms: round(float(np.percentile(ms, 50)), 3)),
        p95_ms=("ms", lambda ms: round(float(np.percentile(ms, 95)), 3)),
    )
    return pairs.sort_values(["calls", "caller", "callee"], ascending=[False, True, True], ignore_index=True)[columns]


def _calls(spans: list[Span]) -> Iterator[Call]:
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    for span in by_id.values():
        parent = by_id.get((span.trace_id, span.parent_id))
        if parent and _place(parent) != _place(span):
            asked = parent if parent.kind == "CLIENT" else span
            failed = "ERROR" in (span.status, asked.status)
            yield Call(_place(parent), _place(span), max(asked.seconds, 0), failed)


def _checked(spans: Iterable[Span]) -> list[Span]:
    given = list(spans)
    if not given:
        raise ValueError(NOTHING)
    return given


def _place(span: Span) -> Place:
    return span.site, span.service
