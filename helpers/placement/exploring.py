"""All 27 placements as a table, and which of them nobody beats.

table = explore(topology, work, models=models, prices=prices)
front(table)      # none is faster, cheaper and more capable at once
third(table)      # of these, what is neither of the article's patterns
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.placement.placement import ANOTHER, every
from helpers.placement.prediction import Models, Prediction, Prices, predict
from helpers.placement.routes import Routes
from helpers.placement.work import Work
from helpers.sites.topology import Topology

COLUMNS = [
    "agent", "model", "tools", "pattern", "seconds", "round trips", "bytes", "crosses", "runs", "rank", "instance",
    "verified", "USD/h", "allowed", "why not",
]  # fmt: skip
BETTER = {"seconds": 1, "USD/h": 1, "rank": -1}  # the less the better, or the more


def explore(
    links: Topology | Routes, work: Work, *, models: Models | None = None, prices: Prices | None = None
) -> pd.DataFrame:
    """A row for each placement: those that are allowed first, the fastest first.

    `seconds` and `round trips` are of a turn, in which `bytes` and the classes of data in `crosses` cross links; `runs`
    is the model that fits, `rank` how capable it is among the candidates, `why not` what stands against the placement.

    Raises:
        MissingLink: two places are not linked; `Routes.of(topology).through("region")` may mend that.
        And what `predict` raises.
    """
    return rows(predictions(links, work, models=models, prices=prices))


def predictions(
    links: Topology | Routes, work: Work, *, models: Models | None = None, prices: Prices | None = None
) -> list[Prediction]:
    """What each placement comes to, in the order of `explore`, which raises the same."""
    routes = Routes.of(links)
    found = [predict(placement, routes, work, models=models, prices=prices) for placement in every()]
    return sorted(found, key=lambda one: (not one.allowed, one.seconds, one.placement))


def rows(found: Iterable[Prediction]) -> pd.DataFrame:
    """Predictions as `explore` shows them."""
    return pd.DataFrame([_row(one) for one in found], columns=COLUMNS)


def front(table: pd.DataFrame) -> pd.DataFrame:
    """The allowed rows that no other allowed row beats: no worse in time, cost and capability, better in one."""
    allowed = table[table["allowed"]]
    values = np.column_stack([allowed[name].fillna(np.inf).to_numpy(float) * sign for name, sign in BETTER.items()])
    values = np.round(values, 6)
    beaten = [bool(((values <= row).all(axis=1) & (values < row).any(axis=1)).any()) for row in values]
    return allowed[~np.array(beaten, dtype=bool)].reset_index(drop=True)


def third(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the front that are neither of the article's patterns: where a third is better."""
    best = front(table)
    return best[best["pattern"] == ANOTHER].reset_index(drop=True)


def _row(one: Prediction) -> tuple[object, ...]:
    choice = one.choice
    return (
        one.placement.agent,
        one.placement.model,
        one.placement.tools,
        one.placement.pattern,
        round(one.seconds, 4),
        one.round_trips,
        round(one.bytes),
        ", ".join(sorted(one.classes)),
        choice.model if choice else "",
        choice.rank if choice else 0,
        choice.instance if choice else "",
        choice.verified if choice else True,
        float("nan") if one.usd_per_hour is None else round(one.usd_per_hour, 4),
        one.allowed,
        "; ".join(one.refusals),
    )
