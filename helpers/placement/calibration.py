"""A prediction held against what was measured, and a work fitted to it.

table = compare(trial.measure(placements), topology, work)
assert agrees(table, 0.2)
work = calibrate(some_of_them, topology, work)      # where spans do not show all round trips
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from helpers.placement.errors import TooFewRuns
from helpers.placement.placement import Placement
from helpers.placement.prediction import ends, predict
from helpers.placement.routes import Routes, seconds
from helpers.placement.work import ASKS, Flow, Work, number
from helpers.sites.topology import Topology

Measured = Mapping[Placement, float]  # seconds of a turn
COLUMNS = ["agent", "model", "tools", "measured", "predicted", "ratio"]
WITHIN = 0.2


def compare(measured: Measured, links: Topology | Routes, work: Work) -> pd.DataFrame:
    """A row for each placement that was run: seconds measured and predicted, and `ratio`, predicted to measured.

    Raises:
        TooFewRuns: nothing was measured.
        OutOfRange: what was measured is no length of time.
    """
    if not measured:
        raise TooFewRuns("Nothing was measured. Run some placements: Trial(network).measure([...]).")
    rows = []
    for one, took in measured.items():
        predicted = predict(one, links, work).seconds
        ratio = predicted / took if number(took, f"what was measured of {one}") else float("inf")
        rows.append((one.agent, one.model, one.tools, round(took, 4), round(predicted, 4), round(ratio, 3)))
    return pd.DataFrame(rows, columns=COLUMNS)


def agrees(table: pd.DataFrame, within: float = WITHIN) -> bool:
    """Whether every prediction is within so large a share of what was measured."""
    return bool(((table["ratio"] - 1).abs() <= within).all())


def calibrate(measured: Measured, links: Topology | Routes, work: Work) -> Work:
    """The work whose round trips and own time fit best what was measured; bytes and service times stay as they are.

    Four unknowns are fitted: the agent's own time, and the round trips to it, to its model and to its tools. Those that
    are no exchanges become connections.

    Raises:
        TooFewRuns: the placements do not tell the four apart.
    """
    routes = Routes.of(links)
    rows = np.array([_round_trip_seconds(one, routes, work) for one in measured]).reshape(-1, 1 + len(ASKS))
    rank = int(np.linalg.matrix_rank(rows)) if len(rows) else 0
    if rank < rows.shape[1]:
        raise TooFewRuns(
            f"{len(rows)} placements tell {rank} of four unknowns apart (the agent's time, round trips to agent, "
            "model and tools). Run more that differ: one with all parts at the caller's place, and for each flow one "
            "in which it crosses a slow link and the others do not."
        )
    target = np.array([took - _known(one, routes, work) for one, took in measured.items()])
    fitted, _ = nnls(rows, np.maximum(target, 0))
    own, *trips = (float(value) for value in fitted)
    flows = {ask: _fitted(getattr(work, ask), count) for ask, count in zip(ASKS, trips, strict=True)}
    return replace(work, seconds=own, question=flows["question"], model=flows["model"], tools=flows["tools"])


def _round_trip_seconds(one: Placement, routes: Routes, work: Work) -> list[float]:
    """What each unknown is multiplied by: 1, and a round trip of each flow."""
    return [1.0, *(seconds(routes.between(*both), 1) for both in ends(one, work).values())]


def _known(one: Placement, routes: Routes, work: Work) -> float:
    """Seconds that are not fitted: service times, and bytes on their way."""
    sizes = {ask: getattr(work, ask).size for ask in ASKS}
    sent = sum(seconds(routes.between(*both), 0, sizes[ask]) for ask, both in ends(one, work).items())
    return sent + work.question.seconds + work.model_seconds(one.model) + work.tools.seconds


def _fitted(flow: Flow, round_trips: float) -> Flow:
    exchanges = min(flow.exchanges, round_trips)
    return replace(flow, exchanges=exchanges, connections=round_trips - exchanges)
