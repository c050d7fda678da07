"""Where services and the arrows between them are drawn: sites in columns by who calls whom, services in rows."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from helpers.views.picture import ERROR, INK, OTHERS, PALE, colours, fitted, sheet, short, tint, width, write

Place = tuple[str, str]  # site, service
Pair = tuple[Place, Place]
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
Column = list[tuple[str, list[Place]]]  # sites, each with its services, from above
WIDE, SIDE = 10.0, 0.15  # of the picture, and of its margins, in inches
BOXES = (3.0, 2.6, 1.9)  # how wide a site is when there are one, two or three columns
HEAD, HIGH, STEP, GAP = 0.42, 0.42, 1.25, 0.5  # of a site's name, of a service, from one to the next, between sites
PAD = 0.25  # between the edges of a site and of a service
LINE = 0.16  # of text
ALONG = [0.5 + sign * step / 20 for step in range(8) for sign in (1, -1)]  # where labels are tried, middle first


class Drawing:
    """Boxes and arrows between them on a sheet; labels of arrows find a place."""

    def __init__(self, wide: float, high: float, pairs: Iterable[Pair]) -> None:
        """An empty sheet, in inches; `pairs` are what arrows will join."""
        self.pairs = set(pairs)
        self.figure, self.axes = sheet(wide, high)
        self.wide = wide
        self.at: dict[Place, Box] = {}
        self.sites: list[Box] = []
        self.taken: list[Box] = []  # by names and labels
        self.curves: dict[Pair, list[Point]] = {}
        self.points: dict[Pair, list[Point]] = {}

    def bend(self, curves: dict[Pair, list[Point]]) -> None:
        """The arrows' ways: start, control point and end of a quadratic curve for each pair."""
        self.curves = curves
        self.points = {pair: [_on(curve, step / 40) for step in range(1, 40)] for pair, curve in curves.items()}

    def draw_arrow(self, pair: Pair, lines: list[tuple[str, str]], colour: str) -> None:
        """An arrow, with its label, lines and their colours, where it covers no name and no other arrow."""
        path = Path(self.curves[pair], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        self.axes.add_patch(
            FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=11, color=colour, linewidth=1.3, zorder=2)
        )
        self._label(pair, lines)

    def _label(self, pair: Pair, lines: list[tuple[str, str]]) -> None:
        wide, high = max(width(line) for line, _ in lines) + 0.1, LINE * len(lines) + 0.04
        places = [_around(*_on(self.curves[pair], t), wide, high) for t in ALONG]
        label = min(places, key=lambda box: self._covered(box, pair))
        self.taken.append(label)
        ground = FancyBboxPatch(label[:2], wide, high, boxstyle="round,pad=0,rounding_size=0.04")
        ground.set(facecolor="white", edgecolor="none", zorder=3)
        self.axes.add_patch(ground)
        for number, (line, colour) in enumerate(lines):
            y = label[1] + 0.02 + LINE * (number + 0.5)
            write(self.axes, label[0] + wide / 2, y, line, fontsize=9, color=colour, zorder=4)

    def _covered(self, label: Box, pair: Pair) -> float:
        """How bad it is to write a label there: what it covers of names, of services, and of other arrows."""
        boxes = sum(_overlap(label, box) for box in [*self.taken, *self.at.values()])
        others = (points for other, points in self.points.items() if other != pair)
        crossed = sum(label[0] < x < label[2] and label[1] < y < label[3] for points in others for x, y in points)
        edges = sum(_overlap(label, box) for box in self.sites) if pair[0][0] != pair[1][0] else 0
        outside = max(-label[0], label[2] - self.wide, 0)
        return round(boxes * 1000 + crossed + edges * 100 + outside * 1000, 3)

    def draw_box(self, box: Box, ground: str, edge: str) -> None:
        style = "round,pad=0,rounding_size=0.08"
        patch = FancyBboxPatch(box[:2], box[2] - box[0], box[3] - box[1], boxstyle=style)
        patch.set(facecolor=ground, edgecolor=edge, linewidth=1.3, zorder=1)
        self.axes.add_patch(patch)


