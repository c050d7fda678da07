"""Pages of lists. A cursor names the target that was listed last, so that others may come and go between two pages."""

import base64

from helpers.region.gateway.exchange import Exchange
from helpers.region.gateway.messages import INVALID, Refused
from helpers.region.gateway.resources import Target


def cursor(last: Target) -> str:
    """What stands for the page after a target; the time is for when that target is gone."""
    return base64.urlsafe_b64encode(f"{last.gateway_id} {last.target_id} {_made(last)}".encode()).decode()


def remaining(exchange: Exchange) -> list[Target]:
    """The targets from the cursor of a request on; all if it has none.

    Raises:
        Refused: the cursor is none of this gateway's.
    """
    given = exchange.params.get("cursor")
    if given is None:
        return exchange.targets
    try:
        gateway, last, made = base64.urlsafe_b64decode(given).decode().split(" ")
        after = float(made)
    except (ValueError, TypeError):
        raise _invalid() from None
    if gateway != exchange.gateway.gateway_id:
        raise _invalid()
    ids = [target.target_id for target in exchange.targets]
    if last in ids:
        return exchange.targets[ids.index(last) + 1 :]
    return [target for target in exchange.targets if _made(target) > after]


def refuse_cursor(exchange: Exchange) -> None:
    """For lists that have one page.

    Raises:
        Refused: the request asks for another.
    """
    if exchange.params.get("cursor") is not None:
        raise _invalid()


def _made(target: Target) -> float:
    moment: float = target.created_at.timestamp()
    return moment


def _invalid() -> Refused:
    return Refused(INVALID, "Invalid cursor. Begin the list anew, without one.")
