"""A Region on a laptop: one address for boto3, with moto's control planes and data planes of our own.

Requests are checked by botocore's own service models, and what moto lacks is added to moto's services as actions.
May import: apps, sites, inference, settings.
"""
