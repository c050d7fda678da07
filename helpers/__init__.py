"""What the notebooks import: plumbing only, one folder a room.

Imports point downwards: doctor, views, inference, sites, settings.
"""
