"""What can go wrong in this room, one class per cause; the message says what happened, why, and what mends it."""


class PlacementError(Exception):
    """Base of this room's errors."""


class UnknownPlace(PlacementError, ValueError):
    """No part runs at a place of that name."""


class UnknownPart(PlacementError, ValueError):
    """A price or a placement names a part that there is not."""


class MissingLink(PlacementError):
    """Two parts are at places that no link joins."""


class AmbiguousPlace(PlacementError):
    """A topology has several sites of a kind, or none, where one is meant."""


class UnknownClass(PlacementError, ValueError):
    """A class of data crosses and no rule says where it may be, or a rule is about one that nothing carries."""


class OutOfRange(PlacementError, ValueError):
    """A number that cannot be: less than nothing, or not a number."""


class NoTurn(PlacementError):
    """The spans or the ledger do not show a turn of an agent."""


class TooFewRuns(PlacementError):
    """What was measured does not tell one unknown from another."""
