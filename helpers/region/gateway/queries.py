"""The query that an HTTP target gets: what of the caller's it is allowed, and what it was given with the target."""

from urllib.parse import quote, unquote_plus

from helpers.region.gateway.resources import Target


def passed_on(query: str, target: Target) -> str:
    """The caller's parameters as they are quoted, without those that are not allowed, and the target's own behind them.

    Without `allowedQueryParameters` all are passed on.
    """
    allowed = (target.metadata_configuration or {}).get("allowedQueryParameters")
    own = target.configuration.get("staticQueryParameters") or {}
    wins = target.configuration.get("staticQueryParameterConflictResolution") == "STATIC_OVERRIDE"
    parts = [part for part in query.split("&") if allowed is None or _name(part) in allowed] if query else []
    if wins:
        parts = [part for part in parts if _name(part) not in own]
    taken = {_name(part) for part in parts}
    added = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in own.items() if name not in taken]
    return "&".join(parts + added)


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
