"""A Region on a laptop: one address for boto3, with moto's control planes and data planes of our own.

`region.start()` makes boto3 talk to it, or to AWS; `region.services()` tells what answers there. Requests are
checked by botocore's own service models, and what moto lacks is added to moto's services as actions.
May import: apps, guardrails, sites, inference, settings.
"""

from helpers.region.cloud import NoRegion, start
from helpers.region.services import services

__all__ = ["NoRegion", "services", "start"]
