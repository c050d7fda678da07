"""A ward of invented patients, other ones for each seed; the hospital's own are `helpers.fiction.hospital_records`.

    write_ward(Path("ward.sqlite"), patients(7))

All of it is fiction. The checks write wards that no notebook has.
"""

import sqlite3
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers import fiction
from helpers.fiction.chance import Chance
from helpers.fiction.database import Design, insert, write

HERE = Path(fiction.__file__).parent
ABOUT = {"fiction": "Invented data. No real persons; any likeness is chance. Not medical advice."}
DRUGS = [
    ("Warfarin", "5 mg"),
    ("Metformin", "1 g"),
    ("Bisoprolol", "2.5 mg"),
    ("Ramipril", "10 mg"),
    ("Insulin", "8 IU"),
]
TESTS = [("INR", "ratio", 1, 9), ("Potassium", "mmol/L", 2, 7), ("Haemoglobin", "g/dL", 6, 16)]


@dataclass(frozen=True)
class Medicine:
    """What a patient takes, or took: `stopped` is the day, None while it is given."""

    drug: str
    dose: str
    stopped: str | None = None


@dataclass(frozen=True)
class Value:
    """One value of a test."""

    test: str
    value: float
    unit: str
    taken_at: str


@dataclass(frozen=True)
class Person:
    """A patient with medicines and values. `ward` is None for who is not admitted."""

    patient_id: str
    name: str
    ward: str | None
    medicines: tuple[Medicine, ...]
    values: tuple[Value, ...]

    def record(self) -> dict[str, object]:
        """What the lab's first step is to return: medicines of now, the newest value of each test."""
        newest = {one.test: [one.value, one.unit] for one in sorted(self.values, key=lambda one: one.taken_at)}
        now = sorted(f"{one.drug} {one.dose}" for one in self.medicines if one.stopped is None)
        return {"medicines": now, "laboratory": newest}


def patients(seed: int, count: int = 8) -> list[Person]:
    """So many, with ids from P-5001 to P-9999; the same for the same seed."""
    chance = Chance(seed)
    words = tomllib.loads((HERE / "names.toml").read_text("utf-8"))
    surnames = chance.shuffled([start + end for start in words["surname_starts"] for end in words["surname_ends"]])
    numbers = chance.shuffled(range(5001, 10000))[:count]
    given = chance.shuffled(words["given_f"] + words["given_m"])
    return [
        Person(f"P-{number}", f"{given[place]} {surnames[place]}", "A2" if place % 3 else None, *_course(chance))
        for place, number in enumerate(numbers)
    ]


def write_ward(path: Path, people: Sequence[Person]) -> Path:
    """Write these patients at `path`, which must be free, and return the path."""
    design = Design(HERE / "hospital.sql", 0x4C484F53, 1, ABOUT)

    def fill(connection: sqlite3.Connection) -> None:
        for bed, person in enumerate(people, 1):
            place = (person.ward, f"{person.ward}-{bed:02}") if person.ward else (None, None)
            row = (person.patient_id, person.name, "1950-05-04", "F", *place, "none known", "0+")
            insert(connection, "patients", [row])
            insert(connection, "medications", [_given(person, one) for one in person.medicines])
            values = [(person.patient_id, one.taken_at, one.test, one.value, one.unit) for one in person.values]
            insert(connection, "laboratory", values)

    return write(path, design, fill)


def _given(person: Person, one: Medicine) -> tuple[str | None, ...]:
    return person.patient_id, one.drug, one.dose, "oral", "once daily", "2026-01-05", one.stopped


def _course(chance: Chance) -> tuple[tuple[Medicine, ...], tuple[Value, ...]]:
    """Two to four medicines, one of them stopped; three days of values, in no order."""
    drugs = chance.shuffled(DRUGS)[: chance.whole(2, 4)]
    medicines = tuple(Medicine(*one, "2026-02-27" if place == 0 else None) for place, one in enumerate(drugs))
    days = chance.shuffled(["2026-02-28 06:10", "2026-03-01 06:10", "2026-03-02 06:10"])
    values = [Value(test, chance.number(low, high, 1), unit, day) for test, unit, low, high in TESTS for day in days]
    return medicines, tuple(values)
