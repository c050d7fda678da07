"""A trace as a waterfall: a row for each span, below the one that caused it, on one axis of time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from helpers.tracing.spans import Span
from helpers.views.picture import (
    ERROR,
    INK,
    LINE,
    OTHERS,
    PALE,
    colours,
    distance,
    duration,
    fitted,
    image,
    place,
    sheet,
    short,
    tint,
    width,
    write,
)
from helpers.views.rows import APART, Row, counted, rows, table

WIDE, LEFT, RIGHT = 10.0, 3.9, 9.65  # of the picture, and where the axis begins and ends, in inches
HIGH, BAR = 0.27, 0.19  # of a row, and of a bar in it, in inches
EDGE, INDENT, DEEPEST = 0.22, 0.13, 12  # where names begin, how much later on each level, and the last one that is
GAP = 0.07  # between a bar and its label
MARKS = {"approval": ("v", INK), "link": ("X", ERROR)}  # of events, by how their name begins
EDGES: dict[str, Any] = {"markeredgewidth": 0.5, "zorder": 5}
# Spans that carry others and tell little themselves: of HTTP, of A2A's SDK, of Strands' loop.
PLUMBING = ("GET*", "POST*", "http *", "a2a.*", "execute_event_loop_cycle")
Entry = tuple[str, str, str]  # of the legend: marker, colour, text


def trace(spans: Iterable[Span], *, hide: Sequence[str] = (), title: str | None = None) -> Image:
    """Draw spans, of one trace or of several, by the clock of their roots (see `helpers.tracing.clock`).

    `hide` are patterns like `http *` of the names or scopes of spans that are not drawn; what they caused is.
    Beyond 60 rows siblings of the same name share one, and there are never more than 200.

    Raises:
        ValueError: there are no spans, or all of them are hidden.
    """
    return image(*figure_of(spans, hide=hide, title=title))


def trace_table(spans: Iterable[Span], *, hide: Sequence[str] = ()) -> pd.DataFrame:
    """The same rows as text: span, site, service, start_ms, ms, tokens_in, tokens_out, status, notes."""
    return table(rows(spans, hide))


def figure_of(spans: Iterable[Span], *, hide: Sequence[str] = (), title: str | None = None) -> tuple[Figure, str]:
    """The figure, and a text for those who cannot see it."""
    shown = rows(spans, hide)
    looks = colours({row.site for row in shown if row.site})
    zeros, total = _axis(shown)
    legend = _lines(_legend(shown, looks))
    head = 0.4 if title else 0.1
    top = head + 0.26 * len(legend) + 0.32
    bottom = top + HIGH * (len(shown) + shown[-1].part)
    figure, axes = sheet(WIDE, bottom + 0.12)
    if title:
        fits = fitted(short(title, 150), WIDE - EDGE, 12, "bold")
        write(axes, EDGE / 2, 0.25, fits, fontsize=12, fontweight="bold", ha="left", color=INK)
    for line, entries in enumerate(legend):
        _draw_legend(axes, head + 0.26 * line + 0.13, entries)
    _draw_axis(axes, top, bottom, total)
    for number, (before, row) in enumerate(zip([shown[0], *shown], shown, strict=False)):
        y = top + HIGH * (number + row.part + 0.5)
        if row.part != before.part:
            _draw_break(axes, y - HIGH, zeros[row.part] - zeros[before.part])
        _draw_name(axes, y, row, looks, number == 0 or _process(row) != _process(before))
        _draw_bar(axes, y, row, looks, zeros[row.part], total)
    return figure, _alt(shown)


def _axis(shown: list[Row]) -> tuple[dict[int, int], int]:
    """Where the axis begins for each tree, and how long it is, in ns.

    Trees share their beginning, unless they are so far apart that their bars could not be seen any more.
    """
    extents: dict[int, tuple[int, int]] = {}
    for row in shown:
        start, end = extents.get(row.part, (row.start, row.end))
        extents[row.part] = min(start, row.start), max(end, row.end)
    longest = max(end - start for start, end in extents.values())
    zero = reach = min(start for start, _ in extents.values())
    zeros = {}
    for part, (start, end) in sorted(extents.items(), key=lambda item: item[1]):
        zero = start if start - reach > longest else zero
        reach = max(reach, end)
        zeros[part] = zero
    return zeros, max(end - zeros[part] for part, (_, end) in extents.items()) or 1


def _legend(shown: list[Row], looks: Mapping[str, str]) -> list[Entry]:
    own = [("s", colour, short(site, 30)) for site, colour in looks.items() if colour != OTHERS]
    others = sum(colour == OTHERS for colour in looks.values())
    events = {name.partition(".")[0] for row in shown for name, _ in row.marks}
    return [
        *own,
        *([("s", OTHERS, f"{others} more site{'s' if others > 1 else ''}")] if others else []),
        *((*MARKS[kind], kind) for kind in sorted(events)),
    ]


def _lines(entries: list[Entry]) -> list[list[Entry]]:
    """As many entries a line as fit."""
    lines: list[list[Entry]] = []
    room = 0.0
    for entry in entries:
        needed = _room(entry)
        if needed > room:
            lines.append([])
            room = WIDE - EDGE
        lines[-1].append(entry)
        room -= needed
    return lines


def _room(entry: Entry) -> float:
    return 0.2 + width(entry[2]) + 0.25


def _draw_legend(axes: Axes, y: float, entries: list[Entry]) -> None:
    x = EDGE
    for entry in entries:
        marker, colour, text = entry
        size, edge = (9, colour) if marker == "s" else (6, "none")
        face = tint(colour) if marker == "s" else colour
        axes.plot([x], [y], marker=marker, markersize=size, markerfacecolor=face, markeredgecolor=edge)
        write(axes, x + 0.12, y, text, fontsize=9, ha="left", color=INK)
        x += _room(entry)


def _draw_axis(axes: Axes, top: float, bottom: float, total: int) -> None:
    unit, name = (1e9, "s") if total >= 1e9 else (1e6, "ms")
    for tick in MaxNLocator(nbins=6).tick_values(0, total / unit):
        x = _x(tick * unit, total)
        if x <= RIGHT:
            axes.plot([x, x], [top, bottom], color=LINE, linewidth=0.6, alpha=0.6, zorder=0)
            write(axes, x, top - 0.12, f"{tick:g} {name}", fontsize=9, color=PALE)


def _draw_break(axes: Axes, y: float, later: int) -> None:
    """The line between trees that are not connected, and how much later the axis begins below it."""
    far = f", {distance(abs(later) / 1e9)} {'later' if later > 0 else 'earlier'}" if later else ""
    axes.plot([EDGE / 2, RIGHT], [y, y], color=PALE, linestyle=(0, (4, 3)), linewidth=0.9, zorder=1)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    write(axes, WIDE / 2, y, APART + far, fontsize=9, style="italic", color=PALE, bbox=ground)


def _draw_name(axes: Axes, y: float, row: Row, looks: Mapping[str, str], begins: bool) -> None:
    """Name, process and the strip at the left, which is as long as spans of one process follow each other."""
    high = HIGH - 0.03 if begins else HIGH
    strip = tint(looks.get(row.site, OTHERS), 0.8)
    if not row.folded or row.site or row.service:
        axes.add_patch(Rectangle((0.07, y + HIGH / 2 - high), 0.06, high, facecolor=strip, edgecolor="none"))
    x = EDGE + min(row.depth, DEEPEST) * INDENT
    room = LEFT - 0.12 - x
    left = max(room - width(row.name) - 0.1, 0 if row.folded else room * 0.45)
    where = fitted(place(row.site, row.service), left) if row.moved and left > 0.5 else ""
    name = fitted(row.name, room - (width(where) + 0.1 if where else 0))
    write(axes, x, y, name, fontsize=9, ha="left", color=INK, style="italic" if row.folded else "normal")
    write(axes, x + width(name) + 0.1, y, where, fontsize=9, ha="left", color="#69738a")


def _draw_bar(axes: Axes, y: float, row: Row, looks: Mapping[str, str], zero: int, total: int) -> None:
    start, end = _x(row.start - zero, total), _x(row.end - zero, total)
    end = min(max(end, start + 0.03), RIGHT + 0.03)
    failed = row.status == "ERROR"
    colour = looks.get(row.site, OTHERS)
    if row.end > row.start or not row.folded:
        bar = Rectangle((start, y - BAR / 2), end - start, BAR, zorder=2)
        bar.set(facecolor=tint(colour, 0.25 if row.folded or failed else 0.5), edgecolor=ERROR if failed else colour)
        bar.set(linewidth=1.6 if failed else 0.8, linestyle=(0, (2, 2)) if row.folded else "-")
        axes.add_patch(bar)
    spent = [] if row.folded else [duration(row.seconds)]
    label = "  ".join(filter(None, [*spent, counted(row.tokens), *row.notes]))
    x, side, fits = _beside(label, start, end, failed)
    write(axes, x, y, fits, fontsize=9, ha=side, color=ERROR if failed else INK, zorder=4)
    for name, at in row.marks:
        marker, shade = MARKS[name.partition(".")[0]]
        where = min(max(_x(at - zero, total), LEFT), RIGHT)
        axes.plot([where], [y - BAR / 2], marker=marker, markersize=6, color=shade, markeredgecolor="white", **EDGES)


def _beside(label: str, start: float, end: float, outside: bool) -> tuple[float, str, str]:
    """Where a label is written, how it is aligned there, and what of it fits: in the bar, right or left of it.

    Red is hard to read on a colour: what has failed is labelled outside if there is room.
    """
    needed = width(label)
    rooms = [
        (end - start - 2 * GAP, start + GAP, "left"),
        (WIDE - 0.05 - end - GAP, end + GAP, "left"),
        (start - GAP - LEFT, start - GAP, "right"),
    ]
    rooms = [*rooms[1:], rooms[0]] if outside else rooms
    room, x, side = next((each for each in rooms if each[0] >= needed), max(rooms))
    return x, side, fitted(label, room)


def _x(ns: float, total: int) -> float:
    return LEFT + ns / total * (RIGHT - LEFT)


def _process(row: Row) -> tuple[str, str]:
    return row.site, row.service


def _alt(shown: list[Row]) -> str:
    spans, errors = sum(row.spans for row in shown), sum(row.errors for row in shown)
    sites = ", ".join(sorted({short(row.site, 30) for row in shown if row.site})[:8]) or "none named"
    failed = f" {errors} with errors." if errors else ""
    apart = f" {shown[-1].part + 1} parts that are not connected." if shown[-1].part else ""
    return f"A trace of {spans} spans. Sites: {sites}.{failed}{apart} views.trace_table has the rows as text."
