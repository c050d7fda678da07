"""A topology with one site of each kind, and the work of a turn, for tests."""

from helpers.placement import Flow, Work
from helpers.sites.topology import Topology

SITES = {"campus": {"kind": "outpost"}, "metro": {"kind": "local-zone"}, "oregon": {"kind": "region"}}
LATENCY = {("campus", "metro"): 20, ("campus", "oregon"): 45, ("metro", "oregon"): 30}
LINKS = [{"between": list(pair), "latency_ms": latency} for pair, latency in LATENCY.items()]


def topology(links=LINKS, sites=SITES):
    """Three places, each linked with the others."""
    return Topology.model_validate({"name": "three", "sites": sites, "links": links})


def work(**changes):
    """Three answers of the model, two of tools; patients' data may be at the Outpost only."""
    given = {
        "question": Flow(1, sent=200, received=400, classes={"patient"}),
        "model": Flow(3, connections=3, sent=6_000, received=1_500, seconds=0.9, classes={"patient"}),
        "tools": Flow(2, sent=400, received=3_000, seconds=0.1, classes={"patient"}),
        "seconds": 0.05,
        "data": {"patient"},
        "rules": {"patient": ["outpost"]},
    }
    return Work(**given | changes)


def free(**changes):
    """The same, of data that may be anywhere."""
    return work(**{"rules": {"patient": ["outpost", "local-zone", "region"]}} | changes)
