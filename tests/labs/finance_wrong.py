"""Answers to the steps of the bank's lab as learners write them, each with what the verdict must point at."""

import asyncio
import copy
import hashlib
import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from helpers.approvals.question import Answer, Question

PATIENCE = 1
GENESIS = "0" * 64
COLUMNS = "transaction_id, account_id, booked_at, amount, channel, transactions.country"
JOINED = f"select {COLUMNS} from transactions join accounts using (account_id)"
ORDER = "order by booked_at, transaction_id"


def ask(database, sql, values=(), mode="ro"):
    with closing(sqlite3.connect(f"{Path(database).resolve().as_uri()}?mode={mode}", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql, values)]


def sql_in_the_text(database, day, jurisdiction, account=None):
    one = f"and account_id = '{account}'" if account else ""
    return ask(
        database, f"{JOINED} where date(booked_at) = '{day}' and accounts.country = '{jurisdiction}' {one} {ORDER}"
    )


def between_day_and_day(database, day, jurisdiction, account=None):
    sql = f"{JOINED} where booked_at between ? and ? and accounts.country = ? {ORDER}"
    return ask(database, sql, (day, f"{day} 23:59", jurisdiction))


def where_the_card_was(database, day, jurisdiction, account=None):
    sql = f"select {COLUMNS} from transactions where date(booked_at) = ? and (country = ? or country = 'AT') {ORDER}"
    return ask(database, sql.replace("transactions.country", "country"), (day, jurisdiction))


def forgets_the_account(database, day, jurisdiction, account=None):
    return ask(database, f"{JOINED} where date(booked_at) = ? and accounts.country = ? {ORDER}", (day, jurisdiction))


def writes(database, day, jurisdiction, account=None):
    sql = (
        f"{JOINED} where date(booked_at) = ? and accounts.country = ? and coalesce(?, account_id) = account_id {ORDER}"
    )
    return ask(database, sql, (day, jurisdiction, account), mode="rwc")


def all_columns(database, day, jurisdiction, account=None):
    sql = JOINED.replace(COLUMNS, f"{COLUMNS}, holder")
    return ask(database, f"{sql} where date(booked_at) = ? and accounts.country = ? {ORDER}", (day, jurisdiction))


def no_order(database, day, jurisdiction, account=None):
    sql = f"{JOINED} where date(booked_at) = ? and accounts.country = ? and coalesce(?, account_id) = account_id"
    return ask(database, f"{sql} order by transactions.amount desc", (day, jurisdiction, account))


def at(row):
    return datetime.fromisoformat(row["booked_at"])


def windows(rows, within=timedelta(minutes=10), least=5, channel="card online", key="account_id"):
    found = defaultdict(set)
    paid = [row for row in rows if channel in (None, row["channel"])]
    for row in paid:
        near = [one for one in paid if one[key] == row[key] and timedelta(0) <= at(one) - at(row) <= within]
        if len(near) >= least:
            found[row["account_id"]] |= {one["transaction_id"] for one in near}
    return [{"account_id": name, "transaction_ids": sorted(ids)} for name, ids in sorted(found.items())]


def less_than_ten_minutes(rows):
    return windows(rows, timedelta(seconds=599))


def eleven_minutes(rows):
    return windows(rows, timedelta(seconds=659))


def four_payments(rows):
    return windows(rows, least=4)


def any_channel(rows):
    return windows(rows, channel=None)


def all_accounts_together(rows):
    return windows(rows, key="channel")


def by_the_clock(rows):
    found = defaultdict(set)
    for row in rows:
        if row["channel"] == "card online":
            found[row["account_id"], row["booked_at"][:13]].add(row["transaction_id"])
    kept = [(name, ids) for (name, _), ids in sorted(found.items()) if len(ids) >= 5]
    times = {row["transaction_id"]: at(row) for row in rows}
    kept = [
        (name, ids) for name, ids in kept if max(map(times.get, ids)) - min(map(times.get, ids)) <= timedelta(0, 600)
    ]
    return [{"account_id": name, "transaction_ids": sorted(ids)} for name, ids in kept]


def as_they_come(rows, low):
    """The right bound, for payments in the order in which they come."""
    found, paid = defaultdict(set), defaultdict(list)
    for row in rows:
        if row["channel"] == "card online":
            paid[row["account_id"]].append((at(row), row["transaction_id"]))
    for name, payments in paid.items():
        for five in zip(*(payments[place:] for place in range(5)), strict=False):
            if low <= (five[-1][0] - five[0][0]).total_seconds() <= 600:
                found[name] |= {number for _, number in five}
    return [{"account_id": name, "transaction_ids": sorted(ids)} for name, ids in sorted(found.items())]


