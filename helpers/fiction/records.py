"""What follows from a patient's conditions: medicines, measured values and notes."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from helpers.fiction.chance import Chance
from helpers.fiction.conditions import Condition, Prescription, Range, critical_names, forbidden, normals
from helpers.fiction.database import Row

NOW = datetime(2026, 3, 2, 8, 0)
SIGNS = ["pulse", "systolic", "temperature", "respiratory rate", "oxygen saturation"]
ROUTINE = ["Potassium", "Sodium", "Creatinine", "Urea", "Haemoglobin", "Leucocytes", "Platelets", "C-reactive protein"]
CHILD = {
    "observations": {"pulse": [84.0, 110.0], "systolic": [94.0, 112.0], "respiratory rate": [19.0, 25.0]},
    "laboratory": {"Creatinine": [28.0, 55.0]},
}
INSULIN = ["Insulin human soluble", "6 units", "subcutaneous", "before meals"]
ENOXAPARIN = ["Enoxaparin", "40 mg", "subcutaneous", "once daily"]


@dataclass
class Patient:
    """A patient; the main condition comes first. `admitted` is the day of the visit for those not on a ward."""

    sex: str
    age: int
    ward: str | None
    conditions: list[Condition]
    allergies: str
    course: str
    admitted: date
    special: dict[str, Range] = field(default_factory=dict)
    patient_id: str = ""

    @property
    def tags(self) -> list[str]:
        return [tag for condition in self.conditions for tag in condition.tags] + [self.allergies.split(" ")[0]]

    def ranges(self, sort: str) -> dict[str, Range]:
        """The abnormal ranges of `laboratory` or `observations`; the main condition has the last word."""
        merged: dict[str, Range] = dict(CHILD[sort]) if self.age < 16 else {}
        for condition in reversed(self.conditions):
            merged |= getattr(condition, sort)
        return merged | (self.special if sort == "laboratory" else {})

    def steady(self, sort: str) -> list[str]:
        """The values that do not move with the main condition."""
        kept = [name for c in self.conditions if c.chronic for name in getattr(c, sort)]
        moving = [*getattr(self.conditions[0], sort), *self.special] if not self.conditions[0].chronic else []
        return [name for name in kept if name not in moving]


def medications(chance: Chance, patient: Patient) -> list[Row]:
    """What the patient takes, without what allergies and other conditions forbid; stopped drugs end on admission."""
    stops, rows = [drug for c in patient.conditions for drug in c.stops], dict[str, Row]()
    for condition in patient.conditions:
        started = patient.admitted - timedelta(days=chance.whole(40, 1400) if condition.chronic else 0)
        for drug, *rest in _prescribed(condition, patient, stops):
            stopped = patient.admitted.isoformat() if drug in stops else None
            rows.setdefault(drug, (patient.patient_id, drug, *rest, started.isoformat(), stopped))
    return list(rows.values())


def _prescribed(condition: Condition, patient: Patient, stops: list[str]) -> list[Prescription]:
    never = forbidden(patient.tags)
    drugs = condition.medications + condition.without_penicillin * ("penicillin" in patient.tags)
    given = [drug for drug in drugs if drug[0] not in never or (condition.chronic and drug[0] in stops)]
    if "diabetes" in condition.tags and not any(drug[0] not in stops for drug in given):
        given.append(INSULIN)
    bedridden = condition is patient.conditions[0] and patient.ward in ("A1", "A4", "B1", "B3")
    if bedridden and ENOXAPARIN[0] not in never and "kidney" not in patient.tags:
        given.append(ENOXAPARIN)
    return given


def laboratory(chance: Chance, patient: Patient) -> list[Row]:
    """One blood sample a day on a ward, one at a visit."""
    tests = list(dict.fromkeys(ROUTINE + list(patient.ranges("laboratory"))))
    days = (NOW.date() - patient.admitted).days if patient.ward else 0
    first = _at(patient.admitted, 6, 10) if patient.ward else _at(patient.admitted, 10, 10)
    rows = _measured(chance, patient, "laboratory", tests, [first + timedelta(days=day) for day in range(days + 1)])
    return [(number, at, _listed(str(test), patient), *rest) for number, at, test, *rest in rows]


def _listed(test: str, patient: Patient) -> str:
    """What the hospital's list of critical values calls `test` for such a patient, so that the two can be joined.

    Where it has no limit for them (a child's glucose, a creatinine known to be high), the test has its plain name.
    """
    drugs = {drug for condition in patient.conditions for drug, *_ in condition.medications}
    abnormal = [condition for condition in patient.conditions if test in condition.laboratory]
    applies = {
        "adult": patient.age >= 16,
        "new": bool(abnormal) and not any(condition.chronic for condition in abnormal),
        "on warfarin": "Warfarin" in drugs,
        "not on anticoagulant": "anticoagulated" not in patient.tags,  # enoxaparin does not change an INR
    }
    names = (f"{test} ({who})" for who, whether in applies.items() if whether)
    return next((name for name in names if name in critical_names()), test)


def observations(chance: Chance, patient: Patient) -> list[Row]:
    """Vital signs every eight hours on a ward, once at a visit."""
    times = [_at(patient.admitted, 6, 0) if patient.ward else _at(patient.admitted, 10, 0)]
    while patient.ward and times[-1] + timedelta(hours=8) < NOW:
        times.append(times[-1] + timedelta(hours=8))
    rows = _measured(chance, patient, "observations", SIGNS, times)
    lower = [
        (*row[:2], "diastolic", float(round(float(row[3] or 0) * 0.6)), row[4]) for row in rows if row[2] == SIGNS[1]
    ]
    return [*rows, *lower]


def _measured(chance: Chance, patient: Patient, sort: str, names: list[str], times: list[datetime]) -> list[Row]:
    rows = list[Row]()
    for name in names:
        normal = normals()[name]
        for at, value in zip(times, _series(chance, patient, sort, name, len(times)), strict=True):
            rows.append((patient.patient_id, f"{at:%Y-%m-%d %H:%M}", name, value, normal.unit))
    return rows


def _series(chance: Chance, patient: Patient, sort: str, name: str, count: int) -> list[float]:
    normal = normals()[name]
    low, high = patient.ranges(sort).get(name, [normal.low, normal.high])
    goal, values = chance.number(low, high, 4), list[float]()
    moves = name in patient.ranges(sort) and name not in patient.steady(sort) and patient.age >= 16
    for place in range(count):
        value = min(max(goal + (high - low) * chance.number(-0.1, 0.1, 4), low), high)
        share = _share(patient.course, place / max(count - 1, 1)) if moves else 1.0
        values.append(round(float(normal.middle + (value - normal.middle) * share), normal.digits))
    return values


def _share(course: str, done: float) -> float:
    """How far from normal a value is, on the way through the stay; the abnormal range of a table is 1."""
    return {"worsening": 0.5 + 0.5 * done, "improving": 1 - 0.4 * done}.get(course, 1.0)


def encounters(patient: Patient) -> list[Row]:
    """The notes: admission, consultation and this morning's round, or the visit."""
    main, number = patient.conditions[0], patient.patient_id
    told = f"Came with {main.complaint}. {main.description}; {main.plan}."
    if not patient.ward:
        return [(number, f"{patient.admitted} 10:30", "outpatient visit", told)]
    rows: list[Row] = [(number, f"{patient.admitted} 05:30", "admission", told)]
    if main.consult:
        rows.append((number, "2026-03-01 15:00", "consultation", main.consult))
    return [*rows, (number, "2026-03-02 07:30", "ward round", f"Course: {patient.course}. Plan: {main.plan}.")]


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute))
