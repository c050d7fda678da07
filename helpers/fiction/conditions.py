"""The clinical word list: conditions with what they bring along, normal values, and what must not be given."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("conditions.toml")

Range = list[float]
Prescription = list[str]  # drug, dose, route, frequency


@dataclass(frozen=True)
class Normal:
    """The normal range of a laboratory test or an observation, and how its values are written."""

    low: float
    high: float
    digits: int
    unit: str

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


@dataclass(frozen=True)
class Condition:
    """A diagnosis, and all that follows from it in a record."""

    key: str
    code: str
    description: str
    complaint: str
    plan: str
    ages: list[int]
    wards: list[str] = field(default_factory=list)
    sex: str | None = None
    chronic: bool = False
    weight: int = 1
    tags: list[str] = field(default_factory=list)
    avoid: list[str] = field(default_factory=list)  # tags of conditions that do not go with it
    needs: str | None = None  # key of a condition that goes before it
    course: str | None = None
    medications: list[Prescription] = field(default_factory=list)
    without_penicillin: list[Prescription] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)  # drugs that are stopped on admission
    laboratory: dict[str, Range] = field(default_factory=dict)
    observations: dict[str, Range] = field(default_factory=dict)
    consult: str | None = None

    def suits(self, age: int, others: "list[Condition]") -> bool:
        """Whether a patient of this age who has `others` can have it too."""
        return self.ages[0] <= age <= self.ages[1] and not any(self._clashes(other) for other in others)

    def _clashes(self, other: "Condition") -> bool:
        kept_apart = {*self.tags, *self.avoid} & set(other.tags) or set(self.tags) & set(other.avoid)
        return self.key == other.key or bool(kept_apart)


@dataclass(frozen=True)
class Case:
    """A patient whose main facts are given and not drawn."""

    ward: str
    condition: str
    also: list[str]
    allergies: str
    age: int
    sex: str
    course: str
    days: int
    laboratory: dict[str, Range] = field(default_factory=dict)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def conditions() -> dict[str, Condition]:
    """All conditions, by key, in the order of the table."""
    return {entry["key"]: Condition(**entry) for entry in _table()["condition"]}


@cache
def cases() -> list[Case]:
    """The patients that the notebooks talk about."""
    return [Case(**entry) for entry in _table()["case"]]


@cache
def normals() -> dict[str, Normal]:
    """The normal range of every test and observation."""
    return {name: Normal(*values) for name, values in _table()["normal"].items()}


@cache
def critical_names() -> set[str]:
    """The tests of which the hospital's list of critical values says for whom the limit is, as it names them."""
    return set(_table()["critical"]["names"])


def forbidden(tags: list[str]) -> set[str]:
    """The drugs that a patient with these tags is not given."""
    never: dict[str, list[str]] = _table()["never"]
    return {drug for tag in tags for drug in never.get(tag, [])}
