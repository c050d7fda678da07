"""Where services and the arrows between them are drawn: sites in columns by who calls whom, services in rows."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from helpers.views.picture import (
    ERROR,
    INK,
    OTHERS,
    PALE,
    colours,
    fitted,
    sheet,
    short,
    tint,
    width,
    write,
)

Place = tuple[str, str]  # site, service
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
WIDE, SIDE = 10.0, 0.15  # of the picture, and of its margins, in inches
BOXES = (3.0, 2.6, 2.2)  # how wide a site is when there are one, two or three columns
HEAD, HIGH, STEP, GAP = 0.42, 0.42, 1.12, 0.3  # of a site's name, of a service, from one to the next, between sites
PAD = 0.25  # between the edges of a site and of a service
LINE = 0.16  # of text


class Layout:
    """Sites and services as boxes; `arrow` and `note` draw what is between and below them."""

    def __init__(self, places: set[Place], pairs: list[tuple[Place, Place]]) -> None:
        self.pairs = set(pairs)
        self.columns = _columns(places, pairs)
        self.box = BOXES[len(self.columns) - 1]
        heights = [sum(_height(services) + GAP for _, services in column) - GAP for column in self.columns]
        self.high = max(heights) + 2 * SIDE + 0.3
        self.figure, self.axes = sheet(WIDE, self.high)
        self.at: dict[Place, Box] = {}
        self.column: dict[Place, int] = {}
        self.taken: list[Box] = []
        looks = colours({site for site, _ in places if site})
        for number, (column, height) in enumerate(zip(self.columns, heights, strict=True)):
            top = SIDE + (max(heights) - height) / 2
            for site, services in column:
                self._draw_site(number, top, site, services, looks.get(site, OTHERS))
                top += _height(services) + GAP

    def note(self, text: str) -> None:
        """A line below all."""
        write(self.axes, SIDE, self.high - 0.2, text, fontsize=9, ha="left", style="italic", color=PALE)

    def arrow(self, caller: Place, callee: Place, label: tuple[str, str], errors: str) -> None:
        """An arrow, with its label where it covers no other and no service."""
        curve = self._curve(caller, callee)
        look = {"arrowstyle": "-|>", "mutation_scale": 11, "color": ERROR if errors else PALE, "linewidth": 1.3}
        self.axes.add_patch(FancyArrowPatch(path=Path(curve, [Path.MOVETO, Path.CURVE3, Path.CURVE3]), **look, zorder=2))
        inside = self.column[caller] == self.column[callee]
        room = self.box - 0.1 if inside else (WIDE - 2 * SIDE - self.box * len(self.columns)) / (len(self.columns) - 1) - 0.3
        one = " ".join(label)
        lines = [one] if width(one) <= room else list(label)
        self._label(curve, lines, errors)

    def _label(self, curve: list[Point], lines: list[str], errors: str) -> None:
        every = [*lines, *([errors] if errors else [])]
        wide, high = max(width(line) for line in every) + 0.08, LINE * len(every) + 0.04
        x, y = min((_on(curve, t) for t in _NEAR), key=lambda point: self._covered(point, wide, high))
        self.taken.append(_around(x, y, wide, high))
        ground = FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, boxstyle="round,pad=0,rounding_size=0.04")
        ground.set(facecolor="white", edgecolor="none", zorder=3, alpha=0.92)
        self.axes.add_patch(ground)
        for number, line in enumerate(every):
            at = y - high / 2 + 0.02 + LINE * (number + 0.5)
            colour = ERROR if errors and number == len(every) - 1 else INK
            write(self.axes, x, at, line, fontsize=9, color=colour, zorder=4)

    def _covered(self, point: Point, wide: float, high: float) -> float:
        """How much of what is there already a label at a point would cover, in square inches."""
        label = _around(*point, wide, high)
        return round(sum(_overlap(label, box) for box in [*self.taken, *self.at.values()]), 3)

    def _curve(self, caller: Place, callee: Place) -> list[Point]:
        """Start, control point and end of a quadratic curve. Two services that call each other get two curves."""
        one, other = self.at[caller], self.at[callee]
        both = (callee, caller) in self.pairs
        if self.column[caller] != self.column[callee]:
            right = self.column[callee] > self.column[caller]
            start, stop = _side(one, right), _side(other, not right)
            away = 0.35 if both else 0
            return [start, _beside(start, stop, away), stop]
        if abs(one[1] - other[1]) < STEP * 1.01:
            down = other[1] > one[1]
            aside = (0.45 if down else -0.45) if both else 0
            x = (one[0] + one[2]) / 2 + aside
            start, stop = (x, one[3] if down else one[1]), (x, other[1] if down else other[3])
            return [start, ((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2), stop]
        right = self.column[caller] < len(self.columns) - 1 or len(self.columns) == 1
        start, stop = _side(one, right), _side(other, right)
        bulge = 1.3 + (0.5 if both and other[1] > one[1] else 0)
        return [start, (start[0] + (bulge if right else -bulge), (start[1] + stop[1]) / 2), stop]

    def _draw_site(self, column: int, top: float, site: str, services: list[str], colour: str) -> None:
        space = (WIDE - 2 * SIDE - self.box) / max(len(self.columns) - 1, 1)
        left = SIDE + space * column if len(self.columns) > 1 else (WIDE - self.box) / 2
        self._box((left, top, left + self.box, top + _height(services)), tint(colour, 0.12), colour)
        write(self.axes, left + 0.15, top + 0.23, fitted(short(site, 60) or "no site", self.box - 0.5, 11),
              fontsize=11, fontweight="bold", ha="left", color=INK)
        for row, service in enumerate(services):
            y = top + HEAD + STEP * row
            box = (left + PAD, y, left + self.box - PAD, y + HIGH)
            self._box(box, "white", colour)
            name = fitted(short(service, 60) or "unnamed", self.box - 2 * PAD - 0.15, 10)
            write(self.axes, left + self.box / 2, y + HIGH / 2, name, fontsize=10, color=INK)
            self.at[site, service] = box
            self.column[site, service] = column

    def _box(self, box: Box, ground: str, edge: str) -> None:
        style = "round,pad=0,rounding_size=0.08"
        patch = FancyBboxPatch((box[0], box[1]), box[2] - box[0], box[3] - box[1], boxstyle=style)
        patch.set(facecolor=ground, edgecolor=edge, linewidth=1.3, zorder=1)
        self.axes.add_patch(patch)


_NEAR = [0.5 + sign * step / 20 for step in range(9) for sign in (1, -1)]  # along a curve, from its middle


def _columns(places: set[Place], pairs: Iterable[tuple[Place, Place]]) -> list[list[tuple[str, list[str]]]]:
    """Sites with their services, in at most three columns: those that are not called, those they call, and the rest."""
    links = {(caller[0], callee[0]) for caller, callee in pairs if caller[0] != callee[0]}
    depth = _depths(sorted({site for site, _ in places}), links)
    inner = _depths(sorted(places), {(one, other) for one, other in pairs if one[0] == other[0]})
    columns = defaultdict(list)
    for site in sorted(depth):
        services = sorted((place for place in places if place[0] == site), key=lambda place: (inner[place], place))
        columns[min(depth[site], len(BOXES) - 1)].append((site, [service for _, service in services]))
    return [columns[number] for number in sorted(columns)]


def _depths(nodes: list, links: set[tuple]) -> dict:
    """How many calls each is away from one that nobody calls; in a circle, from its first."""
    depths: dict = {}
    called = {callee for _, callee in links}
    for first in [*(node for node in nodes if node not in called), *nodes]:
        left = [] if first in depths else [first]
        depths.setdefault(first, 0)
        while left:
            node = left.pop(0)
            for callee in sorted(other for one, other in links if one == node and other not in depths):
                depths[callee] = depths[node] + 1
                left.append(callee)
    return depths


def _height(services: list[str]) -> float:
    return HEAD + STEP * (len(services) - 1) + HIGH + 0.2


def _side(box: Box, right: bool) -> Point:
    return box[2] if right else box[0], (box[1] + box[3]) / 2


def _beside(start: Point, stop: Point, away: float) -> Point:
    """The middle between two points, moved at a right angle."""
    way = np.subtract(stop, start)
    x, y = np.add(start, stop) / 2 + away * np.array([way[1], -way[0]]) / np.hypot(*way)
    return float(x), float(y)


def _on(curve: list[Point], t: float) -> Point:
    start, control, stop = np.array(curve)
    x, y = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * stop
    return float(x), float(y)


def _around(x: float, y: float, wide: float, high: float) -> Box:
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0) * max(high, 0)
