"""What is judged of the first steps: the query, the two rules, the form of a finding."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from helpers.labs.finance import rules
from helpers.labs.finance.day import DAY, HOME, Account, Transaction, records, write_records
from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.wire import Stranger

Case = tuple[str, list[dict[str, Any]], str]  # name, rows, where to look
KEYS = ["account_id", "amount", "booked_at", "channel", "country", "transaction_id"]
ONE, OTHER, ABROAD = Account("AC-20001"), Account("AC-20002"), Account("AC-20003", "DE")
GOOD = {
    "account_id": "AC-20017",
    "kind": "burst",
    "transaction_ids": ["TX-100102", "TX-100103"],
    "severity": 3,
    "reason": "five online payments within four minutes",
}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("an account that looks like none", {"account_id": "20017"}, "the pattern of account_id: AC-2 and four digits"),
    ("an account with something behind it", {"account_id": "AC-20017; all"}, "the end of account_id's pattern"),
    ("an account with something before it", {"account_id": "xxAC-20017"}, "the beginning of account_id's pattern"),
    ("a kind that the bank does not have", {"kind": "suspicious"}, "kind: only the two words of the bank"),
    ("no transaction", {"transaction_ids": []}, "transaction_ids: at least one"),
    ("a transaction that looks like none", {"transaction_ids": ["gift card"]}, "the pattern of each transaction"),
    ("a transaction with something behind it", {"transaction_ids": ["TX-100102; drop table"]},
     "the end of each transaction's pattern"),
    ("a transaction with something before it", {"transaction_ids": ["TX-100102", "xxTX-100102"]},
     "the beginning of each transaction's pattern"),
    ("severity 0", {"severity": 0}, "severity: from 1 to 5"),
    ("severity 6", {"severity": 6}, "severity: from 1 to 5"),
    ("a severity in words", {"severity": "high"}, "severity: a whole number"),
    ("a reason of two letters", {"reason": "??"}, "reason: 10 to 200 characters"),
    ("a reason without end", {"reason": "x" * 201}, "reason: 10 to 200 characters"),
    ("a field that nobody has asked for", {"freeze": True}, "extra fields: what a model adds is to be refused"),
]  # fmt: skip
ANY_ORDER = "the rows: they come in any order, so sort them by time first"
EACH = "the accounts: each is counted for itself"
BY_ACCOUNT = "the order of what is found: by account"


def transactions(learner: Learner, chance: random.Random, folder: Path) -> None:
    """The rows of the day, of accounts in the jurisdiction, without who they belong to."""
    edges = {"first": "00:00:00", "noon": "12:00:00", "last": "23:59:59"}
    days = [(f"{DAY} {time}", 0) for time in edges.values()]
    outside = [("2026-03-01 23:59:59", 1), ("2026-03-03 00:00:00", 1)]
    made = [Transaction(f"TX-{100001 + n}", "AC-20001", at, -9.5) for n, (at, _) in enumerate(days + outside)]
    path = str(write_records(folder / "edges.sqlite", [ONE], made))
    with learner.case("the first and the last second of the day", "how the day is compared: booked_at has a time"):
        _same(learner.call(path, DAY, HOME), made[:3], learner)

    some = [Transaction(f"TX-{100001 + n}", each.account_id, f"{DAY} 1{n}:00:00", -5.0 - n, country="FR")
            for n, each in enumerate((ONE, OTHER, ABROAD))]  # fmt: skip
    path = str(write_records(folder / "homes.sqlite", [ONE, OTHER, ABROAD], some))
    look = "the jurisdiction: the country of the account, not the one where the card was used"
    with learner.case("accounts in two countries, cards used in a third", look):
        _same(learner.call(path, DAY, HOME), some[:2], learner)
        _same(learner.call(path, DAY, "DE"), some[2:], learner)
    with learner.case("one account", "the last argument: if it is given, only this account"):
        _same(learner.call(path, DAY, HOME, OTHER.account_id), some[1:2], learner)
    with learner.case("one account, in another country", "the account and the jurisdiction must both fit"):
        _same(learner.call(path, DAY, HOME, ABROAD.account_id), [], learner)
    with learner.case("an account's number with SQL in it", "the values: give them as parameters, not in the SQL text"):
        _same(learner.call(path, DAY, HOME, "AC-20001' or '1'='1"), [], learner)
    with learner.case("a database that is not there", "how the file is opened: read-only, so that none is made"):
        gone = folder / "gone.sqlite"
        outcome = learner.attempt(str(gone), DAY, HOME)
        if outcome.raised is None or gone.exists():
            raise Wrong("an error, and still no file", "a new, empty file" if gone.exists() else "no error")
    accounts, day = records(chance.randrange(2**20))
    path = str(write_records(folder / "day.sqlite", accounts, day))
    homes = {account.account_id for account in accounts if account.country == HOME}
    with learner.case("a whole day that you have not seen", "the order: by booked_at, then by transaction_id"):
        expected = [one for one in day if one.booked_at.startswith(DAY) and one.account_id in homes]
        _same(
            learner.call(path, DAY, HOME),
            sorted(expected, key=lambda one: (one.booked_at, one.transaction_id)),
            learner,
        )


def bursts(learner: Learner, chance: random.Random, _: Path) -> None:
    """Five online payments within ten minutes, wherever these begin."""
    minutes = chance.randrange(1, 6)  # so that five payments in six minutes have the border among them
    start = 3600 * chance.randrange(8, 20)
    at_edge = [start + 150 * step for step in range(5)]
    cases: list[Case] = [
        *_in_any_order(start),
        (
            "four payments in a minute",
            _payments([start, start + 20, start + 40, start + 60]),
            "the number: five or more",
        ),
        ("five payments in ten minutes", _payments(at_edge), "the bound: exactly 600 s still count"),
        ("five payments in 601 s", _payments([*at_edge[:4], start + 601]), "the bound: more than 600 s is no burst"),
        (
            "five payments across the border of an hour",
            _payments([start + 3600 - 60 * minutes + 90 * step for step in range(5)]),
            "the window: it begins at a payment, not at a full ten minutes of the clock",
        ),
        (
            "five payments of two accounts",
            _payments(at_edge[:3]) + _payments(at_edge[3:], "AC-20002", 50),
            EACH,
        ),
        ("two accounts with a burst each", _payments(at_edge, "AC-20002", 50) + _payments(at_edge), EACH),
        ("five payments in shops", _payments(at_edge, channel="card present"), "the channel: online payments only"),
        (
            "a burst, and one payment hours later",
            _payments([*at_edge, start + 9000]),
            "the result: the payments of the burst, not all of the account",
        ),
        ("no payment at all", [], "what is returned when nothing is found: an empty list"),
    ]
    _judge(learner, cases, rules.bursts, chance)


def _in_any_order(start: int) -> list[Case]:
    """Bursts and none, sorted and not: who has not sorted the rows fails at one of them."""
    near, far = [[start + step * place for place in range(5)] for step in (60, 250)]
    return [
        ("five payments in four minutes", _payments(near), "the rule: five or more payments of one account"),
        ("the same payments, backwards", _payments(near)[::-1], ANY_ORDER),
        ("five payments in 1,000 s", _payments(far), "the window: ten minutes from the first to the last"),
        ("the same payments, the last one first", _payments([far[-1], *far[:-1]]), ANY_ORDER),
    ]


def structuring(learner: Learner, chance: random.Random, _: Path) -> None:
    """Three cash deposits just below the limit."""
    some = [round(chance.uniform(8000, 9999), 2) for _ in range(3)]
    cases: list[Case] = [
        ("three deposits below the limit", _cash(some), "the rule: three or more deposits of one account"),
        ("two deposits", _cash(some[:2]), "the number: three or more"),
        ("exactly 8,000 and 9,999.99", _cash([8000.0, 9999.99, some[0]]), "the lower bound: 8,000 counts"),
        ("one of exactly 10,000", _cash([*some[:2], 10000.0]), "the upper bound: 10,000 is reported anyway"),
        ("small deposits", _cash([120.0, 80.0, 7999.99]), "the lower bound: less than 8,000 does not count"),
        ("withdrawals", _cash([-amount for amount in some]), "the sign: below 0 is money that goes out"),
        ("transfers of such amounts", _cash(some, channel="transfer"), "the channel: cash only"),
        ("three deposits, one each",
         _cash(some[:1]) + _cash(some[1:2], "AC-20002", 20) + _cash(some[2:], "AC-20003", 40),
         EACH),
        ("two accounts with three deposits each", _cash(some, "AC-20002", 20) + _cash(some), EACH),
        ("four deposits and a purchase", _cash([*some, 8100.5, -30.0]), "the result: the deposits that count"),
    ]  # fmt: skip
    _judge(learner, cases, rules.structuring, chance)


def finding(learner: Learner, chance: random.Random, _: Path) -> None:
    """What is whole is taken as it is; what is not is refused."""
    hidden = {
        **GOOD,
        "account_id": f"AC-2{chance.randrange(10000):04}",
        "kind": "structuring",
        "severity": chance.randrange(1, 6),
    }
    for name, given in (("a whole finding", GOOD), ("another one", hidden)):
        with learner.case(name, "the fields: names and types"):
            made = learner.call(**given)
            fields = getattr(made, "fields", None)
            if fields is None or dict(fields) != given:
                raise Wrong(f"a finding with the fields {shown(given)}", shown(fields if fields is not None else made))
    for name, change, look in BAD:
        with learner.case(name, look):
            _refused(learner, {**GOOD, **change})
    missing = chance.choice(sorted(GOOD))
    with learner.case(f"a finding without {missing}", "the fields: all five are needed, none has a default"):
        _refused(learner, {key: value for key, value in GOOD.items() if key != missing})


def _refused(learner: Learner, given: dict[str, Any]) -> None:
    outcome = learner.attempt(**given)
    if outcome.raised is None:
        raise Wrong("a ValidationError", f"it was taken: {shown(outcome.value)}")
    if "ValidationError" not in outcome.raised.kinds:
        raise Wrong("a ValidationError of pydantic", str(outcome.raised))


def _same(seen: Any, expected: list[Transaction], learner: Learner) -> None:  # noqa: ANN401
    learner.expect_type(seen, list, "a list of dicts, one a transaction")
    for row in seen:
        learner.expect_type(row, dict, "a list of dicts, one a transaction")
        learner.expect(sorted(row), KEYS, "the columns: those six, and nothing that names a person")
    numbers = [row["transaction_id"] for row in seen]
    learner.expect(numbers, [one.transaction_id for one in expected])
    for row, one in zip(seen, expected, strict=True):
        learner.expect(row, {key: getattr(one, key) for key in KEYS}, "the values: as the database has them")


def _judge(
    learner: Learner,
    cases: list[Case],
    rule: Callable[[Iterable[rules.Row]], rules.Found],
    chance: random.Random,
) -> None:
    """Each case by the rule, with its rows as they stand there; then whole days, with theirs in any order."""
    for name, rows, look in cases:
        with learner.case(name, look):
            _found(learner, rows, rule(rows))
    for _ in range(2):
        rows = [_as_row(one) for one in records(chance.randrange(2**20))[1]]
        chance.shuffle(rows)
        with learner.case("a whole day that you have not seen", "the rule, as the text above gives it"):
            _found(learner, rows, rule(rows))


def _found(learner: Learner, rows: list[dict[str, Any]], expected: rules.Found) -> None:
    seen = learner.call(rows)
    learner.expect_type(seen, list, "a list of dicts with account_id and transaction_ids")
    for one in seen:
        learner.expect_type(one, dict, "a list of dicts with account_id and transaction_ids")
        learner.expect(sorted(one), ["account_id", "transaction_ids"], "the keys of what is found")
        _expect_numbers(learner, one["transaction_ids"])
    names, wanted = [[one["account_id"] for one in some] for some in (seen, expected)]
    learner.expect(names, wanted, BY_ACCOUNT if sorted(map(str, names)) == wanted else "")
    learner.expect([sorted(one["transaction_ids"]) for one in seen], [one["transaction_ids"] for one in expected])


def _expect_numbers(learner: Learner, ids: object) -> None:
    kind = ids.type if isinstance(ids, Stranger) else type(ids).__name__
    if not isinstance(ids, list):
        raise Wrong("a list", shown(ids), f"transaction_ids is a {kind}; expected a list")
    for number in ids:
        learner.expect_type(number, str, "a list of the transactions' numbers, which are texts")


def _as_row(one: Transaction) -> dict[str, Any]:
    return {key: getattr(one, key) for key in KEYS}


def _payments(
    seconds: list[int], account: str = "AC-20001", first: int = 1, channel: str = "card online"
) -> list[dict[str, Any]]:
    clock = [f"{DAY} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in seconds]
    made = [Transaction(f"TX-{100000 + first + n}", account, at, -50.0 - n, channel) for n, at in enumerate(clock)]
    return [_as_row(one) for one in made]


def _cash(
    amounts: list[float], account: str = "AC-20001", first: int = 1, channel: str = "cash"
) -> list[dict[str, Any]]:
    made = [
        Transaction(f"TX-{100000 + first + n}", account, f"{DAY} {9 + n:02}:15:00", amount, channel)
        for n, amount in enumerate(amounts)
    ]
    return [_as_row(one) for one in made]
