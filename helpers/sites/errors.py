"""The errors of this room: one class per cause, and the message names the remedy."""


class SitesError(RuntimeError):
    """The room's errors."""


class TopologyInvalid(SitesError):
    """The file describes no topology."""


class UnknownSite(SitesError):
    """A site, link or classification has that name in no topology or ledger."""


class NotLinked(SitesError):
    """No link joins the two sites."""


class ProgramFailed(SitesError):
    """A program of a site did not start, or has ended."""


class LinksFailed(SitesError):
    """The process that is the links has ended, or refuses what it was asked."""


class LedgerGone(SitesError):
    """The ledger was deleted with its network."""


class TokenRefused(SitesError):
    """A bearer token is missing, expired, made by someone else or for someone else."""


class KeyDamaged(SitesError):
    """The key that tokens are signed with cannot be used."""


class LeftTheSite(AssertionError):
    """Classified values crossed from a site, or something did that the ledger could not read."""
