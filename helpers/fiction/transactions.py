"""The accounts and transactions of a fictional bank: ninety days of habits, and a few anomalies among them."""

import sqlite3
import tomllib
from dataclasses import astuple, dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from helpers.fiction.anomalies import Anomaly, Entry, plant
from helpers.fiction.chance import Chance
from helpers.fiction.database import Design, Row, insert, write
from helpers.fiction.habits import FIRST_DAY, habits, people

HERE = Path(__file__).parent
DESIGN = Design(
    schema=HERE / "bank.sql",
    mark=0x46424E4B,
    version=1,
    about={
        "fiction": "Invented data. No real persons, accounts or businesses; any likeness is chance.",
        "bank": "Falkenried Savings Bank",
        "period": "2025-12-02 to 2026-03-01",
    },
)
KINDS = ["current"] * 40 + ["savings"] * 8 + ["business"] * 7 + ["student"] * 5
PLAN = ["amount"] * 3 + ["burst"] * 2 + ["structuring"] * 2 + ["impossible_travel"] * 3 + ["dormant"] * 2
PLAN += ["night_new_counterparty"] * 2
Target = tuple[str, str, datetime]  # kind, account, midnight of the day


@dataclass(frozen=True)
class Account:
    """A row of the table of accounts."""

    account_id: str
    holder: str
    kind: str
    opened: str
    country: str


@dataclass(frozen=True)
class Ledger:
    """All there is to write, and the ground truth, which is not written."""

    accounts: list[Account]
    entries: list[tuple[str, Entry]]  # transaction_id and transaction
    anomalies: list[Anomaly]


def bank_records(path: Path) -> Path:
    """Write the bank's database at `path` unless it is there already, and return the path.

    bank_records(Path("artefacts/bank.sqlite"))
    """
    return write(path, DESIGN, _fill)


def planted_anomalies() -> list[Anomaly]:
    """The ground truth, which is not in the database."""
    return list(_ledger().anomalies)


def _fill(connection: sqlite3.Connection) -> None:
    insert(connection, "accounts", [astuple(account) for account in _ledger().accounts])
    insert(connection, "transactions", [_row(number, entry) for number, entry in _ledger().entries])


def _row(number: str, e: Entry) -> Row:
    at = f"{e.booked_at:%Y-%m-%d %H:%M:%S}"
    return (number, e.account_id, at, e.amount, "EUR", e.counterparty, e.country, e.channel, e.description)


@cache
def _ledger() -> Ledger:
    chance = Chance(20260302)
    accounts = _accounts(chance)
    targets = _targets(chance, accounts)
    asleep = [account for kind, account, _ in targets if kind == "dormant"]
    usual = [e for a in accounts for e in habits(chance, a.account_id, a.kind, a.holder, a.account_id in asleep)]
    usual = [entry for entry in usual if not _in_the_way(entry, targets)]
    planted = [
        (kind, account, plant(chance, kind, account, day, people("strangers"))) for kind, account, day in targets
    ]
    return _numbered(accounts, usual, planted)


def _numbered(accounts: list[Account], usual: list[Entry], planted: list[tuple[str, str, list[Entry]]]) -> Ledger:
    everything = usual + [entry for _, _, entries in planted for entry in entries]
    everything.sort(key=lambda e: (e.booked_at, e.account_id, e.counterparty, e.amount))
    entries = [(f"TX-{100001 + place}", entry) for place, entry in enumerate(everything)]
    number = {id(entry): name for name, entry in entries}
    truth = [Anomaly(account, kind, [number[id(entry)] for entry in own]) for kind, account, own in planted]
    return Ledger(accounts, entries, truth)


def _accounts(chance: Chance) -> list[Account]:
    names = tomllib.loads((HERE / "names.toml").read_text("utf-8"))
    surnames = chance.shuffled([start + end for start in names["surname_starts"] for end in names["surname_ends"]])
    businesses, accounts = chance.shuffled(names["businesses"]), list[Account]()
    for place, kind in enumerate(chance.shuffled(KINDS)):
        given = chance.pick(names["given_f"] + names["given_m"])
        holder = businesses.pop() if kind == "business" else f"{given} {surnames.pop()}"
        opened = date(2024, 12, 1) - timedelta(days=chance.whole(0, 900 if kind == "student" else 4000))
        accounts.append(Account(f"AC-{20001 + place}", holder, kind, opened.isoformat(), "AT"))
    return accounts


def _targets(chance: Chance, accounts: list[Account]) -> list[Target]:
    """Every anomaly on an account of its own."""
    current = chance.shuffled([a.account_id for a in accounts if a.kind == "current"])
    business = chance.shuffled([a.account_id for a in accounts if a.kind == "business"])
    targets = list[Target]()
    for kind in PLAN:
        day = FIRST_DAY + timedelta(days=chance.whole(78, 86) if kind == "dormant" else chance.whole(30, 84))
        account = (business if kind == "structuring" else current).pop()
        targets.append((kind, account, datetime.combine(day, time())))
    return targets


def _in_the_way(entry: Entry, targets: list[Target]) -> bool:
    """Whether a habit would blur an anomaly: a card shown elsewhere on the day of the impossible journey."""
    day = (entry.account_id, entry.booked_at.date())
    journeys = [(account, at.date()) for kind, account, at in targets if kind == "impossible_travel"]
    return entry.channel == "card present" and day in journeys
