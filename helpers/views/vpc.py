"""The network that templates describe as a picture: where subnets are, what is in them, who may reach whom."""

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from IPython.display import Image
from matplotlib.figure import Figure

from helpers.views.layout import Drawing, Pair, Place, Point, aside, depths
from helpers.views.picture import ERROR, INK, LINE, PALE, fitted, image, write
from helpers.views.topology import COLOURS, NAMES

if TYPE_CHECKING:  # its room takes long to load
    from helpers.deploy.vpc import Flow, Site, Subnet, Vpc

WIDE, SIDE, HEAD, RIGHT = 12.0, 0.15, 2.95, 0.3  # of the picture, its margins, a band's words, and right of the columns
HIGH, STEP, ROW, GAP, PAD = 0.46, 0.86, 0.17, 0.22, 0.2  # of a box, from one to the next, of a line, between bands
BETWEEN, MOST = 0.72, 1.3  # inches between boxes of two columns, and of a box
INTERNET, PREMISES, UNUSED = "The internet", "On premises", "In no subnet yet"
OUTSIDE = (PREMISES, INTERNET)
ENDS = ("range", "prefix list", "everyone")  # of flows, that are no groups
NOTE = "Arrows: what security groups allow, at both ends where both have one. Numbers: TCP ports."
EVERYONE = ("0.0.0.0/0", "::/0")
KINDS = {  # the first that is in a group says what it is
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
    "AWS::BedrockAgentCore::Runtime": "AgentCore",
    "AWS::BedrockAgentCore::GatewayTarget": "AgentCore",
    "AWS::RDS::DBInstance": "database",
    "AWS::S3Outposts::Endpoint": "S3 on the rack",
    "AWS::ECS::Service": "containers",
    "AWS::EC2::Instance": "instance",
    "AWS::AutoScaling::AutoScalingGroup": "instances",
}


class Band(NamedTuple):
    """A site with the words beside it, each with its colour, and its boxes."""

    name: str
    words: list[tuple[str, str]]
    look: tuple[str, str]
    boxes: list[Place]


def vpc(shown: "Vpc") -> Image:
    """Draw `helpers.deploy.vpc.read_vpc`'s network: sites with their subnets, security groups, and the flows allowed.

    What is public, or open to the internet, is red.
    """
    return image(*figure_of(shown))


def figure_of(shown: "Vpc") -> tuple[Figure, str]:
    """The figure, and a text for those who cannot see it."""
    places = _places(shown)
    flows: defaultdict[Pair, list[Flow]] = defaultdict(list)
    for flow in shown.flows:
        for source in places[flow.source]:
            for target in places[flow.target]:
                flows[source, target].append(flow)
    bands = _bands(
        shown, sorted({*chain.from_iterable(places.values())}, key=lambda one: (one[1] not in shown.groups, one))
    )
    drawing = Bands(
        bands, _title(shown), list(flows), {place: _words(shown, place) for band in bands for place in band.boxes}
    )
    for pair, allowed in sorted(flows.items()):
        colour = ERROR if INTERNET in (pair[0][0], pair[1][0]) else PALE
        ports = ", ".join(sorted({flow.port for flow in allowed}, key=lambda port: (len(port), port)))
        drawing.draw_arrow(pair, [(ports, ERROR if colour == ERROR else INK)], colour)
    return drawing.figure, _alt(shown, bands)


