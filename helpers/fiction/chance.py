"""Draws that are the same on every machine and Python: only `Random.random()` is promised to stay as it is."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A source of draws; the same seed gives the same draws."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed).random  # noqa: S311 - fiction, not secrets

    def likely(self, probability: float) -> bool:
        """True with this probability."""
        return self._draw() < probability

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._draw() * (high - low + 1))

    def number(self, low: float, high: float, digits: int = 2) -> float:
        """A number from `low` to `high`, rounded."""
        return round(low + self._draw() * (high - low), digits)

    def pick(self, things: Sequence[T]) -> T:
        """One of `things`."""
        return things[int(self._draw() * len(things))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """All of `things` in another order."""
        rest, mixed = list(things), []
        while rest:
            mixed.append(rest.pop(int(self._draw() * len(rest))))
        return mixed

    def moment(self, day: date, first_hour: int = 0, last_hour: int = 23) -> datetime:
        """A minute of `day` from `first_hour` to the end of `last_hour`."""
        minutes = self.whole(first_hour * 60, last_hour * 60 + 59)
        return datetime.combine(day, time()) + timedelta(minutes=minutes)