class Layout(Drawing):
    """Sites and services as boxes, and a note below them; `arrow` draws what is between them."""

    def __init__(self, places: Collection[Place], pairs: Iterable[Pair], note: str = "") -> None:
        pairs = set(pairs)
        self.columns = columns(set(places), pairs)
        self.box = BOXES[len(self.columns) - 1]
        heights = [sum(_height(services) + GAP for _, services in column) - GAP for column in self.columns]
        high = max(heights) + 2 * SIDE + (0.3 if note else 0)
        super().__init__(WIDE, high, pairs)
        write(self.axes, SIDE, high - 0.2, note, fontsize=9, ha="left", style="italic", color=PALE)
        self.column: dict[Place, int] = {}
        looks = colours({site for site, _ in places if site})
        for number, (column, height) in enumerate(zip(self.columns, heights, strict=True)):
            top = SIDE + (max(heights) - height) / 2
            for site, services in column:
                self._draw_site(number, top, services, looks.get(site, OTHERS))
                top += _height(services) + GAP
        self.bend({pair: self._curve(*pair) for pair in sorted(self.pairs)})

    def arrow(self, pair: Pair, label: tuple[str, str], errors: str) -> None:
        """An arrow, with its label, on one line or two."""
        room = self.box - 0.1 if pair[0][0] == pair[1][0] else self._space() - self.box - 0.7
        lines = [" ".join(label)] if width(" ".join(label)) <= room else label
        told = [*((line, INK) for line in lines), *([(errors, ERROR)] if errors else [])]
        self.draw_arrow(pair, told, ERROR if errors else PALE)

    def _curve(self, caller: Place, callee: Place) -> list[Point]:
        """Start, control point and end of a quadratic curve. Two services that call each other get two curves."""
        both = (callee, caller) in self.pairs
        if self._is_next(caller, callee):
            one, other = self.at[caller], self.at[callee]
            down = other[1] > one[1]
            x = (one[0] + one[2]) / 2 + (0 if not both else 0.45 if down else -0.45)
            start, stop = (x, one[3] if down else one[1]), (x, other[1] if down else other[3])
            return [start, aside(start, stop, 0), stop]
        start, stop = self._end(caller, callee, True), self._end(callee, caller, False)
        if self.column[caller] != self.column[callee]:
            return [start, aside(start, stop, 0.4 if both else 0), stop]
        bow = 2.1 + (0.6 if both and stop[1] > start[1] else 0)
        return [start, (start[0] + (bow if self._is_right(caller, callee) else -bow), (start[1] + stop[1]) / 2), stop]

    def _end(self, place: Place, other: Place, out: bool) -> Point:
        """Where an arrow meets a service: those at one side of it are spread, in the order of their other ends."""
        right = self._is_right(place, other)
        ends = [(b, True) for a, b in self.pairs if a == place] + [(a, False) for a, b in self.pairs if b == place]
        here = [end for end in ends if not self._is_next(place, end[0]) and self._is_right(place, end[0]) == right]
        # What goes to the right is bent upwards, what goes to the left downwards.
        here.sort(key=lambda end: (self.at[end[0]][1], end[0], end[1] != right))
        box = self.at[place]
        share = (here.index((other, out)) + 1) / (len(here) + 1)
        return box[2] if right else box[0], box[1] + HIGH * share

    def _is_next(self, one: Place, other: Place) -> bool:
        """Whether one is directly above or below the other in the same site."""
        return one[0] == other[0] and abs(self.at[one][1] - self.at[other][1]) < 1.5 * STEP

    def _is_right(self, place: Place, other: Place) -> bool:
        """At which side of a service an arrow is; within a column, where there is room for a bow."""
        here, there = self.column[place], self.column[other]
        return there > here if there != here else here < len(self.columns) - 1 or here == 0

    def _draw_site(self, column: int, top: float, services: list[Place], colour: str) -> None:
        left = SIDE + self._space() * column if len(self.columns) > 1 else (WIDE - self.box) / 2
        self.sites.append((left, top, left + self.box, top + _height(services)))
        self.draw_box(self.sites[-1], tint(colour, 0.12), colour)
        name = fitted(short(services[0][0], 60) or "no site", self.box - 0.3, 11, "bold")
        write(self.axes, left + 0.15, top + 0.23, name, fontsize=11, fontweight="bold", ha="left", color=INK)
        self.taken.append((left, top, left + 0.15 + width(name, 11, "bold"), top + HEAD))
        for row, place in enumerate(services):
            y = top + HEAD + STEP * row
            self.at[place] = (left + PAD, y, left + self.box - PAD, y + HIGH)
            self.column[place] = column
            self.draw_box(self.at[place], "white", colour)
            name = fitted(short(place[1], 60) or "unnamed", self.box - 2 * PAD - 0.15, 10)
            write(self.axes, left + self.box / 2, y + HIGH / 2, name, fontsize=10, color=INK)

    def _space(self) -> float:
        """From one column to the next."""
        return (WIDE - 2 * SIDE - self.box) / max(len(self.columns) - 1, 1)


