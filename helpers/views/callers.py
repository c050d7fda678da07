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
from helpers.views.rows import some

MOST = 40  # pairs that are drawn, and services


@dataclass(frozen=True)
class Call:
    """A span that was caused by a span of another service, or by the same service at another site."""

    caller: Place
    callee: Place
    seconds: float
    failed: bool


def map(spans: Iterable[Span]) -> Image:
    """Draw the services by site, and an arrow for each pair of a caller and a callee, at most the busiest 40.

    Raises:
        ValueError: there are no spans.
    """
    return image(*figure_of(spans))


def map_table(spans: Iterable[Span]) -> pd.DataFrame:
    """A row for each pair, the busiest first: caller, callee, calls, errors, p50_ms, p95_ms.

    A call takes as long as its CLIENT span, with the way there and back; without one, as long as the callee's span.
    One that never arrived has no callee and is not counted.

    Raises:
        ValueError: there are no spans.
    """
    return _table(some(spans))


def figure_of(spans: Iterable[Span]) -> tuple[Figure, str]:
    """The figure, and a text for those who cannot see it."""
    given = some(spans)
    every = _table(given)
    names = {place(span.site, span.service): _place(span) for span in given}
    drawn = every.head(MOST)
    pairs = [(names[row.caller], names[row.callee]) for row in drawn.itertuples()]
    places = list(dict.fromkeys([*(each for pair in pairs for each in pair), *sorted(names.values())]))
    shown = places[: max(MOST, len({each for pair in pairs for each in pair}))]
    counts = {"pairs": len(every) - len(drawn), "services": len(places) - len(shown)}
    more = ", ".join(f"{count} more {what}" for what, count in counts.items() if count)
    layout = Layout(shown, pairs, f"{more}: see views.map_table" if more else "" if pairs else "no calls")
    said = []
    for pair, row in zip(pairs, drawn.itertuples(), strict=True):
        errors = f"{row.errors} error{'s' if row.errors > 1 else ''}" if row.errors else ""
        label = _label(row.calls, duration(row.p50_ms / 1e3), duration(row.p95_ms / 1e3))
        layout.arrow(pair, label, errors)
        said.append(f"{row.caller} to {row.callee} {' '.join(filter(None, [*label, errors]))}")
    return layout.figure, f"Calls: {'; '.join([*said, *filter(None, [more])]) or 'none'}."


def _label(calls: int, p50: str, p95: str) -> tuple[str, str]:
    return ("1×", p50) if calls == 1 else (f"{calls}× p50 {p50}", f"p95 {p95}")


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


def _place(span: Span) -> Place:
    return span.site, span.service
