"""Where agent, model, and tools with their data run: 27 placements, what each costs in time, data and money.

`predict` is one placement, `explore` all; `measured` reads the work of a turn from spans and the ledger, `trial` runs
placements for real, `calibration` holds one against the other, `record` writes the decision down.
May import: tracing, sizing, sites, settings.
"""

from helpers.placement.exploring import explore, front, third
from helpers.placement.placement import Placement, every
from helpers.placement.prediction import Prediction, predict
from helpers.placement.record import record
from helpers.placement.routes import Routes
from helpers.placement.work import Flow, Work

__all__ = [
    "Flow",
    "Placement",
    "Prediction",
    "Routes",
    "Work",
    "every",
    "explore",
    "front",
    "predict",
    "record",
    "third",
]
