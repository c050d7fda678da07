"""What all pictures have in common: their colours, their text, and how a figure becomes an image."""

from functools import cache
from io import BytesIO
from typing import Any

from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

INK, PALE, LINE, ERROR = "#1c2540", "#3b4763", "#b9c2d6", "#b42318"
# Okabe and Ito's, told apart by colour-blind people too; the one nearest to the red of errors comes late.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#f0e442", "#d55e00")
OTHERS = "#8c8c8c"  # the eighth: all sites beyond the seventh
SIZE = 9  # points, the smallest text
_worn: dict[str, str] = {}  # the colour in which each site was drawn last


def image(figure: Figure, alt: str) -> Image:
    """The figure as PNG, with twice as many dots as it is wide, and a text for those who cannot see it."""
    png = BytesIO()
    figure.savefig(png, dpi=200, format="png")
    return Image(png.getvalue(), width=int(figure.get_size_inches()[0] * 100), alt=alt)  # type: ignore[no-untyped-call]


def sheet(wide: float, high: float) -> tuple[Figure, Axes]:
    """An empty white figure and its axes, both measured in inches from the corner above at the left."""
    figure = Figure(figsize=(wide, high), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, wide), ylim=(high, 0))
    axes.set_axis_off()
    return figure, axes


def write(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:  # noqa: ANN401 - matplotlib's
    """Text as it is: what a server says is no formula."""
    given: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False} | look
    axes.text(x, y, drawable(text), **given)


def short(text: object, most: int) -> str:
    """One line that can be printed, of at most `most` characters, cut with an ellipsis."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)[: most * 4]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def fitted(text: str, inches: float, size: float = SIZE, weight: str = "normal") -> str:
    """The text, cut with an ellipsis to what fits into `inches`."""
    length = width(text, size, weight)
    if length <= inches:
        return text
    keep = int(len(text) * max(inches, 0) / length) + 1
    while keep and width(text[:keep].rstrip() + "…", size, weight) > inches:
        keep -= 1
    return text[:keep].rstrip() + "…"


def width(text: str, size: float = SIZE, weight: str = "normal") -> float:
    """How wide the text is when it is drawn, in inches."""
    font = FontProperties(size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(drawable(text), font, ismath=False)[0]) / 72


def drawable(text: str) -> str:
    """The text with a box for each sign that the font lacks: matplotlib would print a warning for it."""
    return "".join(sign if sign == "\n" or ord(sign) in _signs() else "□" for sign in text)


@cache
def _signs() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def duration(seconds: float) -> str:
    """In ms or s, three digits at most: `3.2 ms`, `850 ms`, `1.24 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 or seconds < 1e-6 else f"{seconds * 1e3:.2g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:,.0f} s"


def distance(seconds: float) -> str:
    """A length of time that may be long, roughly: `850 ms`, `2 min`, `3.5 h`, `12 days`."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:,.0f} {unit}" if seconds >= 9.5 * length else f"{seconds / length:.2g} {unit}"
    return duration(seconds)


def colours(sites: set[str]) -> dict[str, str]:
    """A colour for each site, by name: seven of their own, and one for all others.

    A site keeps its colour from picture to picture of a process, unless two that had the same one meet.
    """
    found: dict[str, str] = {}
    for site in sorted(sites, key=lambda site: (site not in _worn, site)):
        free = [colour for colour in COLOURS if colour not in found.values()]
        found[site] = min(free, key=lambda each: (each != _worn.get(site), each in _worn.values()), default=OTHERS)
    _worn.update((site, colour) for site, colour in found.items() if colour != OTHERS)
    return dict(sorted(found.items()))


def tint(colour: str, strength: float = 0.5) -> str:
    """The colour mixed with white, so that dark text can be read on it."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def place(site: str, service: str) -> str:
    """`site/service` as it is shown, whatever of it is known."""
    return "/".join(short(part, 40) for part in (site, service) if part.strip()) or "unnamed"
