"""What a model's memory goes to, as a bar of parts for each way to run it."""

from collections.abc import Iterable

from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.sizing.memory import Memory, Part, gib
from helpers.views.picture import COLOURS, INK, LINE, OTHERS, PALE, fitted, image, sheet, tint, width, write

WIDE, LEFT, RIGHT = 10.0, 3.3, 8.6  # of the picture, and where bars begin and the longest ends, in inches
HIGH, BAR, LEGEND = 0.5, 0.28, 0.27  # of a row, of the bar in it, and of a line of the legend, in inches
EDGE, SWATCH, GAP = 0.2, 0.16, 0.3
MOST = 20  # bars
PARTS = (
    "weights", "weights, repacked", "keys and values", "intermediate results", "vocabulary", "process",
    "logits of a whole batch", "earlier prompts",
)  # fmt: skip


def memory(memories: Memory | Iterable[Memory], title: str = "") -> Image:
    """Draw a bar for each of `memories`, at most 20, all on one scale. What may grow is drawn pale and hatched.

    Raises:
        ValueError: there is none.
    """
    return image(*figure_of(memories, title))


def figure_of(memories: Memory | Iterable[Memory], title: str = "") -> tuple[Figure, str]:
    """The figure, and a text for those who cannot see it."""
    shown = [memories] if isinstance(memories, Memory) else list(memories)[:MOST]
    if not shown:
        raise ValueError("There is no memory to draw: give at least one result of needs().")
    looks = _looks(shown)
    legend = _legend(list(looks))
    top = (0.45 if title else 0.12) + LEGEND * len(legend)
    figure, axes = sheet(WIDE, top + HIGH * len(shown) + 0.1)
    if title:
        fits = fitted(title, WIDE - 2 * EDGE, 12, "bold")
        write(axes, EDGE, 0.25, fits, fontsize=12, fontweight="bold", ha="left", color=INK)
    for line, names in enumerate(legend):
        _draw_legend(axes, top - LEGEND * (len(legend) - line - 0.5), names, looks)
    scale = (RIGHT - LEFT) / max(one.most for one in shown)
    for number, one in enumerate(shown):
        _draw_bar(axes, top + HIGH * (number + 0.5), one, scale, looks)
    return figure, " ".join(_said(one) for one in shown)


def _looks(shown: list[Memory]) -> dict[str, tuple[str, bool]]:
    """The colour of each part by name, the same in all pictures, and whether it is growth."""
    growth = {part.name for one in shown for part in one.growth}
    names = {part.name for one in shown for part in (*one.parts, *one.growth)}
    colours = dict(zip(PARTS, (*COLOURS, OTHERS), strict=False))
    ordered = sorted(names, key=lambda name: (PARTS.index(name) if name in PARTS else len(PARTS), name))
    return {name: (colours.get(name, OTHERS), name in growth) for name in ordered}


def _legend(names: list[str]) -> list[list[str]]:
    """The names in lines that fit."""
    lines: list[list[str]] = [[]]
    room = WIDE - 2 * EDGE
    for name in names:
        takes = SWATCH + 0.1 + width(name) + GAP
        if takes > room and lines[-1]:
            lines.append([])
            room = WIDE - 2 * EDGE
        lines[-1].append(name)
        room -= takes
    return lines


def _draw_legend(axes: Axes, y: float, names: list[str], looks: dict[str, tuple[str, bool]]) -> None:
    x = EDGE
    for name in names:
        _box(axes, x, y, SWATCH, SWATCH, looks[name])
        write(axes, x + SWATCH + 0.08, y, name, fontsize=9, ha="left", color=INK)
        x += SWATCH + 0.1 + width(name) + GAP


def _draw_bar(axes: Axes, y: float, one: Memory, scale: float, looks: dict[str, tuple[str, bool]]) -> None:
    room = LEFT - EDGE - 0.15
    requests = f"{one.parallel} × {one.context:,} tokens"
    write(axes, EDGE, y - 0.09, fitted(f"{one.shape.name} {one.scheme}", room, 9, "bold"), fontsize=9,
          fontweight="bold", ha="left", color=INK)  # fmt: skip
    write(axes, EDGE, y + 0.1, fitted(f"{one.engine.name}, {requests}", room), fontsize=9, ha="left", color=PALE)
    x = LEFT
    for part in (*one.parts, *one.growth):
        _box(axes, x, y, part.bytes * scale, BAR, looks[part.name])
        _label(axes, x, y, part, part.bytes * scale)
        x += part.bytes * scale
    total = gib(one.total) if one.total == one.most else f"{gib(one.total)}\nto {gib(one.most)}"
    write(axes, x + 0.1, y, total, fontsize=9, ha="left", color=INK)


def _label(axes: Axes, x: float, y: float, part: Part, wide: float) -> None:
    """The size in its box, where there is room for it."""
    text = gib(part.bytes)
    if width(text) + 0.08 < wide:
        write(axes, x + wide / 2, y, text, fontsize=9, color=INK)


def _box(axes: Axes, x: float, y: float, wide: float, high: float, look: tuple[str, bool]) -> None:
    colour, grows = look
    fill, hatch = (tint(colour, 0.15), "////") if grows else (tint(colour, 0.55), None)
    axes.add_patch(Rectangle((x, y - high / 2), wide, high, facecolor=fill, edgecolor=LINE, hatch=hatch, linewidth=0.6))


def _said(one: Memory) -> str:
    parts = ", ".join(f"{part.name} {gib(part.bytes)}" for part in one.parts)
    growth = "; may grow by " + ", ".join(f"{part.name} {gib(part.bytes)}" for part in one.growth) if one.growth else ""
    return (
        f"{one.shape.name} in {one.scheme} on {one.engine.name}, {one.parallel} × {one.context:,} tokens: "
        f"{gib(one.total)} ({parts}){growth}."
    )