class Bands(Drawing):
    """A band for each site, one below the other, its boxes in columns by who calls whom."""

    def __init__(
        self, bands: list[Band], title: tuple[str, str], pairs: list[Pair], words: dict[Place, tuple[str, str]]
    ) -> None:
        self.columns = depths([place for band in bands for place in band.boxes], set(pairs))
        self.step = (WIDE - HEAD - RIGHT) / (max(self.columns.values(), default=0) + 1)
        heights = [self._height(band) for band in bands]
        frame = len([band for band in bands if band.name not in OUTSIDE])
        tops = [0.55 + sum(heights[:n]) + GAP * n + (0.2 if n >= frame else 0) for n in range(len(bands))]
        super().__init__(WIDE, tops[-1] + heights[-1] + 0.4, pairs)
        write(
            self.axes, 2 * SIDE, tops[-1] + heights[-1] + 0.22, NOTE, fontsize=9, ha="left", style="italic", color=PALE
        )
        bottom = tops[frame - 1] + heights[frame - 1] + 0.12
        self.draw_box((SIDE, 0.12, WIDE - SIDE, bottom), "white", LINE)
        write(self.axes, SIDE + 0.15, 0.34, title[0], fontsize=11, fontweight="bold", ha="left", color=title[1])
        for band, top, high in zip(bands, tops, heights, strict=True):
            self._draw_band(band, top, high, words)
        self.bend({pair: self._curve(*pair) for pair in sorted(self.pairs)})

    def _height(self, band: Band) -> float:
        most = max(Counter(self.columns[place] for place in band.boxes).values(), default=0)
        return max(0.5 + ROW * len(band.words), STEP * (most - 1) + HIGH + 2 * PAD)

    def _draw_band(self, band: Band, top: float, high: float, words: dict[Place, tuple[str, str]]) -> None:
        box = (2 * SIDE, top, WIDE - 2 * SIDE, top + high)
        self.draw_box(box, *band.look)
        write(self.axes, 2 * SIDE + 0.12, top + 0.22, fitted(band.name, HEAD - 0.5, 10, "bold"), fontsize=10,
              fontweight="bold", ha="left", color=INK)  # fmt: skip
        for number, (text, colour) in enumerate(band.words):
            y = top + 0.46 + ROW * number
            write(self.axes, 2 * SIDE + 0.12, y, fitted(text, HEAD - 0.5), fontsize=9, ha="left", color=colour)
        self.taken.append((2 * SIDE, top, HEAD - 0.2, top + high))
        stacks: Counter[int] = Counter()
        most = Counter(self.columns[place] for place in band.boxes)
        for place in band.boxes:
            column = self.columns[place]
            left = HEAD + self.step * column
            free = high - STEP * (most[column] - 1) - HIGH
            self._draw_place(place, left, top + free / 2 + STEP * stacks[column], band.look[1], words[place])
            stacks[column] += 1

    def _draw_place(self, place: Place, left: float, top: float, edge: str, words: tuple[str, str]) -> None:
        wide = min(self.step - BETWEEN, MOST)
        self.at[place] = (left, top, left + wide, top + HIGH)
        self.draw_box(self.at[place], "white", ERROR if place[0] == INTERNET else edge)
        name, kind = words
        bold = "normal" if kind in ENDS else "bold"
        for text, y, weight, colour in ((name, 0.15, bold, INK), (kind, 0.33, "normal", PALE)):
            shown = fitted(text, wide - 0.06, 9, weight)
            y = top + (y if kind else HIGH / 2)
            write(self.axes, left + wide / 2, y, shown, fontsize=9, fontweight=weight, color=colour)

    def _curve(self, source: Place, target: Place) -> list[Point]:
        """From side to side; in one column, from the right to the right in a bow."""
        start, stop = self._end(source, target, True), self._end(target, source, False)
        if self.columns[source] == self.columns[target]:
            bow = 0.35 + min(abs(start[1] - stop[1]) / 6, 0.5)
            return [start, (start[0] + bow, (start[1] + stop[1]) / 2), stop]
        return [start, aside(start, stop, 0.3 if (target, source) in self.pairs else 0), stop]

    def _end(self, place: Place, other: Place, out: bool) -> Point:
        """Where an arrow meets a box: those at one side of it are spread in the order of their other ends."""
        right = self._is_right(place, other)
        ends = [(b, True) for a, b in self.pairs if a == place] + [(a, False) for a, b in self.pairs if b == place]
        here = sorted((self.at[end][1], end, way) for end, way in ends if self._is_right(place, end) == right)
        box, number = self.at[place], here.index((self.at[other][1], other, out))
        return box[2] if right else box[0], box[1] + HIGH * (number + 1) / (len(here) + 1)

    def _is_right(self, place: Place, other: Place) -> bool:
        return self.columns[other] >= self.columns[place]


