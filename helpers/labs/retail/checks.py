"""The checks of the stores' lab, by the names of its steps."""

from helpers.labs.retail.region_checks import agent, forecast, manager, proof, survey, target
from helpers.labs.retail.store_checks import send, shop, weekly

__all__ = ["agent", "forecast", "manager", "proof", "send", "shop", "survey", "target", "weekly"]
