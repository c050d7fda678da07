"""What runs come to: accuracy by category with its uncertainty, kinds of failure, two runs compared, a plot."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binomtest

from helpers.evaluation.results import Result

ALL = "all"
LEVEL = 0.95
COLOURS = ("#1f6f8b", "#c9652b", "#5b8c3e", "#7d5ba6")


def table(results: Sequence[Result]) -> pd.DataFrame:
    """One row a category, and one for all cases.

    Columns: n; right; accuracy (0 to 1) with its 95 % confidence interval, low and high; valid, the share of answers
    with calls whose calls can all be read and fit their schemas; function, the share with the right functions, of
    those where one was wanted; errors; p50_seconds of a case.

    The interval is Wilson's (Wilson 1927, JASA 22), which does not leave 0 to 1 and holds for few cases.

    Raises:
        ValueError: there are no results.
    """
    return pd.DataFrame([_row(name, group) for name, group in _groups(results)]).set_index("category")


def _groups(results: Sequence[Result]) -> list[tuple[str, list[Result]]]:
    if not results:
        raise ValueError("There are no results, so there is nothing to count.")
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.category, []).append(result)
    return [*groups.items(), (ALL, list(results))]


def _row(name: str, results: list[Result]) -> dict[str, object]:
    right = sum(result.right for result in results)
    low, high = interval(right, len(results))
    return {
        "category": name,
        "n": len(results),
        "right": right,
        "accuracy": right / len(results),
        "low": low,
        "high": high,
        "valid": _share([result.score.valid for result in results]),
        "function": _share([result.score.function for result in results]),
        "errors": sum(bool(result.error) for result in results),
        "p50_seconds": float(pd.Series([result.seconds for result in results]).median()),
    }


def _share(flags: Sequence[bool | None]) -> float:
    known = [flag for flag in flags if flag is not None]
    return sum(known) / len(known) if known else float("nan")


def interval(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of a share."""
    found = binomtest(right, n).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def failures(results: Sequence[Result]) -> pd.DataFrame:
    """How often each verdict was given, in each category; those that nobody got are left out."""
    rows = [(result.category, result.score.verdict) for result in results]
    found = pd.DataFrame(rows, columns=["category", "verdict"])
    return pd.crosstab(found["category"], found["verdict"])


def compare(before: Sequence[Result], after: Sequence[Result]) -> pd.DataFrame:
    """Two runs over the same cases, a row a category: n, both right, only one of them, neither, and p.

    p is McNemar's exact test (McNemar 1947, Psychometrika 12): how likely is a difference like this between the cases
    that only one run got right, if neither were better. Cases that only one run has are left out.

    Raises:
        ValueError: the runs have no case in common.
    """
    others = {result.id: result for result in after}
    pairs = [(result, others[result.id]) for result in before if result.id in others]
    groups = _groups([result for result, _ in pairs])
    return pd.DataFrame([_compared(name, group, others) for name, group in groups]).set_index("category")


def _compared(name: str, group: list[Result], others: Mapping[str, Result]) -> dict[str, object]:
    pairs = [(result.right, others[result.id].right) for result in group]
    gone, come = pairs.count((True, False)), pairs.count((False, True))
    return {
        "category": name,
        "n": len(pairs),
        "both": pairs.count((True, True)),
        "only_before": gone,
        "only_after": come,
        "neither": pairs.count((False, False)),
        "p": mcnemar(gone, come),
    }


def mcnemar(only_before: int, only_after: int) -> float:
    """The two-sided p of McNemar's exact test: a fair coin, thrown once for each case that only one run got right."""
    thrown = only_before + only_after
    return float(binomtest(only_before, thrown).pvalue) if thrown else 1.0


def plot(runs: Mapping[str, pd.DataFrame]) -> Figure:
    """A bar a category and run, with its interval; `runs` are tables as `table` makes them, under the runs' names.

    Raises:
        ValueError: there is no run.
    """
    if not runs:
        raise ValueError("There is no run, so there is nothing to draw.")
    categories = list(dict.fromkeys(name for each in runs.values() for name in each.index))
    figure = Figure(figsize=(1.5 + 1.3 * len(categories), 3.4), layout="constrained", facecolor="white")
    axes = figure.subplots()
    width = 0.8 / len(runs)
    for number, (name, each) in enumerate(runs.items()):
        places = [categories.index(category) + (number - (len(runs) - 1) / 2) * width for category in each.index]
        errors = [each["accuracy"] - each["low"], each["high"] - each["accuracy"]]
        colour = COLOURS[number % len(COLOURS)]
        axes.bar(places, each["accuracy"], width * 0.9, yerr=errors, capsize=3, label=name, color=colour)
    axes.set_xticks(range(len(categories)), [name.replace("_", "\n") for name in categories])
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("accuracy, 95 % interval")
    axes.spines[["top", "right"]].set_visible(False)
    if len(runs) > 1:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure
