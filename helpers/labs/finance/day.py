"""One invented day of a bank with customers in three countries; its anomalies are planted.

    write_day(Path("artefacts/finance.sqlite"))

All of it is fiction. The checks write days of their own, from other seeds.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from helpers.fiction.chance import Chance
from helpers.fiction.database import Design, insert, write

SCHEMA = Path(__file__).parents[2] / "fiction" / "bank.sql"
DAY, HOME = "2026-03-02", "AT"
MIDNIGHT = datetime.fromisoformat(DAY)
HOMES = [HOME] * 22 + ["DE"] * 5 + ["IT"] * 3
HABITS = [("card present", "Frischhof", "groceries"), ("card online", "Buchwald", "books"),
          ("transfer", "Hausverwaltung Lind", "rent"), ("direct debit", "Stadtwerke", "power")]  # fmt: skip
GIVEN, FAMILY = ("Ada", "Bruno", "Carla", "Emil", "Frida", "Hugo"), ("Adlerstein", "Birkmoor", "Dornfeld", "Erlbach")


@dataclass(frozen=True)
class Account:
    """A row of the table of accounts. `country` is the jurisdiction."""

    account_id: str
    country: str = HOME
    holder: str = "Ada Adlerstein"
    kind: str = "current"
    opened: str = "2020-05-04"

    def row(self) -> tuple[str, ...]:
        """In the order of the schema."""
        return self.account_id, self.holder, self.kind, self.opened, self.country


@dataclass(frozen=True)
class Transaction:
    """A row of the table of transactions."""

    transaction_id: str
    account_id: str
    booked_at: str  # "2026-03-02 14:05:00", local time
    amount: float  # EUR, below 0: out
    channel: str = "card online"
    counterparty: str = "Buchwald"
    country: str = HOME
    description: str = "books"

    def row(self) -> tuple[str | float, ...]:
        """In the order of the schema."""
        number, account, at, amount, channel, counterparty, country, text = astuple(self)
        return number, account, at, amount, "EUR", counterparty, country, channel, text


Draft = tuple[str, datetime, float, str, str, str]  # account, time, amount, channel, counterparty, description


def write_day(path: Path, seed: int = 20260302) -> Path:
    """Write a day of records at `path` unless it is there already, and return the path.

    Raises:
        PathTaken: something else is there.
    """
    return write_records(path, *records(seed), seed=seed)


def write_records(path: Path, accounts: Sequence[Account], transactions: Sequence[Transaction], seed: int = 0) -> Path:
    """Write these records at `path`.

    Raises:
        PathTaken: something else is there.
    """

    def fill(connection: sqlite3.Connection) -> None:
        insert(connection, "accounts", [account.row() for account in accounts])
        insert(connection, "transactions", [one.row() for one in transactions])

    about = {"fiction": "Invented data. No real persons, accounts or businesses.", "day": DAY}
    return write(path, Design(SCHEMA, 0x4C41424B, 1 + seed % 2**20, about), fill)


def records(seed: int) -> tuple[list[Account], list[Transaction]]:
    """Accounts, and transactions in the order of their time; the same for the same seed."""
    chance = Chance(seed)
    numbers = chance.shuffled([f"AC-{20001 + place}" for place in range(len(HOMES))])
    holders = chance.shuffled([f"{given} {family}" for given in GIVEN for family in FAMILY] * 2)
    accounts = [Account(number, home, holder) for number, home, holder in zip(numbers, HOMES, holders, strict=False)]
    drafts = [draft for account in numbers for draft in _habits(chance, account)]
    at_home, abroad = chance.shuffled(numbers[:22]), chance.shuffled(numbers[22:])
    drafts += (
        _burst(chance, at_home[0], 5, 600) + _burst(chance, at_home[1], 7, 400) + _burst(chance, abroad[0], 6, 300)
    )
    drafts += _burst(chance, at_home[2], 5, 601)  # one second too long
    drafts += _deposits(chance, at_home[3], 3) + _deposits(chance, at_home[4], 4) + _deposits(chance, abroad[1], 3)
    drafts += [*_deposits(chance, at_home[5], 2), (at_home[5], _at(15, 0), 10000.0, "cash", "Counter", "cash deposit")]
    drafts.sort()
    drafts.sort(key=lambda draft: draft[1])
    return accounts, [_numbered(place, draft) for place, draft in enumerate(drafts)]


def iban(chance: Chance) -> str:
    """An Austrian IBAN with the right check digits, of a bank code that is not given out."""
    account = "99999" + "".join(str(chance.whole(0, 9)) for _ in range(11))
    check = 98 - int(account + "102900") % 97  # A is 10, T is 29
    return f"AT{check:02}{account}"


def _habits(chance: Chance, account: str) -> list[Draft]:
    """None to four transactions, also of the days before and after, up to their first and last second."""
    drafts = []
    for _ in range(chance.whole(0, 4)):
        channel, counterparty, text = chance.pick(HABITS)
        at = _at(chance.whole(-4, 28), chance.whole(0, 59), chance.whole(0, 59))
        text = f"{text}, paid to {iban(chance)}" if channel == "transfer" else text
        drafts.append((account, at, -chance.number(5, 180), channel, counterparty, text))
    if chance.likely(0.2):
        at = chance.pick([_at(0, 0), _at(23, 59, 59), _at(24, 0), _at(-1, 59, 59)])
        drafts.append((account, at, -chance.number(5, 180), "card present", "Frischhof", "groceries"))
    return drafts


def _burst(chance: Chance, account: str, count: int, seconds: int) -> list[Draft]:
    """Online payments from first to last in so many seconds, across the border of ten minutes by the clock."""
    first = _at(chance.whole(10, 20), 6)
    times = [first + timedelta(seconds=seconds * step // (count - 1)) for step in range(count)]
    return [(account, at, -chance.number(45, 99), "card online", "Kartenwelt", "gift card") for at in times]


def _deposits(chance: Chance, account: str, count: int) -> list[Draft]:
    times = [_at(9 + step, chance.whole(0, 59)) for step in range(count)]
    return [(account, at, chance.number(8000, 9990), "cash", "Counter", "cash deposit") for at in times]


def _at(hour: int, minute: int, second: int = 0) -> datetime:
    return MIDNIGHT + timedelta(hours=hour, minutes=minute, seconds=second)


def _numbered(place: int, draft: Draft) -> Transaction:
    account, at, amount, channel, counterparty, text = draft
    return Transaction(f"TX-{100001 + place}", account, at.isoformat(" "), amount, channel, counterparty, HOME, text)
