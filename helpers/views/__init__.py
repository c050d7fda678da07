"""What a person looks at: the map of a topology, and the messages of a session.

Holds `topology`, `sequence`. Pictures have a ground of their own, so that they can be read in the dark theme too.
May import: sites, settings.
"""

from helpers.views import sequence
from helpers.views.topology import topology

__all__ = ["sequence", "topology"]