def unsorted_rows(rows):
    return as_they_come(rows, low=-86400)


def unsorted_rows_forwards(rows):
    return as_they_come(rows, low=0)


def numbers_as_a_set(rows):
    return [{**one, "transaction_ids": set(one["transaction_ids"])} for one in windows(rows)]


def numbers_as_integers(rows):
    return [{**one, "transaction_ids": [int(number[3:]) for number in one["transaction_ids"]]} for one in windows(rows)]


def accounts_as_they_come(rows):
    found = {one["account_id"]: one for one in windows(rows)}
    return [found[name] for name in dict.fromkeys(row["account_id"] for row in rows) if name in found]


def all_of_the_account(rows):
    found = {one["account_id"] for one in windows(rows)}
    own = {name: [row["transaction_id"] for row in rows if row["account_id"] == name] for name in found}
    return [{"account_id": name, "transaction_ids": sorted(own[name])} for name in sorted(own)]


def deposits(rows, wanted, least=3, kept=None):
    found = defaultdict(list)
    for row in rows:
        if wanted(row):
            found[row["account_id"]].append(row["transaction_id"])
    found = {name: ids for name, ids in found.items() if len(ids) >= least}
    if kept:
        found = {name: [row["transaction_id"] for row in rows if row["account_id"] == name] for name in found}
    return [{"account_id": name, "transaction_ids": sorted(found[name])} for name in sorted(found)]


def up_to_the_limit(rows):
    return deposits(rows, lambda row: row["channel"] == "cash" and 8000 <= row["amount"] <= 10000)


def more_than_eight_thousand(rows):
    return deposits(rows, lambda row: row["channel"] == "cash" and 8000 < row["amount"] < 10000)


def either_sign(rows):
    return deposits(rows, lambda row: row["channel"] == "cash" and 8000 <= abs(row["amount"]) < 10000)


def no_channel(rows):
    return deposits(rows, lambda row: 8000 <= row["amount"] < 10000)


def two_will_do(rows):
    return deposits(rows, lambda row: row["channel"] == "cash" and 8000 <= row["amount"] < 10000, least=2)


def depositors_as_they_come(rows):
    paid = [row for row in rows if row["channel"] == "cash"]
    found = {one["account_id"]: one for one in deposits(paid, lambda row: 8000 <= row["amount"] < 10000)}
    return [found[name] for name in dict.fromkeys(row["account_id"] for row in rows) if name in found]


def deposits_as_a_set(rows):
    return [{**one, "transaction_ids": set(one["transaction_ids"])} for one in up_to_the_limit(rows)]


def all_rows_of_the_account(rows):
    return deposits(rows, lambda row: row["channel"] == "cash" and 8000 <= row["amount"] < 10000, kept=True)


class Loose(BaseModel):
    model_config = ConfigDict(extra="forbid")
    account_id: str
    kind: Literal["burst", "structuring"]
    transaction_ids: list[str]
    severity: int
    reason: str


class AnyKind(BaseModel):
    model_config = ConfigDict(extra="forbid")
    account_id: str = Field(pattern=r"^AC-2\d{4}$")
    kind: str
    transaction_ids: list[str] = Field(min_length=1)
    severity: int = Field(ge=1, le=5)
    reason: str = Field(min_length=10, max_length=200)


class NoEnd(AnyKind):
    account_id: str = Field(pattern=r"AC-2\d{4}")


class NoBeginning(AnyKind):
    account_id: str = Field(pattern=r"AC-2\d{4}$")


class TransactionsWithoutEnd(AnyKind):
    kind: Literal["burst", "structuring"]
    transaction_ids: list[Annotated[str, Field(pattern=r"TX-\d{6}")]] = Field(min_length=1)


class TransactionsWithoutBeginning(TransactionsWithoutEnd):
    transaction_ids: list[Annotated[str, Field(pattern=r"TX-\d{6}$")]] = Field(min_length=1)


class AnyTransaction(AnyKind):
    kind: Literal["burst", "structuring"]


class FromZero(AnyTransaction):
    transaction_ids: list[str] = Field(min_length=1, pattern=None)
    severity: int = Field(ge=0, le=5)


class Extra(BaseModel):
    account_id: str = Field(pattern=r"^AC-2\d{4}$")
    kind: Literal["burst", "structuring"]
    transaction_ids: list[Literal["TX-100102", "TX-100103"]] = Field(min_length=1)
    severity: int = Field(ge=1, le=5)
    reason: str = Field(min_length=10, max_length=200)


