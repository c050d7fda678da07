"""What regular customers do: daily shopping, a holiday, and payments that come back every month."""

import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from helpers.fiction.anomalies import Entry
from helpers.fiction.chance import Chance

TABLE = Path(__file__).with_name("shops.toml")
FIRST_DAY, DAYS, LAST_STIR = date(2025, 12, 2), 90, 12
MONTHLY = {
    "current": [("employers", "transfer"), ("landlords", "standing order"), ("debits", "direct debit")],
    "student": [("allowance", "transfer"), ("landlords", "standing order"), ("debits", "direct debit")],
    "business": [("takings", "transfer"), ("landlords", "standing order"), ("debits", "direct debit")],
    "savings": [("saving", "standing order")],
}
INCOMING = ["employers", "allowance", "takings", "saving"]
Shop = tuple[str, str, float, float]  # name, description, lowest, highest amount


@cache
def shops(kind: str) -> list[Shop]:
    """The shops and payers of a kind."""
    return [(name, what, low, high) for name, what, low, high in tomllib.loads(TABLE.read_text("utf-8"))[kind]]


@cache
def people(kind: str) -> list[str]:
    """The friends or the strangers."""
    return list(tomllib.loads(TABLE.read_text("utf-8"))[kind])


def habits(chance: Chance, account: str, kind: str, holder: str, falls_asleep: bool = False) -> list[Entry]:
    """The regular transactions of an account; one that falls asleep has none after the first days."""
    entries = _monthly(chance, account, kind, holder)
    leaves = chance.whole(12, 80) if kind == "current" and chance.likely(0.25) else DAYS
    for day in range(DAYS if kind != "savings" else 0):
        entries += _daily(chance, account, kind, FIRST_DAY + timedelta(days=day), leaves <= day < leaves + 5)
    end = FIRST_DAY + timedelta(days=LAST_STIR if falls_asleep else DAYS)
    return [entry for entry in entries if entry.booked_at.date() < end]


def _daily(chance: Chance, account: str, kind: str, day: date, abroad: bool) -> list[Entry]:
    plans = [(0.28, "abroad" if abroad else "groceries", "card present")]
    plans += [(0.24, "abroad" if abroad else "errands", "card present"), (0.11, "online", "card online")]
    if kind == "business":
        plans = [(0.35, "suppliers", "transfer")]
    chosen = [(shop_kind, channel) for likely, shop_kind, channel in plans if chance.likely(likely)]
    return [_spend(chance, account, day, shop_kind, channel) for shop_kind, channel in chosen]


def _spend(chance: Chance, account: str, day: date, shop_kind: str, channel: str) -> Entry:
    name, what, low, high = chance.pick(shops(shop_kind))
    at = chance.moment(day, 8, 20) + timedelta(seconds=chance.whole(0, 59))
    return Entry(account, at, -chance.number(low, high), name, "IT" if shop_kind == "abroad" else "AT", channel, what)


def _monthly(chance: Chance, account: str, kind: str, holder: str) -> list[Entry]:
    return [entry for payer, channel in MONTHLY[kind] for entry in _series(chance, account, payer, channel, holder)]


def _series(chance: Chance, account: str, payer: str, channel: str, holder: str) -> list[Entry]:
    """The same payment in each of the three months."""
    own: dict[str, Shop] = {
        "saving": (holder, "monthly saving", 50, 400),
        "takings": ("Card Takings", "takings of the month", 5000, 8900),
        "allowance": (chance.pick(people("friends")), "allowance", 700, 1100),
    }
    name, what, low, high = own.get(payer) or chance.pick(shops(payer))
    amount, first = chance.number(low, high), chance.whole(0, 25)
    amount = amount if payer in INCOMING else -amount
    days = [FIRST_DAY + timedelta(days=first + 30 * month) for month in range(3)]
    return [Entry(account, chance.moment(day, 8, 18), amount, name, "AT", channel, what) for day in days]
