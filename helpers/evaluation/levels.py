"""What a model loses and gains at each level of quantisation: what `tools/quantisation.py` measured, as a table.

measured = read_levels(Path("data/quantisation/levels.json"))
table(measured, "q4_k_m")
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from helpers.evaluation.errors import RunUnusable
from helpers.evaluation.perplexity import Perplexity, ratio
from helpers.evaluation.report import COLOURS, interval, mcnemar

Right = dict[str, int]  # 1 or 0 by a case's id


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speed(_Shape):
    """Tokens a second of an answer, and as a ratio to the original's in the same rounds."""

    tokens_per_second: float
    ratio: float
    rounds: int


class Level(_Shape):
    """A level's figures; `bytes` of the file, `memory` of its process, `cases` by the name of their set."""

    model: str
    bytes: int
    memory: int
    speed: Speed
    log_probabilities: tuple[float, ...]
    cases: dict[str, Right] = {}


class Measured(_Shape):
    """All levels, and when, where and how they were measured."""

    date: str
    machine: str
    command: str
    documents: list[str]
    levels: dict[str, Level]


def read_levels(file: Path) -> Measured:
    """The figures in `file`.

    Raises:
        RunUnusable: it is not such a file.
    """
    try:
        return Measured.model_validate_json(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunUnusable(
            f"{file} holds no figures of levels ({error}). Measure: python tools/quantisation.py"
        ) from error


def table(measured: Measured, original: str) -> pd.DataFrame:
    """A row a level, the largest file first.

    Columns: GB of the file; GiB of the process; speed as a ratio to the original's; perplexity, and as a ratio to the
    original's (`perplexity_ratio`, `ppl_low`, `ppl_high`: paired, 95 %); for each set of cases the share that is right
    with Wilson's 95 % interval (`own`, `own_low`, `own_high`), and `own_p`: McNemar's p against the original, over the
    cases that both were asked.
    """
    base = measured.levels[original]
    ordered = sorted(measured.levels.items(), key=lambda item: -item[1].bytes)
    return pd.DataFrame({name.upper(): _row(level, base) for name, level in ordered}).T


def _row(level: Level, base: Level) -> dict[str, float]:
    own, theirs = Perplexity(level.log_probabilities), Perplexity(base.log_probabilities)
    times, low, high = ratio(theirs, own)
    row = {"GB": level.bytes / 1e9, "GiB": level.memory / 2**30, "speed": level.speed.ratio}
    row |= {"perplexity": own.value, "perplexity_ratio": times, "ppl_low": low, "ppl_high": high}
    for name, cases in level.cases.items():
        row |= _accuracy(name, cases, base.cases.get(name, {}))
    return row


def _accuracy(name: str, cases: Right, before: Right) -> dict[str, float]:
    low, high = interval(sum(cases.values()), len(cases))
    both = [(before[id_], right) for id_, right in cases.items() if id_ in before]
    p = mcnemar(both.count((1, 0)), both.count((0, 1)))
    return {name: sum(cases.values()) / len(cases), f"{name}_low": low, f"{name}_high": high, f"{name}_p": p}


def plot(figures: pd.DataFrame, sets: Mapping[str, str]) -> Figure:
    """Beside the size of the file: perplexity as a ratio, and the accuracy on each of `sets` (name: label)."""
    figure = Figure(figsize=(9.6 if sets else 4.8, 3.8), layout="constrained", facecolor="white")
    left, *others = figure.subplots(1, 2 if sets else 1, squeeze=False)[0]
    places = range(len(figures))
    names = [f"{name}\n{size:.2f} GB" for name, size in figures["GB"].items()]
    _draw(left, list(places), figures, ("perplexity_ratio", "ppl_low", "ppl_high"), COLOURS[0], "perplexity")
    left.axhline(1, color="#999999", linewidth=0.8)
    left.set_ylabel("perplexity, as a ratio to the original's")
    for right in others:
        _draw_sets(right, figures, sets)
    for axes in (left, *others):
        axes.set_xticks(list(places), names)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_sets(axes: Axes, figures: pd.DataFrame, sets: Mapping[str, str]) -> None:
    for number, (name, label) in enumerate(sets.items()):
        shifted = [place + (number - (len(sets) - 1) / 2) * 0.16 for place in range(len(figures))]
        _draw(axes, shifted, figures, (name, f"{name}_low", f"{name}_high"), COLOURS[number + 1], label)
    axes.set_ylim(0, 1)
    axes.set_ylabel("right calls, 95 % interval")
    axes.legend(frameon=False, loc="lower left")


def _draw(
    axes: Axes, places: list[float], figures: pd.DataFrame, columns: tuple[str, str, str], colour: str, label: str
) -> None:
    middle, low, high = (figures[column].astype(float) for column in columns)
    axes.errorbar(places, middle, [middle - low, high - middle], fmt="o", capsize=4, color=colour, label=label)
