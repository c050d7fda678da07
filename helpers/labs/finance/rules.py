"""The bank's rules, as the judge applies them to rows of transactions."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
Found = list[dict[str, Any]]

BURST, WITHIN = 5, 600  # online payments, seconds from the first to the last
DEPOSITS, FROM, LIMIT = 3, 8000, 10000  # EUR; from the limit on, a deposit is reported anyway
GENESIS = "0" * 64


def bursts(rows: Iterable[Row]) -> Found:
    """Accounts with five or more online card payments within ten minutes, and all payments of such stretches."""
    found = []
    for account, own in _by_account(rows, lambda row: row["channel"] == "card online"):
        ids = set[str]()
        for row in own:
            near = [one for one in own if 0 <= (_time(one) - _time(row)).total_seconds() <= WITHIN]
            ids |= {str(one["transaction_id"]) for one in near} if len(near) >= BURST else set()
        if ids:
            found.append({"account_id": account, "transaction_ids": sorted(ids)})
    return found


def structuring(rows: Iterable[Row]) -> Found:
    """Accounts with three or more cash deposits just below the limit."""
    own = _by_account(rows, lambda row: row["channel"] == "cash" and FROM <= row["amount"] < LIMIT)
    return [
        {"account_id": account, "transaction_ids": sorted(str(row["transaction_id"]) for row in some)}
        for account, some in own
        if len(some) >= DEPOSITS
    ]


def digest(number: int, event: Mapping[str, Any], before: str) -> str:
    """The hash of an entry of the audit trail."""
    entry = {"number": number, "event": event, "before": before}
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def trail(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """An audit trail of these events."""
    log, before = list[dict[str, Any]](), GENESIS
    for number, event in enumerate(events, 1):
        before_it, before = before, digest(number, event, before)
        log.append({"number": number, "event": event, "before": before_it, "hash": before})
    return log


def _by_account(rows: Iterable[Row], wanted: Any) -> list[tuple[str, list[Row]]]:  # noqa: ANN401 - a predicate
    own = defaultdict[str, list[Row]](list)
    for row in rows:
        if wanted(row):
            own[row["account_id"]].append(row)
    return sorted(own.items())


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["booked_at"])
