"""The records of Falkenried Hospital: what is known of each patient, as a database."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

from helpers.fiction.chance import Chance
from helpers.fiction.conditions import Condition, Prescription
from helpers.fiction.course import encounters, laboratory, observations
from helpers.fiction.database import Design, Row, insert, write
from helpers.fiction.people import NOW, SEED, Patient, patients

DESIGN = Design(
    schema=Path(__file__).with_name("hospital.sql"),
    mark=0x46484F53,
    version=1,
    about={
        "what": "Fiction: patients and records of the Falkenried Hospital, which does not exist.",
        "persons": "No real persons. Names, dates and illnesses were drawn by a program; any likeness is chance.",
        "made by": "helpers.fiction.patients of the Hybrid Agents Workshop, version 1",
        "now": f"{NOW:%Y-%m-%d %H:%M}",
        "not for": "Not medical advice; not for training or testing of anything used on patients.",
    },
)
VTE_WARDS = ["A3", "A4", "A6", "B1", "B3", "B4"]
PARACETAMOL_INFUSION_WARDS = ["A1", "A2", "A4", "B1"]


def hospital_records(path: Path) -> Path:
    """The hospital's database at `path`, written unless it is there already.

    Raises:
        PathTaken: there is a file of another origin.
    """
    return write(path, DESIGN, _fill)


def _fill(connection: sqlite3.Connection) -> None:
    insert(connection, "patients", [_person(patient) for patient in patients()])
    tables: dict[str, Callable[[Patient, Chance], Iterator[Row]]] = {
        "diagnoses": _diagnoses,
        "medications": _medications,
        "observations": observations,
        "laboratory": laboratory,
        "encounters": encounters,
    }
    for number, (table, rows) in enumerate(tables.items(), start=1):
        for patient in patients():
            insert(connection, table, rows(patient, _chance(patient, number)))


def _chance(patient: Patient, table: int) -> Chance:
    """Draws of its own for each patient and table, so that a change of one leaves the others as they are."""
    return Chance(SEED + table * 10_000 + int(patient.patient_id[2:]))


def _person(patient: Patient) -> Row:
    return [
        patient.patient_id,
        patient.name,
        patient.born.isoformat(),
        patient.sex,
        patient.ward,
        patient.bed,
        patient.allergies,
        patient.blood_group,
    ]


def _diagnoses(patient: Patient, chance: Chance) -> Iterator[Row]:
    for condition, since in _since(patient, chance):
        yield patient.patient_id, condition.code, condition.description, since.isoformat()


def _since(patient: Patient, chance: Chance) -> Iterator[tuple[Condition, date]]:
    for condition in patient.conditions:
        if condition.chronic or patient.admitted is None:
            years = min(12, max(1, patient.age - 20))
            yield condition, NOW.date() - timedelta(days=chance.whole(120, years * 365))
        else:
            yield condition, patient.admitted.date()


def _medications(patient: Patient, chance: Chance) -> Iterator[Row]:
    stops = {drug for condition in patient.conditions for drug in condition.stops}
    given: set[str] = set()
    for (drug, *rest), started in _prescriptions(patient, chance):
        if drug in given or drug in patient.never:
            continue
        given.add(drug)
        stopped = patient.admitted.date().isoformat() if patient.admitted and drug in stops else None
        yield patient.patient_id, drug, *_adapted(patient, drug, rest), started.isoformat(), stopped
    if patient.admitted:
        yield from _for_comfort(patient, given, chance)


def _prescriptions(patient: Patient, chance: Chance) -> Iterator[tuple[Prescription, date]]:
    """What the conditions call for: the new ones since admission, the old ones since long before."""
    for condition in patient.conditions:
        new = patient.admitted is not None and not condition.chronic
        days = chance.whole(60, 900)
        started = patient.admitted.date() if new and patient.admitted else NOW.date() - timedelta(days=days)
        replaced = condition.without_penicillin if "penicillin" in patient.allergies else []
        for prescription in [*replaced, *condition.medications]:
            yield prescription, started


def _adapted(patient: Patient, drug: str, rest: list[str]) -> list[str]:
    """Dose, route and frequency, the dose lower where the kidneys call for it."""
    if drug == "Vancomycin" and _has(patient, "kidney"):
        return ["1 g", "intravenous", "once daily by level"]
    return rest


def _for_comfort(patient: Patient, given: set[str], chance: Chance) -> Iterator[Row]:
    """What many patients get on a ward: prevention of thrombosis, and something for pain."""
    assert patient.admitted is not None
    admitted, second_day = patient.admitted.date(), patient.admitted.date() + timedelta(days=1)
    allowed = "Enoxaparin" not in patient.never and patient.ward in VTE_WARDS
    if allowed and chance.likely(0.7):
        dose = "20 mg" if _has(patient, "kidney") else "40 mg"
        yield _row(patient, ["Enoxaparin", dose, "subcutaneous", "once daily at 18:00"], admitted)
    if _has(patient, "child") or "Paracetamol" in given or chance.likely(0.55):
        return
    if patient.ward in PARACETAMOL_INFUSION_WARDS and second_day < NOW.date():
        yield _row(patient, ["Paracetamol", "1 g", "intravenous", "every 6 hours"], admitted, second_day)
        yield _row(patient, ["Paracetamol", "1 g", "oral", "every 6 hours as required"], second_day)
    else:
        yield _row(patient, ["Paracetamol", "1 g", "oral", "every 6 hours as required"], admitted)


def _row(patient: Patient, prescription: Prescription, started: date, stopped: date | None = None) -> Row:
    return [patient.patient_id, *prescription, started.isoformat(), stopped.isoformat() if stopped else None]


def _has(patient: Patient, tag: str) -> bool:
    return any(tag in condition.tags for condition in patient.conditions)
