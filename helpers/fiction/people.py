"""Who there is: invented names, and the hospital's patients with their beds and conditions."""

import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

from helpers.fiction.chance import Chance
from helpers.fiction.conditions import Case, Condition, Range, cases, conditions, forbidden

NAMES = Path(__file__).with_name("names.toml")
NOW = datetime(2026, 3, 2, 8, 0)  # every record ends here
SEED = 20260302
ADMITTED = {"A1": 24, "A2": 10, "A3": 26, "A4": 24, "A5": 16, "A6": 20, "B1": 26, "B2": 18, "B3": 22, "B4": 18}
NOT_ADMITTED = 36
BAY = 4  # beds; men and women do not share one
BLOOD_GROUPS = ["0+"] * 38 + ["A+"] * 34 + ["B+"] * 9 + ["0-"] * 7 + ["A-"] * 6 + ["AB+"] * 3 + ["B-"] * 2 + ["AB-"]
ALLERGIES = [
    *["none known"] * 28,
    *["penicillin (rash)"] * 3,
    "penicillin (anaphylaxis)",
    "penicillin (rash), latex",
    "latex",
    "sulfonamides (rash)",
    "iodinated contrast medium (hives)",
    "ibuprofen (wheeze)",
    "peanuts (anaphylaxis)",
]
COURSES = ["improving"] * 6 + ["steady"] * 3 + ["worsening"]


@dataclass(frozen=True)
class Patient:
    """A patient; the first of `conditions` is the reason for being in hospital, or for coming to the clinic."""

    patient_id: str
    name: str
    born: date
    sex: str
    ward: str | None
    bed: str | None
    allergies: str
    blood_group: str
    admitted: datetime | None
    conditions: list[Condition]
    course: str
    laboratory: dict[str, Range] = field(default_factory=dict)  # in place of what the conditions say

    @property
    def age(self) -> int:
        return NOW.year - self.born.year - ((NOW.month, NOW.day) < (self.born.month, self.born.day))

    @property
    def never(self) -> set[str]:
        """The drugs that this patient must not get."""
        allergies = [word for word in ("penicillin", "ibuprofen") if word in self.allergies]
        return forbidden([tag for condition in self.conditions for tag in condition.tags] + allergies)


@cache
def patients() -> list[Patient]:
    """All patients of the hospital, in the order of their numbers."""
    chance = Chance(SEED)
    wards = [ward for ward, beds in ADMITTED.items() for _ in range(beds)] + [None] * NOT_ADMITTED
    given = cases()
    for case in given:
        wards.remove(case.ward)
    plans = chance.shuffled([*given, *wards])
    found = [_patient(number, plan, chance) for number, plan in enumerate(plans, start=1001)]
    return _bedded(_named(found, chance))


def names(sexes: list[str], chance: Chance) -> list[str]:
    """One full name for each of `sexes` ('F' or 'M'), no two alike."""
    lists = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    first = {"F": chance.shuffled(lists["given_f"]), "M": chance.shuffled(lists["given_m"])}
    last = chance.shuffled([a + b for a, b in product(lists["surname_starts"], lists["surname_ends"])])
    return [f"{first[sex][n % len(first[sex])]} {last[n]}" for n, sex in enumerate(sexes)]


def businesses() -> list[str]:
    """Names of invented businesses."""
    found: list[str] = tomllib.loads(NAMES.read_text(encoding="utf-8"))["businesses"]
    return found


def _patient(number: int, plan: Case | str | None, chance: Chance) -> Patient:
    case = plan if isinstance(plan, Case) else None
    ward = case.ward if case else plan if isinstance(plan, str) else None
    main = conditions()[case.condition] if case else _main_condition(ward, chance)
    age = case.age if case else _age(main, chance)
    others = [conditions()[key] for key in case.also] if case else _comorbidities(main, age, chance)
    days = case.days if case else chance.whole(1, 9)
    return Patient(
        patient_id=f"P-{number}",
        name="",
        born=_birthday(age, chance),
        sex=case.sex if case else main.sex or chance.pick("FM"),
        ward=ward,
        bed=None,
        allergies=case.allergies if case else chance.pick(ALLERGIES),
        blood_group=chance.pick(BLOOD_GROUPS),
        admitted=chance.moment(NOW.date() - timedelta(days=days), 7, 22) if ward else None,
        conditions=[main, *others],
        course=case.course if case else main.course or ("steady" if main.chronic else chance.pick(COURSES)),
        laboratory=case.laboratory if case else {},
    )


def _main_condition(ward: str | None, chance: Chance) -> Condition:
    if ward is None:
        return chance.pick([c for c in conditions().values() for _ in range(c.weight if c.chronic else 0)])
    return chance.pick([c for c in conditions().values() for _ in range(c.wards.count(ward))])


def _age(main: Condition, chance: Chance) -> int:
    low, high = main.ages
    if main.needs:
        low = max(low, conditions()[main.needs].ages[0])
    return chance.whole(low, high)


def _birthday(age: int, chance: Chance) -> date:
    """A day on which somebody was born who is `age` years old now."""
    latest = NOW.date().replace(year=NOW.year - age)
    return latest - timedelta(days=chance.whole(0, 364))


def _comorbidities(main: Condition, age: int, chance: Chance) -> list[Condition]:
    found = [conditions()[main.needs]] if main.needs else []
    common = [c for c in conditions().values() for _ in range(c.weight if c.chronic else 0)]
    for _ in range(min(3, max(0, (age - 30) // 18))):
        other = chance.pick(common)
        if chance.likely(0.75) and other.suits(age, [main, *found]):
            found.append(other)
    return found


def _named(found: list[Patient], chance: Chance) -> list[Patient]:
    full = names([patient.sex for patient in found], chance)
    return [replace(patient, name=name) for patient, name in zip(found, full, strict=True)]


def _bedded(found: list[Patient]) -> list[Patient]:
    """Give beds: women from the first bed of the ward, men from the first bay after theirs."""
    taken: dict[tuple[str, str], int] = {}
    women = {ward: sum(p.ward == ward and p.sex == "F" for p in found) for ward in ADMITTED}
    beds = []
    for patient in found:
        if patient.ward is None:
            beds.append(None)
            continue
        place = patient.ward, patient.sex
        taken[place] = taken.get(place, 0) + 1
        before = -(-women[patient.ward] // BAY) * BAY if patient.sex == "M" else 0
        beds.append(f"{patient.ward}-{before + taken[place]:02}")
    return [replace(patient, bed=bed) for patient, bed in zip(found, beds, strict=True)]
