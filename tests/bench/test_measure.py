"""A ratio that misses its bound is shown as missed, and the benchmark says so in its exit code."""

from types import SimpleNamespace

import pytest

from bench import __main__ as bench
from bench.measure import Ratio, in_turns


def ratio(ours, peer=10.0, bound=1.0, more_is_better=True):
    return Ratio("speed", "x/s", [(ours, peer)], bound, more_is_better)


@pytest.mark.parametrize(
    ("measured", "ok"),
    [
        (ratio(10.0), True),
        (ratio(9.9), False),
        (ratio(8.5, bound=0.85), True),
        (ratio(10.0, more_is_better=False), True),
        (ratio(10.1, more_is_better=False), False),
        (ratio(13.0, bound=1.3, more_is_better=False), True),
    ],
)
def test_the_bound_is_the_least_that_is_good_or_the_most_where_less_is_better(measured, ok):
    assert measured.ok is ok


def test_one_disturbed_round_does_not_decide():
    rounds = Ratio("speed", "x/s", [(10.0, 10.0), (1.0, 10.0), (11.0, 10.0)], 1.0)
    assert (rounds.ratio, rounds.ours, rounds.peer, rounds.ok) == (1.0, 10.0, 10.0, True)


def test_each_round_measures_both_and_they_take_turns_in_going_first():
    order = []
    pairs = in_turns(
        lambda turn: order.append(("ours", turn)) or 1.0, lambda turn: order.append(("peer", turn)) or 2.0, 2
    )
    assert pairs == [(1.0, 2.0)] * 2
    assert order == [("ours", 0), ("peer", 0), ("peer", 1), ("ours", 1)]


@pytest.mark.parametrize(("ours", "code", "verdict"), [(10.0, 0, "ok"), (9.0, 1, "missed")])
def test_the_exit_code_is_1_when_a_bound_is_missed(monkeypatch, capsys, ours, code, verdict):
    part = SimpleNamespace(ratios=lambda: [ratio(20.0), ratio(ours)], notes=lambda: ["a note"])
    monkeypatch.setattr(bench, "_wanted", lambda: [part])
    assert bench.main() == code
    printed = capsys.readouterr().out
    assert verdict in printed and "a note" in printed
