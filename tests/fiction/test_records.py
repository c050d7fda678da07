"""The invented records are complete, the same everywhere, coherent, and whole on disk or not there."""

import contextlib
import hashlib
import sqlite3

import pytest

from helpers.fiction import PathTaken, bank_records, database, hospital_records, planted_anomalies
from helpers.fiction.__main__ import main

SHA256 = {
    "hospital": "9dce04b0eba1190001b039041c604387b4fa530d65bbf74da58f4914017ab94d",
    "bank": "d72811156142e12ca8a10a854ebbfb669aa3bfba038c8833bc8670958608cfd4",
}
KINDS = ["amount", "burst", "structuring", "impossible_travel", "dormant", "night_new_counterparty"]

NEVER = {  # each finds what must not be in the hospital
    "a penicillin or its relatives despite the allergy": """
        select 1 from patients join medications using (patient_id) where allergies like 'penicillin%'
        and stopped is null
        and drug in ('Amoxicillin', 'Amoxicillin-clavulanate', 'Flucloxacillin', 'Piperacillin-tazobactam',
                     'Ceftriaxone', 'Meropenem')""",
    "ibuprofen despite the allergy": """
        select 1 from patients join medications using (patient_id) where allergies like 'ibuprofen%'
        and drug in ('Ibuprofen', 'Aspirin')""",
    "a pregnant patient who is not a woman on B2": """
        select 1 from patients join diagnoses using (patient_id)
        where code in ('Z34.9', 'O14.1', 'O21.1', 'O72.1') and (sex <> 'F' or ward is not 'B2')""",
    "someone on B2 who is not a woman": "select 1 from patients where ward = 'B2' and sex <> 'F'",
    "a child away from A5, or an adult on it": """
        select 1 from patients where (born > '2010-03-02') <> (ward is 'A5')""",
    "chronic atrial fibrillation without warfarin or INR": """
        select 1 from diagnoses d where code = 'I48.2' and not (
            exists (select 1 from medications m where m.patient_id = d.patient_id and drug = 'Warfarin')
            and exists (select 1 from laboratory l where l.patient_id = d.patient_id and test like 'INR%'))""",
    "stage 4 kidney disease with a low creatinine": """
        select 1 from diagnoses join laboratory using (patient_id)
        where code = 'N18.4' and test like 'Creatinine%' and value < 110""",
    "kidney disease with metformin or ibuprofen still given": """
        select 1 from diagnoses join medications using (patient_id)
        where code in ('N18.4', 'N17.9') and drug in ('Metformin', 'Ibuprofen') and stopped is null""",
    "diabetes without insulin, metformin or glucose": """
        select 1 from diagnoses d where code in ('E10.1', 'E10.9', 'E11.9') and not (
            exists (select 1 from medications m where m.patient_id = d.patient_id and stopped is null
                    and drug in ('Metformin', 'Insulin human soluble'))
            and exists (select 1 from laboratory l where l.patient_id = d.patient_id and test like 'Glucose%'))""",
    "two anticoagulants at once": """
        select 1 from medications where drug in ('Warfarin', 'Apixaban', 'Enoxaparin') and stopped is null
        group by patient_id having count(*) > 1""",
    "an antiplatelet drug together with a full anticoagulant": """
        select 1 from medications a join medications b using (patient_id) where a.stopped is null and b.stopped is null
        and a.drug in ('Aspirin', 'Clopidogrel') and b.drug in ('Warfarin', 'Apixaban')""",
    "a record from after the reference moment": """
        select taken_at from laboratory where taken_at > '2026-03-02 08:00' union all
        select taken_at from observations where taken_at > '2026-03-02 08:00' union all
        select at from encounters where at > '2026-03-02 08:00' union all
        select started from medications where started > '2026-03-02'""",
    "a diagnosis from before the birth": "select 1 from diagnoses join patients using (patient_id) where since < born",
    "a medicine from before its patient's first diagnosis": """
        select 1 from medications m
        where started < (select min(since) from diagnoses d where d.patient_id = m.patient_id)""",
}

