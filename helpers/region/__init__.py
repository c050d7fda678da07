"""A Region on a laptop: one address for boto3, with moto's control planes and data planes of our own.

`region.start()` makes boto3 talk to it, or to AWS, `region.url_from(site)` over a link; `region.services()` tells what
answers there. Requests are checked by botocore's own service models; what moto lacks is added to its services.
May import: apps, guardrails, sites, inference, settings.
"""

from helpers.region.cloud import NoRegion, start, url_from
from helpers.region.services import services

__all__ = ["NoRegion", "services", "start", "url_from"]
