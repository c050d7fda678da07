"""A ratio of two measurements, taken in turns so that a noisy machine disturbs both alike."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Ours against the peer's, in `unit`; `bound` is the least ratio, or the most where less is better."""

    name: str
    unit: str
    ours: float
    peer: float
    bound: float
    more_is_better: bool = True

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @property
    def ok(self) -> bool:
        return self.ratio >= self.bound if self.more_is_better else self.ratio <= self.bound


def in_turns(ours: Callable[[int], float], peer: Callable[[int], float], rounds: int) -> tuple[float, float]:
    """Medians of both over `rounds`, alternating who goes first; each call gets the number of its round."""
    pairs: list[tuple[float, float]] = []
    for turn in range(rounds):
        if turn % 2:
            second, first = peer(turn), ours(turn)
            pairs.append((first, second))
        else:
            pairs.append((ours(turn), peer(turn)))
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)
