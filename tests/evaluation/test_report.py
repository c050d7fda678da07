"""Figures, held against published ones."""

import math

import pytest

from helpers.evaluation.report import compare, failures, interval, mcnemar, plot, table
from helpers.evaluation.results import Result
from helpers.evaluation.scoring import Reply, Score


def results(category, *verdicts, error=""):
    return [
        Result(
            id=f"{category}_{number}",
            category=category,
            key="",
            score=Score(verdict=verdict, valid=None if verdict == "no call" else True, function=verdict == "right"),
            replies=[Reply(seconds=number)],
            error="gone" if verdict == "error" else "",
        )
        for number, verdict in enumerate(verdicts)
    ]


GIVEN = results("a", "right", "right", "no call", "error") + results("b", "right")


def test_the_interval_is_wilsons():
    # Newcombe 1998 (Statistics in Medicine 17), table I, method 3: 81/263, 15/148, 0/20, 1/29
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (right, n), bounds in published.items():
        assert interval(right, n) == pytest.approx(bounds, abs=5e-5)


def test_the_test_is_mcnemars_exact_one():
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 2**10)  # 0.0215: two tails of ten fair coins
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1


def test_a_table_has_a_row_for_each_category_and_for_all():
    found = table(GIVEN)
    assert list(found.index) == ["a", "b", "all"] and list(found["n"]) == [4, 1, 5]
    assert list(found["right"]) == [2, 1, 3] and found.loc["a", "accuracy"] == 0.5
    assert (found["low"] < found["accuracy"]).all() and found.loc["b", "high"] == 1
    assert list(found["errors"]) == [1, 0, 1] and found.loc["a", "p50_seconds"] == 1.5
    assert found.loc["a", "valid"] == 1 and found.loc["a", "function"] == 0.5


def test_what_was_never_asked_for_has_no_share():
    given = [each.model_copy(update={"score": Score(verdict="right")}) for each in GIVEN]
    assert math.isnan(table(given).loc["all", "valid"]) and math.isnan(table(given).loc["all", "function"])


def test_failures_are_counted_by_kind():
    found = failures(GIVEN)
    assert found.loc["a"].to_dict() == {"error": 1, "no call": 1, "right": 2}
    assert found.loc["b"].to_dict() == {"error": 0, "no call": 0, "right": 1}


def test_two_runs_are_compared_over_the_cases_that_both_have():
    before = results("a", *["right"] * 5, *["no call"] * 15)
    after = results("a", *["no call"] * 1, *["right"] * 13, *["no call"] * 6)[:-2] + results("b", "right")
    row = compare(before, after).loc["a"]
    assert row[["n", "both", "only_before", "only_after", "neither"]].tolist() == [18, 4, 1, 9, 4]
    assert row["p"] == pytest.approx(mcnemar(1, 9))


@pytest.mark.parametrize("report", [table, lambda none: compare(none, GIVEN), lambda none: plot({})])
def test_nothing_cannot_be_reported(report):
    with pytest.raises(ValueError, match=r"There (are no results|is no run)"):
        report([])


def test_a_plot_has_a_bar_for_each_category_and_run():
    axes = plot({"before": table(GIVEN), "after": table(GIVEN[:4])}).axes[0]
    assert [len(bars.patches) for bars in axes.containers if hasattr(bars, "patches")] == [3, 2]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["before", "after"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "all"]
