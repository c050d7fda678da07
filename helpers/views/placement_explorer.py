"""Choose where agent, model and tools run, how far apart that is and where data may be; see time, model and cost."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pandas as pd

from helpers.placement.errors import PlacementError
from helpers.placement.exploring import front, predictions, rows
from helpers.placement.placement import PARTS, PLACES, Placement
from helpers.placement.prediction import Models, Prediction, Prices
from helpers.placement.routes import Routes
from helpers.placement.work import Flow, Work
from helpers.sites.topology import Conditions, Kind, Topology
from helpers.views.controls import Chooser, Line, choice, slider
from helpers.views.picture import duration
from helpers.views.placements import placements

LATENCIES = (0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 80, 100, 150, 200, 300, 500)  # milliseconds one way
COUNTS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30)
BARS = 8  # beside the one that is chosen
RULES = [
    (", ".join(each) or "nowhere", each) for size in range(len(PLACES) + 1) for each in combinations(PLACES, size)
]  # every set of places
SHOWN = ["agent", "model", "tools", "pattern", "seconds", "crosses", "runs", "USD/h"]


class PlacementExplorer(Chooser):
    """The controls, and what they show. `prediction` and `table` are the results of what is chosen now.

        explorer = PlacementExplorer(topology, work, models=models, prices=prices)
        explorer

    Raises:
        MissingLink: places are not linked; `Routes.of(topology).through("region")` may mend that.
    """

    def __init__(
        self,
        links: Topology | Routes,
        work: Work,
        *,
        models: Models | None = None,
        prices: Prices | None = None,
        placement: Placement | None = None,
    ) -> None:
        self._routes, self._work, self._models, self._prices = Routes.of(links), work, models, prices
        first = placement or Placement("outpost", "outpost", "outpost")
        self.parts = {part: choice(part.capitalize(), PLACES, getattr(first, part)) for part in PARTS}
        self.links = {pair: _latency(pair, self._routes) for pair in combinations(PLACES, 2)}
        self.answers = slider("Answers", COUNTS, work.model.exchanges)
        self.calls = slider("Calls", COUNTS, work.tools.exchanges)
        self.rules = {name: choice(f"{name} at", RULES, _rule(work, name)) for name in sorted(work.classes)}
        rules, parts, latencies = (list(each.values()) for each in (self.rules, self.parts, self.links))
        super().__init__([*parts, *latencies, self.answers, self.calls, *rules], outputs=3)
        for control in self._all:
            control.observe(self._chosen, "value")

    @property
    def placement(self) -> Placement:
        """What is chosen."""
        return Placement(**{part: control.value for part, control in self.parts.items()})

    @property
    def work(self) -> Work:
        """The work as the controls have it: bytes, connections and service times go with the number of exchanges."""
        model = _times(self._work.model, self.answers.value)
        tools = _times(self._work.tools, self.calls.value)
        share = self.answers.value / self._work.model.exchanges if self._work.model.exchanges else 1
        at = {where: takes * share for where, takes in self._work.at.items()}
        rules = {name: control.value for name, control in self.rules.items()}
        return replace(self._work, model=model, tools=tools, at=at, rules=rules)

    @property
    def routes(self) -> Routes:
        """The links as the controls have them; jitter and bandwidth are those that were given."""
        links: dict[tuple[str, str], Conditions] = {}
        for pair, control in self.links.items():
            links[pair] = self._routes.between(*pair).model_copy(update={"latency_ms": float(control.value)})
        return Routes(links)

    @property
    def prediction(self) -> Prediction:
        """What the chosen placement comes to."""
        return next(one for one in self._predictions() if one.placement == self.placement)

    @property
    def table(self) -> pd.DataFrame:
        """All 27 (see `helpers.placement.explore`)."""
        return rows(self._predictions())

    def _predictions(self) -> list[Prediction]:
        return predictions(self.routes, self.work, models=self._models, prices=self._prices)

    def _contents(self) -> tuple[object, ...]:
        """The picture, the placements that none beats, and a line about the chosen one."""
        try:
            found = self._predictions()
        except PlacementError as error:
            return Line(""), Line(""), Line(str(error))
        table = rows(found)
        best = front(table)[SHOWN]
        if self._prices is None:
            best = best.drop(columns="USD/h")
        (one,) = (each for each in found if each.placement == self.placement)
        others = [each for each in found if each != one][:BARS]
        shown = [each for each in found if each == one or each in others]
        return placements(shown, self.placement), Line("") if best.empty else best, Line(_sentence(one, table))


def _sentence(one: Prediction, table: pd.DataFrame) -> str:
    """The chosen placement in words."""
    head = f"{str(one.placement).capitalize()} ({one.placement.pattern}): {duration(one.seconds)} a turn"
    if not one.allowed:
        return f"{head}; ruled out, because {'; '.join(one.refusals)}."
    crossed = (
        f"{', '.join(sorted(one.classes)) or 'no classified data'} in {one.bytes:,.0f} bytes" if one.crossings else ""
    )
    across = f", {one.round_trips:.3g} round trips over links with {crossed}" if crossed else ", nothing crosses a link"
    which = "Drawn are the fastest, and the chosen one; in the table are those that none beats."
    return f"{head}{across}. {int(table['allowed'].sum())} of 27 may be. {which}"


def _latency(pair: tuple[Kind, Kind], routes: Routes) -> Any:  # noqa: ANN401 - a widget
    given = routes.between(*pair).latency_ms
    options = sorted({*LATENCIES, round(given)})
    return slider(f"{pair[0]} - {pair[1]}, ms", options, given)


def _rule(work: Work, name: str) -> tuple[Kind, ...]:
    """Where data of a class may be, in the order of `RULES`."""
    return tuple(where for where in PLACES if where in work.allowed(name))


def _times(flow: Flow, exchanges: int) -> Flow:
    """The flow with another number of exchanges."""
    if not flow.exchanges:
        return replace(flow, exchanges=exchanges)
    share = exchanges / flow.exchanges
    names = ("connections", "sent", "received", "seconds")
    return replace(flow, exchanges=exchanges, **{name: getattr(flow, name) * share for name in names})
