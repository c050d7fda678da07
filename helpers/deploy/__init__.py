"""CloudFormation stacks in layers, on AWS or in the laptop's Region: planned with prices, made, told, taken away.

`Deployment` (in `deployment`) plans, makes (`up`), tells (`status`) and deletes (`down`) one run; `layers` reads which
templates it has, `prices` what they cost an hour, `leftovers` finds what is still there; `errors` and `causes` say what
happened and what to do next.
May import: region, settings.
"""

from helpers.deploy.deployment import Deployment
from helpers.deploy.errors import DeployError
from helpers.deploy.layers import Layers, read_layers
from helpers.deploy.leftovers import LeftOver
from helpers.deploy.plan import Plan

__all__ = ["DeployError", "Deployment", "Layers", "LeftOver", "Plan", "read_layers"]
