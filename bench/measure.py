"""A ratio of two measurements, taken in turns so that a noisy machine disturbs both alike."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Pairs = list[tuple[float, float]]
Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Ratio:
    """Ours and the peer's, in `unit`, a pair a round; `bound` is the least ratio, or the most where less is better."""

    name: str
    unit: str
    pairs: Pairs
    bound: float
    more_is_better: bool = True

    @property
    def ours(self) -> float:
        """The median of ours."""
        return statistics.median(ours for ours, _ in self.pairs)

    @property
    def peer(self) -> float:
        """The median of the peer's."""
        return statistics.median(peer for _, peer in self.pairs)

    @property
    def ratio(self) -> float:
        """The median of the ratios within a round: what disturbs one round does not count."""
        return statistics.median(ours / peer for ours, peer in self.pairs)

    @property
    def ok(self) -> bool:
        return self.ratio >= self.bound if self.more_is_better else self.ratio <= self.bound


@dataclass(frozen=True)
class Part:
    """What one part of a benchmark found: the ratios, and what is worth knowing besides."""

    ratios: list[Ratio]
    notes: list[str]


def milliseconds(work: Callable[[], object]) -> float:
    """How long `work` takes, once."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def in_turns(
    ours: Callable[[int], Measured], peer: Callable[[int], Measured], rounds: int
) -> list[tuple[Measured, Measured]]:
    """Measure both `rounds` times, alternating who goes first; each call gets the number of its round."""
    pairs = []
    for turn in range(rounds):
        if turn % 2:
            second, first = peer(turn), ours(turn)
            pairs.append((first, second))
        else:
            pairs.append((ours(turn), peer(turn)))
    return pairs
