"""What a person looks at: the map of a topology, the messages of a session, and where a trace spent its time.

Holds `topology`, `sequence`, `trace` and `map`, and `trace_table` and `map_table` for the last two as text; a trace
is easier to read without `PLUMBING`.
Pictures have a ground of their own, so that they can be read in the dark theme too.
`memory` is a model's, part by part, and `Explorer` chooses one by widgets and says where it fits; `placements` draws
what turns take where, and `PlacementExplorer` chooses a placement. `vpc` draws the network that templates describe.
May import: deploy, placement, tracing, sizing, sites, settings.
"""

from helpers.views import sequence
from helpers.views.callers import map, map_table
from helpers.views.explorer import Explorer
from helpers.views.memory import memory
from helpers.views.placement_explorer import PlacementExplorer
from helpers.views.placements import placements
from helpers.views.topology import topology
from helpers.views.vpc import vpc
from helpers.views.waterfall import PLUMBING, trace, trace_table

__all__ = [
    "PLUMBING", "Explorer", "PlacementExplorer", "map", "map_table", "memory", "placements", "sequence", "topology",
    "trace", "trace_table", "vpc",
]  # fmt: skip
