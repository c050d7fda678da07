"""The patients of the fictional Falkenried Hospital, at 8 o'clock on 2 March 2026."""

import sqlite3
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from helpers.fiction.chance import Chance
from helpers.fiction.conditions import Case, Condition, cases, conditions
from helpers.fiction.database import Design, Row, insert, write
from helpers.fiction.records import NOW, Patient, encounters, laboratory, medications, observations

Campus = Literal["A", "B"]
HERE = Path(__file__).parent
WARDS = ["A1", "A2", "A3", "A4", "A5", "A6", "B1", "B2", "B3", "B4"]
PER_WARD, OUTPATIENTS = 18, 60
ALLERGIES = ["none known"] * 13 + ["penicillin (rash)"] * 2 + ["penicillin (anaphylaxis)", "ibuprofen (wheeze)"]
ALLERGIES += ["sulfonamides (rash)", "latex (hives)", "peanut (swelling)"]
BLOOD = ["0+"] * 37 + ["A+"] * 36 + ["B+"] * 9 + ["0-"] * 6 + ["A-"] * 6 + ["AB+"] * 3 + ["B-"] * 2 + ["AB-"]
COURSES = ["stable", "improving", "improving", "worsening"]
ELSEWHERE = """select patient_id from patients
    where coalesce(substr(ward, 1, 1), iif(substr(patient_id, -1) in ('0', '2', '4', '6', '8'), 'A', 'B')) <> ?"""
DESIGN = Design(
    schema=HERE / "hospital.sql",
    mark=0x46484F53,
    version=2,
    about={
        "fiction": "Invented data. No real persons; any likeness is chance. Not medical advice.",
        "hospital": "Falkenried Hospital",
        "reference moment": "2026-03-02 08:00",
    },
)


def hospital_records(path: Path, campus: Campus | None = None) -> Path:
    """Write the hospital's database at `path` unless it is there already, and return the path.

        hospital_records(Path("artefacts/hospital.sqlite"))

    With `campus`, the records of that campus alone: the patients on its wards, and outpatients, each at one of the two.
    """
    if campus is None:
        return write(path, DESIGN, _fill)
    design = replace(DESIGN, mark=DESIGN.mark + ord(campus), about={**DESIGN.about, "campus": campus})
    return write(path, design, partial(_fill_campus, campus))


def _fill_campus(campus: Campus, connection: sqlite3.Connection) -> None:
    _fill(connection)
    for table in ("diagnoses", "medications", "observations", "laboratory", "encounters", "patients"):
        connection.execute(f"delete from {table} where patient_id in ({ELSEWHERE})", [campus])  # noqa: S608


def _fill(connection: sqlite3.Connection) -> None:
    chance = Chance(1001)
    patients = _patients(chance)
    insert(connection, "patients", _persons(chance, patients))
    for patient in patients:
        insert(connection, "diagnoses", _diagnoses(chance, patient))
        insert(connection, "medications", medications(chance, patient))
        insert(connection, "observations", observations(chance, patient))
        insert(connection, "laboratory", laboratory(chance, patient))
        insert(connection, "encounters", encounters(patient))


def _patients(chance: Chance) -> list[Patient]:
    given = [_from_case(case) for case in cases()]
    free = [ward for ward in WARDS for _ in range(PER_WARD - sum(patient.ward == ward for patient in given))]
    drawn = [_inpatient(chance, ward) for ward in free] + [_outpatient(chance) for _ in range(OUTPATIENTS)]
    patients = chance.shuffled(given + drawn)
    for place, patient in enumerate(patients):
        patient.patient_id = f"P-{1001 + place}"
    return patients


def _from_case(case: Case) -> Patient:
    own = [conditions()[key] for key in [case.condition, *case.also]]
    admitted = NOW.date() - timedelta(days=case.days)
    return Patient(case.sex, case.age, case.ward, own, case.allergies, case.course, admitted, case.laboratory)


def _inpatient(chance: Chance, ward: str) -> Patient:
    main = chance.pick([c for c in conditions().values() for own in c.wards if own == ward])
    age = chance.whole(int(main.ages[0]), int(main.ages[1]))
    own = [main, *([conditions()[main.needs]] if main.needs else [])]
    if age >= 18 and ward != "B2":
        own = _with_others(chance, own, age)
    course = main.course or chance.pick(COURSES)
    admitted = NOW.date() - timedelta(days=chance.whole(1, 6))
    return Patient(main.sex or chance.pick("FM"), age, ward, own, chance.pick(ALLERGIES), course, admitted)


def _outpatient(chance: Chance) -> Patient:
    main = chance.pick([c for c in conditions().values() if c.chronic for _ in range(c.weight)])
    age = chance.whole(int(main.ages[0]), int(main.ages[1]))
    visit = NOW.date() - timedelta(days=chance.whole(3, 60))
    own = _with_others(chance, [main], age)
    return Patient(chance.pick("FM"), age, None, own, chance.pick(ALLERGIES), "stable", visit)


def _with_others(chance: Chance, own: list[Condition], age: int) -> list[Condition]:
    """Up to two chronic conditions more."""
    for _ in range(chance.whole(0, 2)):
        fitting = [c for c in conditions().values() if c.chronic and c.suits(age, own) for _ in range(c.weight)]
        own = [*own, *([chance.pick(fitting)] if fitting else [])]
    return own


def _persons(chance: Chance, patients: list[Patient]) -> list[Row]:
    names = tomllib.loads((HERE / "names.toml").read_text("utf-8"))
    surnames = chance.shuffled([start + end for start in names["surname_starts"] for end in names["surname_ends"]])
    beds = {ward: iter(range(1, PER_WARD + 1)) for ward in WARDS}
    rows = list[Row]()
    for p in patients:
        bed = f"{p.ward}-{next(beds[p.ward]):02}" if p.ward else None
        name = f"{chance.pick(names['given_f' if p.sex == 'F' else 'given_m'])} {surnames.pop()}"
        born = date(NOW.year - p.age, 3, 2) - timedelta(days=chance.whole(0, 364))
        rows.append((p.patient_id, name, born.isoformat(), p.sex, p.ward, bed, p.allergies, chance.pick(BLOOD)))
    return rows


def _diagnoses(chance: Chance, patient: Patient) -> list[Row]:
    rows = list[Row]()
    for condition in patient.conditions:
        since = patient.admitted - timedelta(days=chance.whole(1500, 4000) if condition.chronic else 0)
        rows.append((patient.patient_id, condition.code, condition.description, since.isoformat()))
    return rows
