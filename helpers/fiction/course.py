"""How a stay went: observations, laboratory values and encounters that follow from the conditions and their course."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from helpers.fiction.chance import Chance
from helpers.fiction.conditions import Normal, Range, normals
from helpers.fiction.database import Row
from helpers.fiction.people import NOW, Patient

KINDS = ["pulse", "systolic", "temperature", "respiratory rate", "oxygen saturation"]
PANEL = ["Potassium", "Sodium", "Creatinine", "Haemoglobin", "Leucocytes", "Platelets", "C-reactive protein", "Glucose"]
CHILDREN = {  # upper age: ranges that differ from those of adults
    5: {"pulse": [92, 122], "systolic": [88, 102], "respiratory rate": [20, 28], "Creatinine": [22, 38]},
    11: {"pulse": [76, 108], "systolic": [94, 112], "respiratory rate": [17, 23], "Creatinine": [32, 52]},
    15: {"pulse": [64, 96], "systolic": [102, 124], "respiratory rate": [14, 20], "Creatinine": [42, 70]},
}
MIDST = 0.6  # how ill somebody is at the better end of the course, as a share of the worse end
LOWEST = {"oxygen saturation": 80.0}
HIGHEST = {"oxygen saturation": 100.0}
ROUNDS = {
    "improving": ["Better than yesterday", "Improving", "Comfortable and eating again"],
    "steady": ["No change since yesterday", "Stable", "Stable night"],
    "worsening": ["Worse than yesterday", "Not improving", "More unwell since the evening"],
}
NIGHTS = ["Slept well.", "Slept little, no pain.", "Up once with help, no fall.", "Quiet night, call bell within reach."]
CARE = ["Drank enough.", "Skin intact on all pressure points.", "Family telephoned in the evening.", "Cannula site clean."]


def observations(patient: Patient, chance: Chance) -> Iterator[Row]:
    """Pulse, pressure, temperature, breathing and saturation over the last three days of a stay."""
    if patient.admitted is None:
        return
    levels = {kind: _level(patient, kind, chance) for kind in KINDS}
    for at in _rounds(patient, patient.admitted, chance):
        for kind, level in levels.items():
            value = _value(patient, kind, level, at, chance)
            yield patient.patient_id, f"{at:%Y-%m-%d %H:%M}", kind, value, normals()[kind].unit
            if kind == "systolic":
                lower = round(value * chance.number(0.56, 0.66), 0)
                yield patient.patient_id, f"{at:%Y-%m-%d %H:%M}", "diastolic", lower, normals()[kind].unit


def laboratory(patient: Patient, chance: Chance) -> Iterator[Row]:
    """The usual panel and what the conditions call for, the last of them from this morning or the last visit."""
    own = [test for c in patient.conditions for test in c.laboratory]
    levels = {test: _level(patient, test, chance) for test in dict.fromkeys([*PANEL, *own, *patient.laboratory])}
    for at in _samples(patient, chance):
        for test, level in levels.items():
            value = _value(patient, test, level, at, chance)
            yield patient.patient_id, f"{at:%Y-%m-%d %H:%M}", test, value, normals()[test].unit


def encounters(patient: Patient, chance: Chance) -> Iterator[Row]:
    """Short notes: how the stay began, the rounds and nights since; for others the visits to the clinic."""
    notes = _visits(patient, chance) if patient.admitted is None else _stay(patient, patient.admitted, chance)
    for at, kind, summary in notes:
        yield patient.patient_id, f"{at:%Y-%m-%d %H:%M}", kind, summary


def _stay(patient: Patient, admitted: datetime, chance: Chance) -> Iterator[tuple[datetime, str, str]]:
    main = patient.conditions[0]
    planned = main.complaint.startswith(("planned", "rehabilitation"))
    yield admitted, "admission", f"Admitted {'for' if planned else 'with'} {main.complaint}. {_allergy(patient)}"
    for back in (2, 1):
        day = NOW.date() - timedelta(days=back)
        if day > admitted.date():
            how = chance.pick(ROUNDS[patient.course])
            yield chance.moment(day, 9, 11), "ward round", f"{how}; {main.plan}."
    if main.consult and admitted < NOW - timedelta(hours=36):
        yield chance.moment(NOW.date() - timedelta(days=1), 13, 16), "consultation", main.consult
    night = datetime.combine(NOW.date(), time(5, chance.whole(10, 50)))
    yield night, "nursing note", f"{chance.pick(NIGHTS)} {chance.pick(CARE)}"


def _visits(patient: Patient, chance: Chance) -> Iterator[tuple[datetime, str, str]]:
    main = patient.conditions[0]
    last = _last_visit(patient)
    yield last - timedelta(days=91), "outpatient visit", f"Came with {main.complaint}. {_allergy(patient)}"
    how = chance.pick(["Feels well", "Fewer complaints", "Unchanged"])
    yield last, "outpatient visit", f"{how}; {main.plan}. Next visit in three months."


def _allergy(patient: Patient) -> str:
    return "No known allergies." if patient.allergies == "none known" else f"Allergies: {patient.allergies}."


def _last_visit(patient: Patient) -> datetime:
    """A weekday of the last weeks, the same in every table."""
    day = NOW.date() - timedelta(days=3 + int(patient.patient_id[2:]) % 40)
    day -= timedelta(days=max(0, day.weekday() - 4))
    return datetime.combine(day, time(9 + int(patient.patient_id[2:]) % 6, 20))


def _rounds(patient: Patient, admitted: datetime, chance: Chance) -> Iterator[datetime]:
    hours = 4 if patient.ward == "A2" else 8
    for back in range(72 // hours, -1, -1):
        at = NOW - timedelta(hours=back * hours, minutes=chance.whole(20, 95))
        if at >= admitted:
            yield at


def _samples(patient: Patient, chance: Chance) -> Iterator[datetime]:
    if patient.admitted is None:
        yield _last_visit(patient) - timedelta(days=91)
        yield _last_visit(patient)
        return
    mornings = range(0, 4) if patient.ward in ("A1", "A2", "A3") or patient.laboratory else range(0, 5, 2)
    yield patient.admitted + timedelta(minutes=chance.whole(15, 70))
    for back in reversed(mornings):
        at = datetime.combine(NOW.date() - timedelta(days=back), time(6, chance.whole(5, 50)))
        if at > patient.admitted + timedelta(hours=4):
            yield at


def _level(patient: Patient, name: str, chance: Chance) -> float:
    """Where this patient's value lies at the worst: in the range, of those that apply, that is farthest from normal."""
    middle = _normal_range(patient, name)
    apply = [r for c in patient.conditions for r in (c.laboratory.get(name), c.observations.get(name)) if r]
    if name in patient.laboratory:
        apply = [patient.laboratory[name]]
    ranges = [middle, *apply]
    low, high = max(ranges, key=lambda r: abs(sum(r) - sum(middle)))
    return chance.number(low, high, 3)


def _value(patient: Patient, name: str, level: float, at: datetime, chance: Chance) -> float:
    """The value at a moment: between normal and `level`, by the course, with a little noise that never passes it."""
    normal = normals()[name]
    middle = sum(_normal_range(patient, name)) / 2
    swing = (normal.high - normal.low) * 0.08 * chance.number(-1, 1)
    value = middle + (level - middle) * _illness(patient, at) + swing
    return round(min(max(value, LOWEST.get(name, 0.0)), HIGHEST.get(name, 1e9)), normal.digits)


def _illness(patient: Patient, at: datetime) -> float:
    """From MIDST to 1: how far the illness was from its better end at this moment."""
    if patient.admitted is None or patient.course == "steady":
        return 1.0
    passed = (at - patient.admitted) / (NOW - patient.admitted)
    return MIDST + (1 - MIDST) * (passed if patient.course == "worsening" else 1 - passed)


def _normal_range(patient: Patient, name: str) -> Range:
    for oldest, ranges in CHILDREN.items():
        if patient.age <= oldest and name in ranges:
            return ranges[name]
    normal: Normal = normals()[name]
    return [normal.low, normal.high]
