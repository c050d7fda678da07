"""A topology as a picture: sites with their programs, links with their conditions."""

from itertools import groupby
from textwrap import wrap

from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from helpers.sites.network import Network
from helpers.sites.topology import Conditions, Kind, Topology
from helpers.views.picture import ERROR, INK, PALE, image

ORDER: list[Kind] = ["outpost", "local-zone", "region"]
NAMES = {"region": "Region", "local-zone": "Local Zone", "outpost": "Outpost"}
COLOURS = {"region": ("#eef2fd", "#3b5bb5"), "local-zone": ("#fff4ea", "#b4570b"), "outpost": ("#e7f7f2", "#0f766e")}
LINES = {"up": ("#43506b", "-"), "cut": (ERROR, (0, (2, 2))), "silent": ("#b4570b", (0, (1, 2)))}
WIDE, HIGH, GAP = 2.6, 1.1, 2.4  # of a box, and between boxes, in units of about an inch
LINE = 36  # characters in a box


def topology(shown: Topology | Network) -> Image:
    """Draw a topology, or a network as it is now: which programs run, which links are slow or cut."""
    network = shown if isinstance(shown, Network) else None
    plan = network.topology if network else shown
    assert isinstance(plan, Topology)
    places = _places(plan)
    figure, axes = _canvas(places)
    conditions = [(link.between, link.conditions) for link in network.links()] if network else []
    for (one, other), condition in conditions or [(link.between, link) for link in plan.links]:
        _draw_link(axes, places[one], places[other], condition)
    for name, site in plan.sites.items():
        programs = [p for p in network[name].programs if network[name].programs[p].running] if network else []
        where = wrap(f"{NAMES[site.kind]} {site.place}", LINE)
        _draw_site(axes, places[name], name, site.kind, [*where, *_rows(programs)])
    return image(figure, _alt(plan))


def _places(plan: Topology) -> dict[str, tuple[float, float]]:
    """The middle of each site's box: the edge below, Outposts before Local Zones, and Regions above."""
    places = {}
    by_kind = sorted(plan.sites, key=lambda name: ORDER.index(plan.sites[name].kind))
    rows = [list(names) for _, names in groupby(by_kind, key=lambda name: plan.sites[name].kind == "region")]
    for height, names in enumerate(rows):
        for column, name in enumerate(names):
            places[name] = ((column - (len(names) - 1) / 2) * (WIDE + GAP), height * (HIGH + 1.1))
    return places


def _canvas(places: dict[str, tuple[float, float]]) -> tuple[Figure, Axes]:
    right = max(x for x, _ in places.values()) + WIDE / 2 + 0.2
    top = max(y for _, y in places.values()) + HIGH / 2 + 0.2
    figure = Figure(figsize=(2 * right, top + HIGH / 2 + 0.2), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-right, right), ylim=(-HIGH / 2 - 0.2, top), aspect="equal")
    axes.set_axis_off()
    return figure, axes


def _draw_site(axes: Axes, place: tuple[float, float], name: str, kind: Kind, lines: list[str]) -> None:
    x, y = place
    ground, edge = COLOURS[kind]
    corner = (x - WIDE / 2, y - HIGH / 2)
    style = "round,pad=0,rounding_size=0.1"
    axes.add_patch(FancyBboxPatch(corner, WIDE, HIGH, boxstyle=style, facecolor=ground, edgecolor=edge, linewidth=1.5))
    axes.text(x, y + HIGH * 0.27, name, ha="center", va="center", fontsize=11, fontweight="bold", color=INK)
    axes.text(x, y - HIGH * 0.14, "\n".join(lines), ha="center", va="center", fontsize=9, color=PALE)


def _draw_link(axes: Axes, start: tuple[float, float], stop: tuple[float, float], condition: Conditions) -> None:
    colour, style = LINES[condition.state]
    axes.plot([start[0], stop[0]], [start[1], stop[1]], color=colour, linestyle=style, linewidth=2, zorder=0)
    middle = ((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2)
    label = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    axes.text(*middle, _label(condition), ha="center", va="center", fontsize=9, color=colour, bbox=label)


def _label(condition: Conditions) -> str:
    if condition.state != "up":
        return condition.state
    jitter = f" ± {condition.jitter_ms / 2:g}" if condition.jitter_ms else ""
    speed = f"\n{condition.bandwidth_mbit:g} Mbit/s" if condition.bandwidth_mbit else ""
    return f"{condition.latency_ms + condition.jitter_ms / 2:g}{jitter} ms{speed}"


def _alt(plan: Topology) -> str:
    sites = ", ".join(f"{name} ({NAMES[site.kind]})" for name, site in plan.sites.items())
    links = ", ".join(" to ".join(link.between) for link in plan.links)
    return f"Sites: {sites}. Links: {links or 'none'}."


def _rows(programs: list[str]) -> list[str]:
    """Two programs a line."""
    return [", ".join(programs[n : n + 2]) for n in range(0, len(programs), 2)]