def columns(places: set[Place], pairs: set[Pair]) -> list[Column]:
    """At most three columns: sites that no other calls, those they call, and all further ones.

    In a site callers are above those they call, and in a column what is called from above is above.
    """
    # Where all call each other, first is the one that calls more than it is called.
    balance = Counter(callee[0] for _, callee in pairs)
    balance.subtract(caller[0] for caller, _ in pairs)
    sites = sorted({site for site, _ in places}, key=lambda site: (balance[site], site))
    outer = depths([(site, "") for site in sites], {((a[0], ""), (b[0], "")) for a, b in pairs if a[0] != b[0]})
    inner = depths(sorted(places), {(a, b) for a, b in pairs if a[0] == b[0]})
    height: dict[Place, float] = {}
    found: list[Column] = []
    for number in range(len(BOXES)):
        inside = [site for site in sites if min(outer[site, ""], len(BOXES) - 1) == number]
        called = {place: _mean(height[a] for a, b in pairs if b == place and a in height) for place in places}
        services = defaultdict(list)
        for place in sorted(places, key=lambda place: (inner[place], called[place], place)):
            services[place[0]].append(place)
        inside.sort(key=lambda site: _mean(called[place] for place in services[site]))
        height |= {place: row for row, place in enumerate(place for site in inside for place in services[site])}
        found.append([(site, services[site]) for site in inside])
    return [column for column in found if column]


def depths(places: list[Place], pairs: set[Pair]) -> dict[Place, int]:
    """How many calls each is away from one that nobody calls; in a circle, from its first."""
    depths: dict[Place, int] = {}
    called = {callee for _, callee in pairs}
    starts = [place for place in places if place not in called]
    for first in [*starts, *places]:
        left = [] if first in depths else [first]
        depths.setdefault(first, 0)
        while left:
            place = left.pop(0)
            below = sorted(callee for caller, callee in pairs if caller == place and callee not in depths)
            depths |= dict.fromkeys(below, depths[place] + 1)
            left.extend(below)
    return depths


def _mean(values: Iterable[float]) -> float:
    every = list(values)
    return sum(every) / len(every) if every else 0


def _height(services: list[Place]) -> float:
    return HEAD + STEP * (len(services) - 1) + HIGH + 0.2


def aside(start: Point, stop: Point, away: float) -> Point:
    """The middle between two points, moved to the left of the way from one to the other."""
    (x, y), (u, v) = start, stop
    long = float(np.hypot(u - x, v - y)) or 1
    return (x + u) / 2 + away * (v - y) / long, (y + v) / 2 - away * (u - x) / long


def _on(curve: list[Point], t: float) -> Point:
    weights = (1 - t) ** 2, 2 * t * (1 - t), t**2
    x, y = (sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


def _around(x: float, y: float, wide: float, high: float) -> Box:
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0) * max(high, 0)