POLICY = {
    "name": "desk",
    "blockedInputMessaging": "The desk does not answer that.",
    "blockedOutputsMessaging": "The desk does not say that.",
    "wordPolicyConfig": {"wordsConfig": [{"text": "Lindwurm"}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [{"type": "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "action": "ANONYMIZE"}],
        "regexesConfig": [{"name": "account", "pattern": r"\bAC-2[0-9]{4}\b", "action": "ANONYMIZE"}],
    },
}


def but(change):
    """The policy with one thing wrong."""
    policy = copy.deepcopy(POLICY)
    change(policy, policy["sensitiveInformationPolicyConfig"])
    return policy


def no_messages(policy, private):
    del policy["blockedInputMessaging"]


def no_word(policy, private):
    del policy["wordPolicyConfig"]


def no_iban(policy, private):
    del private["piiEntitiesConfig"]


def no_account(policy, private):
    del private["regexesConfig"]


def too_wide(policy, private):
    private["regexesConfig"][0]["pattern"] = r"AC-[0-9]+"


def without_ends(policy, private):
    private["regexesConfig"][0]["pattern"] = r"AC-2\d{4}"


def takes_transactions(policy, private):
    private["regexesConfig"][0]["pattern"] = r"\b[A-Z]{2}-\d{5,6}\b"


def mask(policy, private):
    private["regexesConfig"][0]["action"] = "MASK"


def blocked_iban(policy, private):
    private["piiEntitiesConfig"][0]["action"] = "BLOCK"


def freezing(*, early=False, anyone=False, anything=False, patient=False, careless=False, nameless=False):
    """A way to freeze with one thing wrong."""

    async def freeze(finding, analyst, lock, log):
        account = finding["account_id"]
        log("asked", account)
        question = Question(account, "desk", "Freeze?", tool="freeze", arguments={"account_id": account})
        if early:
            lock(account)
        try:
            answer = await asyncio.wait_for(analyst.answer(question), 60 if patient else PATIENCE)
        except TimeoutError:
            answer = Answer("cancel")
        log("answered", account, answer.by)
        if answer.action == "decline" or (answer.action != "accept" and not anything):
            return False
        barred = [name for name, may in ((finding["raised_by"], anyone), ("", nameless)) if not may]
        if answer.by in barred:
            return False
        try:
            lock(account)
        except ConnectionError:
            if not careless:
                log("failed", account)
                return False
        log("frozen", account)
        return True

    return freeze


async def without_a_question(finding, analyst, lock, log):
    log("asked", finding["account_id"])
    answer = await analyst.answer(f"Freeze {finding['account_id']}?")
    return answer.action == "accept"


def hashed(entry, **options):
    return {**entry, "hash": hashlib.sha256(json.dumps(entry, **options).encode()).hexdigest()}


def from_zero(log, event):
    before = log[-1]["hash"] if log else GENESIS
    return [*log, hashed({"number": len(log), "event": event, "before": before}, sort_keys=True)]


def unsorted(log, event):
    before = log[-1]["hash"] if log else GENESIS
    return [*log, hashed({"number": len(log) + 1, "event": event, "before": before})]


def nothing_before(log, event):
    return [*log, hashed({"number": len(log) + 1, "event": event, "before": GENESIS}, sort_keys=True)]


def only_the_event_is_hashed(log, event):
    before = log[-1]["hash"] if log else GENESIS
    digest = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    return [*log, {"number": len(log) + 1, "event": event, "before": before, "hash": digest}]


def chained(log, event):
    before = log[-1]["hash"] if log else GENESIS
    return hashed({"number": len(log) + 1, "event": event, "before": before}, sort_keys=True)


def appends_in_place(log, event):
    log.append(chained(log, event))
    return log


def adds_in_place(log, event):
    log += [chained(log, event)]
    return list(log)


def the_entry_alone(log, event):
    return from_zero(log, event)[-1]


def checks_hashes_only(log, head=None):
    for entry in log:
        made = hashed({key: entry[key] for key in ("number", "event", "before")}, sort_keys=True)
        if made["hash"] != entry["hash"]:
            return entry["number"]
    return None if not head or (log and log[-1]["hash"] == head) else len(log) + 1


def checks_links_only(log, head=None):
    before = GENESIS
    for number, entry in enumerate(log, 1):
        if entry["before"] != before:
            return number
        before = entry["hash"]
    return None if head in (None, before) else len(log) + 1


def forgets_the_head(log, head=None):
    before = GENESIS
    for number, entry in enumerate(log, 1):
        made = hashed({"number": number, "event": entry["event"], "before": before}, sort_keys=True)
        if made != entry:
            return number
        before = made["hash"]
    return None


def compares_three_fields(log, head=None):
    before = GENESIS
    for number, entry in enumerate(log, 1):
        made = hashed({"number": number, "event": entry["event"], "before": before}, sort_keys=True)
        if any(entry.get(part) != made[part] for part in ("number", "before", "hash")):
            return number
        before = made["hash"]
    return None if head in (None, before) else len(log) + 1


def takes_the_hash_for_granted(log, head=None):
    before = GENESIS
    for number, entry in enumerate(log, 1):
        made = hashed({"number": number, "event": entry["event"], "before": before}, sort_keys=True)
        if entry["hash"] != made["hash"] or entry != made:
            return number
        before = made["hash"]
    return None if head in (None, before) else len(log) + 1


def true_or_false(log, head=None):
    return forgets_the_head(log, head) is None


WRONG = {
    "transactions": [
        (sql_in_the_text, "parameters"),
        (between_day_and_day, "how the day is compared"),
        (where_the_card_was, "the jurisdiction"),
        (forgets_the_account, "the last argument"),
        (writes, "read-only"),
        (all_columns, "nothing that names a person"),
        (no_order, "the order"),
    ],
    "bursts": [
        (less_than_ten_minutes, "exactly 600 s still count"),
        (eleven_minutes, "more than 600 s"),
        (four_payments, "five or more"),
        (any_channel, "online payments only"),
        (all_accounts_together, "each is counted for itself"),
        (by_the_clock, "it begins at a payment"),
        (all_of_the_account, "not all of the account"),
        (unsorted_rows, "in any order, so sort them"),
        (unsorted_rows_forwards, "they come in any order"),
        (numbers_as_a_set, "transaction_ids is a set; expected a list"),
        (numbers_as_integers, "which are texts"),
        (accounts_as_they_come, "by account"),
    ],
    "structuring": [
        (up_to_the_limit, "the upper bound"),
        (more_than_eight_thousand, "8,000 counts"),
        (either_sign, "the sign"),
        (no_channel, "cash only"),
        (two_will_do, "three or more"),
        (all_rows_of_the_account, "the deposits that count"),
        (depositors_as_they_come, "the order of what is found: by account"),
        (deposits_as_a_set, "transaction_ids is a set"),
    ],
    "finding": [
        (Loose, "the pattern of account_id"),
        (NoEnd, "the end of account_id's pattern"),
        (NoBeginning, "the beginning of account_id's pattern"),
        (TransactionsWithoutEnd, "the end of each transaction's pattern"),
        (TransactionsWithoutBeginning, "the beginning of each transaction's pattern"),
        (AnyKind, "only the two words"),
        (AnyTransaction, "the pattern of each transaction"),
        (Extra, "extra fields"),
    ],
    "guardrail": [
        (but(no_messages), "the fields that CreateGuardrail takes"),
        (but(no_word), "the words"),
        (but(no_iban), "international bank account numbers"),
        (but(no_account), "a regex for AC-2"),
        (but(too_wide), "rules that are too wide"),
        (but(without_ends), "the two ends of your expression"),
        (but(takes_transactions), "something else is masked too"),
        (but(blocked_iban), "BLOCK refuses the whole text"),
    ],
    "approval": [
        (freezing(early=True), "the order"),
        (freezing(anyone=True), "four eyes"),
        (freezing(anything=True), "only accept is a yes"),
        (freezing(patient=True), "the time limit"),
        (freezing(nameless=True), "a yes without a name is no yes"),
        (freezing(careless=True), "an error of lock"),
    ],
    "audit": [
        (from_zero, "the first entry is 1"),
        (unsorted, "sort_keys=True"),
        (nothing_before, "before: the hash of the last entry"),
        (the_entry_alone, "a list, the log"),
        (appends_in_place, "the given log: leave it"),
        (adds_in_place, "return a new list"),
    ],
    "verify": [
        (checks_hashes_only, "the hash of the entry before"),
        (checks_links_only, "make it anew"),
        (forgets_the_head, "the last hash must be the one that was kept"),
        (compares_three_fields, "nothing may be added"),
        (takes_the_hash_for_granted, "one that is not there is wrong too"),
        (true_or_false, "None"),
    ],
}
