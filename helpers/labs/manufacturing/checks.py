"""The checks of the factories' lab, by the names of its steps."""

from helpers.labs.manufacturing.belt_checks import bounded, forecast, grade
from helpers.labs.manufacturing.region_checks import correlate, gather
from helpers.labs.manufacturing.server_checks import server, stop
from helpers.labs.manufacturing.trace_checks import forward, proof

__all__ = ["bounded", "correlate", "forecast", "forward", "gather", "grade", "proof", "server", "stop"]