FIND = {  # each finds the transactions of one kind, and no others
    "amount": """
        select transaction_id from transactions t where amount < -5000 and -amount > 3 *
        (select max(-amount) from transactions o where o.account_id = t.account_id
         and o.transaction_id <> t.transaction_id)""",
    "burst": """
        select transaction_id from transactions t where channel = 'card online' and (
            select count(*) from transactions o where o.account_id = t.account_id and o.channel = t.channel
            and abs(julianday(o.booked_at) - julianday(t.booked_at)) < 10.0 / 1440) >= 6""",
    "structuring": """
        select transaction_id from transactions t where channel = 'cash' and amount between 9000 and 9999.99 and (
            select count(*) from transactions o where o.account_id = t.account_id and o.channel = 'cash'
            and o.amount between 9000 and 9999.99 and abs(julianday(o.booked_at) - julianday(t.booked_at)) < 5) >= 3""",
    "impossible_travel": """
        select transaction_id from transactions t where channel = 'card present' and exists (
            select 1 from transactions o where o.account_id = t.account_id and o.channel = 'card present'
            and o.country <> t.country and abs(julianday(o.booked_at) - julianday(t.booked_at)) < 1.0 / 24)""",
    "dormant": """
        select transaction_id from (select *, julianday(booked_at) - julianday(lag(booked_at) over (
            partition by account_id order by booked_at)) as pause from transactions)
        where pause > 50 and amount < -1000""",
    "night_new_counterparty": """
        select transaction_id from transactions t where time(booked_at) between '01:00:00' and '04:59:59'
        and amount < -500 and not exists (select 1 from transactions o where o.account_id = t.account_id
                        and o.counterparty = t.counterparty and o.booked_at < t.booked_at)""",
}

PATIENT = ("P-9001", "Test Person", "1980-01-01", "F", "A1", "A1-99", "none known", "0+")
TRANSACTION = ("TX-999999", "AC-20001", "2026-02-01 10:00:00", -5.0, "EUR", "Shop", "AT", "cash", "test")
BAD = [
    ("hospital", "patients", (*PATIENT[:3], "X", *PATIENT[4:])),
    ("hospital", "patients", (*PATIENT[:4], "C9", "C9-01", *PATIENT[6:])),
    ("hospital", "patients", (*PATIENT[:5], None, *PATIENT[6:])),
    ("hospital", "patients", (*PATIENT[:2], "1980-13-01", *PATIENT[3:])),
    ("hospital", "diagnoses", ("P-9999", "I10", "Essential hypertension", "2020-01-01")),
    ("hospital", "medications", ("P-1001", "Drug", "1 g", "oral", "daily", "2026-02-01", "2026-01-01")),
    ("hospital", "observations", ("P-1001", "2026-03-01 09:09", "oxygen saturation", 101.0, "%")),
    ("hospital", "laboratory", ("P-1001", "2026-03-01 09:09", "Sodium", "high", "mmol/L")),
    ("bank", "transactions", (*TRANSACTION[:3], 0.0, *TRANSACTION[4:])),
    ("bank", "transactions", (*TRANSACTION[:7], "pigeon", "test")),
    ("bank", "transactions", (TRANSACTION[0], "AC-29999", *TRANSACTION[2:])),
]


def canonical_sha256(path):
    digest = hashlib.sha256()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table in database.counts(path):
            rows = connection.execute(f"select * from {table}").fetchall()
            digest.update("\n".join([table, *sorted(map(repr, rows))]).encode())
    return digest.hexdigest()


def test_every_table_has_its_rows(paths):
    hospital, bank = database.counts(paths["hospital"]), database.counts(paths["bank"])
    assert hospital["patients"] == 240 and min(hospital.values()) >= 3
    assert bank["accounts"] == 60 and 2800 <= bank["transactions"] <= 3300


def test_patients_lie_on_all_wards_and_outside(ask):
    wards = dict(ask("hospital", "select ward, count(*) from patients group by ward"))
    assert wards == {None: 60, **dict.fromkeys(["A1", "A2", "A3", "A4", "A5", "A6", "B1", "B2", "B3", "B4"], 18)}


@pytest.mark.parametrize("name", SHA256)
def test_the_content_is_the_same_everywhere(paths, name):
    assert canonical_sha256(paths[name]) == SHA256[name]


