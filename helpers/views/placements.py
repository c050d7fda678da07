"""Placements as bars of a turn's time: what the parts take themselves, and what each link adds."""

from collections.abc import Mapping, Sequence

from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.placement.placement import Placement
from helpers.placement.prediction import Prediction
from helpers.views.picture import (
    COLOURS,
    ERROR,
    INK,
    LINE,
    OTHERS,
    PALE,
    duration,
    fitted,
    image,
    sheet,
    tint,
    width,
    write,
)

WIDE, LEFT, RIGHT = 10.0, 3.7, 7.4  # of the picture, and where bars begin and the longest ends, in inches
HIGH, BAR, TOP, EDGE, SWATCH, GAP = 0.3, 0.18, 0.75, 0.2, 0.14, 0.08
MARK = 2.4  # points: how thick the line is that shows what was measured
LOOKS = {  # what is counted, and its colour
    "model": ("model's own time", COLOURS[0]),
    "tools": ("tools' own time", COLOURS[2]),
    "agent": ("agent's own time", COLOURS[1]),
    "link question": ("link to the agent", OTHERS),
    "link model": ("link to the model", COLOURS[4]),
    "link tools": ("links to tools", COLOURS[3]),
}
SHORT = {"outpost": "Outpost", "local-zone": "Local Zone", "region": "Region"}


def placements(
    predictions: Sequence[Prediction],
    chosen: Placement | None = None,
    *,
    measured: Mapping[Placement, float] | None = None,
) -> Image:
    """Draw a bar for each, all on one scale. What may not be is pale, and `chosen` has a frame.

    `measured` has the seconds of turns that were run: an upright line in the bar of each.

    Raises:
        ValueError: there is none.
    """
    return image(*figure_of(predictions, chosen, measured))


def figure_of(
    predictions: Sequence[Prediction],
    chosen: Placement | None = None,
    measured: Mapping[Placement, float] | None = None,
) -> tuple[Figure, str]:
    """The figure, and a text for those who cannot see it."""
    if not predictions:
        raise ValueError("There is no placement to draw: give at least one result of predict().")
    took = measured or {}
    figure, axes = sheet(WIDE, TOP + HIGH * len(predictions) + 0.1)
    _draw_legend(axes, predictions, bool(took))
    write(axes, EDGE, TOP - 0.17, "agent · model · tools", fontsize=9, ha="left", color=PALE)
    longest = max(max(one.seconds, took.get(one.placement, 0.0)) for one in predictions)
    scale = (RIGHT - LEFT) / max(longest, 1e-9)
    for number, one in enumerate(predictions):
        y = TOP + HIGH * (number + 0.5)
        _draw_bar(axes, y, one, scale, one.placement == chosen, took.get(one.placement))
    return figure, " ".join(_said(one, took.get(one.placement)) for one in predictions)


def _draw_legend(axes: Axes, predictions: Sequence[Prediction], measured: bool) -> None:
    """What is in the bars; what is in none of them is left out."""
    x, drawn = EDGE, set().union(*(_parts(one) for one in predictions))
    for text, colour in (look for name, look in LOOKS.items() if name in drawn):
        axes.add_patch(Rectangle((x, 0.22 - SWATCH / 2), SWATCH, SWATCH, facecolor=colour, edgecolor="none"))
        write(axes, x + SWATCH + 0.06, 0.22, text, fontsize=9, ha="left", color=INK)
        x += SWATCH + width(text) + 0.3
    if measured:
        axes.plot([x, x], [0.22 - SWATCH / 2, 0.22 + SWATCH / 2], color=INK, linewidth=MARK, solid_capstyle="butt")
        write(axes, x + 0.08, 0.22, "measured", fontsize=9, ha="left", color=INK)


def _draw_bar(axes: Axes, y: float, one: Prediction, scale: float, framed: bool, measured: float | None) -> None:
    if framed:
        frame = Rectangle((EDGE / 2, y - HIGH / 2), WIDE - EDGE, HIGH, facecolor="none", edgecolor=INK, linewidth=1.2)
        axes.add_patch(frame)
    colour = INK if one.allowed else PALE
    where = " · ".join(SHORT[part] for part in (one.placement.agent, one.placement.model, one.placement.tools))
    write(axes, EDGE, y, where, fontsize=9, ha="left", color=colour, fontweight="bold" if framed else "normal")
    x = LEFT
    for name, takes in _parts(one).items():
        look = LOOKS[name][1] if one.allowed else tint(LOOKS[name][1], 0.25)
        axes.add_patch(Rectangle((x, y - BAR / 2), takes * scale, BAR, facecolor=look, edgecolor=LINE, linewidth=0.4))
        x += takes * scale
    if measured is not None:
        at = LEFT + measured * scale
        axes.plot([at, at], [y - HIGH * 0.4, y + HIGH * 0.4], color=INK, linewidth=MARK, solid_capstyle="butt")
        x = max(x, at)
    text = ", ".join(_aside(one, measured))
    room = WIDE - x - EDGE - GAP
    write(axes, x + GAP, y, fitted(text, room), fontsize=9, ha="left", color=INK if one.allowed else ERROR)


def _parts(one: Prediction) -> dict[str, float]:
    """Seconds by what is counted, in the order of the legend."""
    own = {**one.own, "agent": one.own["agent"] + one.own.get("question", 0)}
    found = {**own, **{f"link {each.ask}": each.seconds for each in one.crossings}}
    return {name: found[name] for name in LOOKS if found.get(name)}


def _aside(one: Prediction, measured: float | None) -> list[str]:
    model = [one.choice.model] if one.choice and one.choice.model else []
    cost = [] if one.usd_per_hour is None else [f"${one.usd_per_hour:,.2f}/h"]
    took = [] if measured is None else [f"measured {duration(measured)}"]
    return [duration(one.seconds), *took, *(["ruled out"] if not one.allowed else [*model, *cost])]


def _said(one: Prediction, measured: float | None) -> str:
    parts = ", ".join(f"{LOOKS[name][0]} {duration(takes)}" for name, takes in _parts(one).items())
    took = "" if measured is None else f", measured {duration(measured)}"
    ruled = "" if one.allowed else f" Ruled out: {'; '.join(one.refusals)}."
    return f"{str(one.placement).capitalize()}: {duration(one.seconds)} ({parts}){took}.{ruled}"
