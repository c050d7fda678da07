"""The table of levels: ratios are paired, intervals stay within bounds, and a level that lost much is seen."""

import json
import math

import pytest

from helpers.evaluation.errors import RunUnusable
from helpers.evaluation.levels import plot, read_levels, table
from helpers.evaluation.perplexity import Perplexity, ratio

SURPRISE = [-1.0, -2.0, -0.5, -3.0] * 25


def level(size, lost=0.0, right=30):
    return {
        "model": "m",
        "bytes": size,
        "memory": 2 * size,
        "speed": {"tokens_per_second": 10, "ratio": 1.0, "rounds": 4},
        "log_probabilities": [each - lost for each in SURPRISE],
        "cases": {"own": {f"case_{n}": int(n < right) for n in range(40)}},
    }


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "levels.json"
    levels = {"small": level(10**9, lost=0.5, right=10), "q4_k_m": level(2 * 10**9)}
    known = {"date": "2026-11-30", "machine": "x", "command": "y", "documents": ["z"], "levels": levels}
    file.write_text(json.dumps(known))
    return file


def test_the_perplexity_of_a_coin_is_two():
    assert Perplexity((math.log(0.5),) * 10).value == pytest.approx(2)
    assert Perplexity((math.log(0.5),) * 10).interval == pytest.approx((2, 2))


def test_the_interval_holds_the_value_and_narrows_with_more_tokens():
    few, many = Perplexity(tuple(SURPRISE)), Perplexity(tuple(SURPRISE) * 16)
    assert few.interval[0] < few.value < few.interval[1]
    assert many.interval[1] - many.interval[0] < (few.interval[1] - few.interval[0]) / 3


def test_a_ratio_over_the_same_tokens_is_surer_than_the_two_intervals():
    times, low, high = ratio(Perplexity(tuple(SURPRISE)), Perplexity(tuple(each - 0.1 for each in SURPRISE)))
    assert (times, low, high) == pytest.approx((math.exp(0.1),) * 3)


def test_a_ratio_of_different_texts_is_refused():
    with pytest.raises(ValueError, match="zip"):
        ratio(Perplexity((-1.0, -2.0)), Perplexity((-1.0,)))


def test_the_table_has_the_largest_first_and_sees_what_was_lost(file):
    found = table(read_levels(file), "q4_k_m")
    assert list(found.index) == ["Q4_K_M", "SMALL"]
    assert found["perplexity_ratio"].tolist() == pytest.approx([1, math.exp(0.5)])
    assert found.loc["SMALL", "own"] == 0.25 and found.loc["SMALL", "own_p"] < 0.001
    assert found.loc["Q4_K_M", "own_p"] == 1
    assert (found["own_low"] < found["own"]).all() and (found["own"] < found["own_high"]).all()


def test_the_plot_has_a_point_for_each_level(file):
    figure = plot(table(read_levels(file), "q4_k_m"), {"own": "own cases"})
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["Q4_K_M\n2.00 GB", "SMALL\n1.00 GB"]


@pytest.mark.parametrize("content", ["", "{", '{"levels": {}}', '{"levels": 3}'])
def test_a_file_without_figures_is_refused_with_the_command(tmp_path, content):
    file = tmp_path / "levels.json"
    file.write_text(content)
    with pytest.raises(RunUnusable, match=r"tools/quantisation\.py"):
        read_levels(file)