@pytest.mark.parametrize("name", SHA256)
def test_the_database_says_that_it_is_fiction_and_keeps_its_references(ask, name):
    assert "No real persons" in dict(ask(name, "select key, value from about"))["fiction"]
    assert ask(name, "pragma foreign_key_check") == [] and ask(name, "pragma integrity_check") == [("ok",)]


@pytest.mark.parametrize("rule", NEVER)
def test_the_records_never_hold(ask, rule):
    assert ask("hospital", NEVER[rule]) == []


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("a penicillin or its relatives despite the allergy", "update patients set allergies = 'penicillin (rash)'"),
        ("someone on B2 who is not a woman", "update patients set sex = 'M'"),
        ("stage 4 kidney disease with a low creatinine", "update laboratory set value = 60.0"),
        ("chronic atrial fibrillation without warfarin or INR", "delete from laboratory where test like 'INR%'"),
        ("diabetes without insulin, metformin or glucose", "delete from medications"),
        (
            "an antiplatelet drug together with a full anticoagulant",
            "insert into medications select patient_id, 'Aspirin', '75 mg', 'oral', 'once daily', started, null "
            "from medications where drug = 'Apixaban'",
        ),
    ],
)
def test_a_rule_speaks_when_it_is_broken(paths, rule, spoil):
    with contextlib.closing(sqlite3.connect(paths["hospital"])) as connection:
        connection.execute(spoil)
        assert connection.execute(NEVER[rule]).fetchall()
        connection.rollback()


def test_every_kind_of_anomaly_is_planted_on_an_account_of_its_own():
    planted = planted_anomalies()
    assert len(planted) >= 12 and {anomaly.kind for anomaly in planted} == set(KINDS)
    assert len({anomaly.account_id for anomaly in planted}) == len(planted)


@pytest.mark.parametrize("kind", KINDS)
def test_plain_sql_finds_what_is_planted_and_nothing_else(ask, kind):
    planted = {name for anomaly in planted_anomalies() if anomaly.kind == kind for name in anomaly.transaction_ids}
    assert {name for (name,) in ask("bank", FIND[kind])} == planted


def test_the_ground_truth_is_not_in_the_database(ask):
    words = " ".join(
        str(row) for row in ask("bank", "select sql from sqlite_schema") + ask("bank", "select * from about")
    )
    assert not any(word in words.lower() for word in ("anomal", "planted", *KINDS[1:]))


@pytest.mark.parametrize(("name", "table", "row"), BAD)
def test_bad_values_are_refused(paths, name, table, row):
    with contextlib.closing(sqlite3.connect(paths[name])) as connection:
        connection.execute("pragma foreign_keys = on")
        with pytest.raises(sqlite3.IntegrityError):
            database.insert(connection, table, [row])


@pytest.mark.parametrize(
    ("name", "table", "row"), [("hospital", "patients", PATIENT), ("bank", "transactions", TRANSACTION)]
)
def test_good_values_are_accepted(paths, name, table, row):
    with contextlib.closing(sqlite3.connect(paths[name])) as connection:
        connection.execute("pragma foreign_keys = on")
        database.insert(connection, table, [row])
        connection.rollback()


def test_a_complete_file_is_left_as_it_is(paths):
    before = paths["bank"].stat()
    bank_records(paths["bank"])
    after = paths["bank"].stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_of_another_version_is_written_anew(tmp_path):
    path = bank_records(tmp_path / "bank.sqlite")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("delete from transactions")
        connection.commit()
        connection.execute("pragma user_version = 0")
    assert canonical_sha256(bank_records(path)) == SHA256["bank"]


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("helpers.fiction.transactions.insert", fail)
    with pytest.raises(OSError, match="disk full"):
        bank_records(tmp_path / "bank.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_file_is_not_overwritten(tmp_path, capsys):
    path = tmp_path / "hospital.sqlite"
    path.write_text("my thesis")
    with pytest.raises(PathTaken, match="Move it away"):
        hospital_records(path)
    assert main([str(tmp_path)]) == 1 and "PathTaken" in capsys.readouterr().err
    assert path.read_text() == "my thesis"


def test_the_command_counts_the_rows(tmp_path, capsys):
    assert main([str(tmp_path)]) == 0
    assert "patients" in (out := capsys.readouterr().out) and "240" in out and "60" in out
