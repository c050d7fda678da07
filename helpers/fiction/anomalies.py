"""The anomalies planted among the bank's transactions, and what each kind looks like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpers.fiction.chance import Chance


@dataclass(frozen=True)
class Anomaly:
    """What was planted: on which account, of what kind, in which transactions."""

    account_id: str
    kind: str
    transaction_ids: list[str]


@dataclass(frozen=True)
class Entry:
    """A transaction before it has its number."""

    account_id: str
    booked_at: datetime
    amount: float
    counterparty: str
    country: str
    channel: str
    description: str


Planter = Callable[[Chance, str, datetime, str], list[Entry]]  # account, midnight of the day, a stranger


def _amount(chance: Chance, account: str, day: datetime, stranger: str) -> list[Entry]:
    at = day + timedelta(hours=14, minutes=chance.whole(0, 59))
    return [Entry(account, at, -chance.number(14000, 24000), stranger, "MT", "transfer", "investment")]


def _burst(chance: Chance, account: str, day: datetime, stranger: str) -> list[Entry]:
    at = day + timedelta(hours=16, minutes=chance.whole(0, 40))
    times = [at + timedelta(seconds=50 * step) for step in range(8)]
    return [Entry(account, t, -chance.number(45, 99), stranger, "EE", "card online", "gift card") for t in times]


def _structuring(chance: Chance, account: str, day: datetime, _: str) -> list[Entry]:
    times = [day + timedelta(days=step, hours=11, minutes=chance.whole(0, 59)) for step in range(4)]
    return [Entry(account, t, chance.number(9200, 9950), "Counter", "AT", "cash", "cash deposit") for t in times]


def _impossible_travel(chance: Chance, account: str, day: datetime, stranger: str) -> list[Entry]:
    at = day + timedelta(hours=12, minutes=chance.whole(0, 30))
    home = Entry(account, at, -chance.number(8, 60), "Frischhof", "AT", "card present", "groceries")
    later = at + timedelta(minutes=chance.whole(25, 50))
    return [home, Entry(account, later, -chance.number(200, 480), stranger, "SG", "card present", "electronics")]


def _dormant(chance: Chance, account: str, day: datetime, stranger: str) -> list[Entry]:
    at = day + timedelta(hours=10, minutes=chance.whole(0, 59))
    return [Entry(account, at, -chance.number(2600, 4800), stranger, "CY", "transfer", "closing balance")]


def _night_new_counterparty(chance: Chance, account: str, day: datetime, stranger: str) -> list[Entry]:
    at = day + timedelta(hours=3, minutes=chance.whole(0, 55))
    return [Entry(account, at, -chance.number(700, 1600), stranger, "LT", "transfer", "urgent payment")]


PLANTERS: dict[str, Planter] = {
    "amount": _amount,
    "burst": _burst,
    "structuring": _structuring,
    "impossible_travel": _impossible_travel,
    "dormant": _dormant,
    "night_new_counterparty": _night_new_counterparty,
}


def plant(chance: Chance, kind: str, account: str, day: datetime, strangers: Sequence[str]) -> list[Entry]:
    """The transactions of one anomaly; `day` is a midnight."""
    return PLANTERS[kind](chance, account, day, chance.pick(strangers))