def _places(shown: "Vpc") -> dict[str, list[Place]]:
    """Where each group and each other end of a flow is drawn: a group once for each site that has it."""
    found: defaultdict[str, list[Place]] = defaultdict(list)
    for group, site in shown.inside:
        if group in shown.groups:
            found[group].append((_name(site), group))
    ranges = {subnet.cidr: _name(subnet.site) for subnet in shown.subnets.values()}
    for end in {*shown.groups, *(end for flow in shown.flows for end in flow[:2])}:
        if end in found:
            continue
        if end in shown.groups:
            found[end].append((UNUSED, end))
        elif end in EVERYONE:
            found[end].append((INTERNET, end))
        elif end.startswith("pl-"):
            found[end].append((_name(("region", shown.region)), end))
        else:
            found[end].append((ranges.get(end, PREMISES), end))
    return found


def _bands(shown: "Vpc", places: list[Place]) -> list[Band]:
    """The Region above, then Local Zones, Outposts, and what is not in the VPC below."""
    sites: dict[Site, list[Subnet]] = {("region", shown.region): []}
    for subnet in sorted(
        shown.subnets.values(), key=lambda subnet: (list(NAMES).index(subnet.site[0]), subnet.site[1])
    ):
        sites.setdefault(subnet.site, []).append(subnet)
    found = []
    for site, subnets in sites.items():
        words = list(chain.from_iterable(_told(shown, subnet) for subnet in subnets))
        found.append(Band(_name(site), words, COLOURS[site[0]], [place for place in places if place[0] == _name(site)]))
    for name in (UNUSED, *OUTSIDE):
        if boxes := [place for place in places if place[0] == name]:
            look = ("#fdeceb", ERROR) if name == INTERNET else ("#f5f6f8", LINE)
            words = [("security groups only", PALE)] if name == UNUSED else []
            found.append(Band(name, words, look, boxes))
    return found


def _told(shown: "Vpc", subnet: "Subnet") -> list[tuple[str, str]]:
    """A subnet in lines."""
    name = subnet.id.partition(".")[2]
    lines = [(f"{name} in {subnet.zone}", INK)]
    lines += [(f"{subnet.cidr}, {'public' if subnet.open else 'private'}", ERROR if subnet.open else PALE)]
    for target in dict.fromkeys(route.target for route in subnet.routes):
        ways = ", ".join(route.destination for route in subnet.routes if route.target == target)
        local = target in shown.local_gateways
        lines += [
            (f"{f'local gateway, {shown.local_gateways[target]}' if local else target}:", INK),
            (f"to {ways}", PALE),
        ]
    return lines


def _words(shown: "Vpc", place: Place) -> tuple[str, str]:
    """A box's name and what it is."""
    end = place[1]
    if end not in shown.groups:
        return end, "everyone" if end in EVERYONE else "prefix list" if end.startswith("pl-") else "range"
    kinds = next((kinds for (group, site), kinds in shown.inside.items() if (_name(site), group) == place), [])
    count = sum(end in endpoint.groups for endpoint in shown.endpoints)
    kind = f"{count} endpoints" if count else next((word for kind, word in KINDS.items() if kind in kinds), "")
    return end.partition(".")[2].removesuffix("Group"), kind


def _name(site: "Site") -> str:
    kind, place = site
    short = f"{place[:4]}…{place[-3:]}" if kind == "outpost" else place
    return f"{NAMES[kind]} {short}"


def _title(shown: "Vpc") -> tuple[str, str]:
    public = [name.partition(".")[2] for name in (*shown.public, *shown.open_subnets)]
    if public:
        return f"VPC {shown.cidr}, open to the internet: {', '.join(public)}", ERROR
    return f"VPC {shown.cidr}: private addresses, and no way to the internet", INK


def _alt(shown: "Vpc", bands: list[Band]) -> str:
    sites = "; ".join(f"{band.name}: {', '.join(text for text, _ in band.words) or 'no subnet'}" for band in bands)
    flows = ", ".join(f"{f.source.partition('.')[2] if f.source in shown.groups else f.source} to "
                      f"{f.target.partition('.')[2] if f.target in shown.groups else f.target} at {f.port}"
                      for f in shown.flows)  # fmt: skip
    return f"{_title(shown)[0]}. {sites}. Allowed: {flows or 'nothing'}."
