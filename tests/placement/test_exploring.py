"""All 27 as a table: the article's patterns in it, and when a third is better."""

import pytest

from helpers.placement import Flow, Placement, explore, front, predict, third
from helpers.placement.capability import Choice, choices
from helpers.placement.errors import OutOfRange
from helpers.placement.work import ANYWHERE
from helpers.sizing.memory import needs
from tests.placement.made import free, topology, work

MODELS = {"outpost": Choice("8B", 0), "local-zone": Choice("70B", 1), "region": Choice("large", 2)}
PRICES = {
    (part, place): price
    for part, prices in {"agent": (0.2, 0.1, 0.1), "model": (3.0, 4.0, 9.0), "tools": (0.2, 0.1, 0.1)}.items()
    for place, price in zip(("outpost", "local-zone", "region"), prices, strict=True)
}  # invented


def placements(table):
    return [Placement(*row) for row in table[["agent", "model", "tools"]].itertuples(index=False)]


def test_the_table_has_each_placement_once_those_that_may_be_first():
    table = explore(topology(), work(), models=MODELS, prices=PRICES)
    assert len(set(placements(table))) == 27
    assert list(table["allowed"]) == sorted(table["allowed"], reverse=True)
    assert table[table["allowed"]]["seconds"].is_monotonic_increasing
    one = predict(placements(table)[5], topology(), work())
    assert table["seconds"][5] == pytest.approx(one.seconds, abs=1e-4) and table["why not"][5] == "; ".join(
        one.refusals
    )


def test_where_patients_data_may_not_leave_only_the_local_pattern_is_left():
    table = explore(topology(), work(), models=MODELS, prices=PRICES)
    (row,) = table[table["allowed"]].itertuples()
    assert (row.pattern, row.runs, row.crosses) == ("local agents", "8B", "")
    assert len(third(table)) == 0


def test_where_only_the_raw_data_may_not_leave_the_distributed_pattern_may_be():
    """The edge answers with sums, as an agent that is a tool does."""
    sums = {
        "question": Flow(1, sent=200, received=400),
        "model": Flow(3, connections=3, sent=6_000, received=1_500, seconds=0.9, classes={"sums"}),
        "tools": Flow(2, sent=400, received=3_000, classes={"sums"}),
    }
    some = work(**sums, rules={"patient": ["outpost"], "sums": ANYWHERE})
    table = explore(topology(), some, models=MODELS, prices=PRICES)
    allowed = table[table["allowed"]]
    assert set(allowed["tools"]) == {"outpost"} and len(allowed) == 9
    assert {"local agents", "distributed agents", "another"} == set(allowed["pattern"])
    assert "sums" in set(allowed["crosses"]) and not allowed["crosses"].str.contains("patient").any()


def test_a_third_is_better_where_the_agent_masks_what_its_tools_tell_before_a_model_elsewhere_reads_it():
    masking = work(
        model=Flow(3, connections=3, sent=6_000, received=1_500, seconds=0.9, classes={"masked"}),
        rules={"patient": ["outpost"], "masked": ANYWHERE},
    )
    table = explore(topology(), masking, models=MODELS, prices=PRICES)
    assert set(table[table["allowed"]]["pattern"]) == {"local agents", "another"}, (
        "the distributed pattern is ruled out"
    )
    assert placements(third(table)) == [
        Placement("outpost", "local-zone", "outpost"),
        Placement("outpost", "region", "outpost"),
    ]
    assert list(third(table)["runs"]) == ["70B", "large"] and set(third(table)["crosses"]) == {"masked"}


def test_a_third_is_faster_than_the_distributed_pattern_where_tools_are_asked_more_often_than_the_model():
    """Whoever needs the Region's model, asks from the Outpost, and has tools there."""

    def seconds(calls):
        often = free(tools=Flow(calls, classes={"patient"}), model=Flow(3, classes={"patient"}))
        row = explore(topology(), often).set_index(["agent", "model", "tools"])["seconds"]
        return row["outpost", "region", "outpost"], row["region", "region", "outpost"]

    third, distributed = seconds(calls=1)
    assert distributed < third, "one question and one call, against three answers of the model"
    third, distributed = seconds(calls=6)
    assert third < distributed


def test_nothing_on_the_front_is_beaten_and_everything_else_is():
    table = explore(topology(), free(), models=MODELS, prices=PRICES)
    rows = front(table)
    assert 0 < len(rows) < 27
    for at in range(len(table)):
        row = table.iloc[at]
        beats = (
            (table["seconds"] <= row["seconds"])
            & (table["USD/h"] <= row["USD/h"])
            & (table["rank"] >= row["rank"])
            & ((table["seconds"] < row["seconds"]) | (table["USD/h"] < row["USD/h"]) | (table["rank"] > row["rank"]))
        )
        assert beats.any() == (Placement(row["agent"], row["model"], row["tools"]) not in placements(rows))


def test_without_prices_and_models_time_alone_decides():
    rows = front(explore(topology(), free()))
    assert set(rows["seconds"]) == {min(explore(topology(), free())["seconds"])}
    assert rows["USD/h"].isna().all()


def test_each_place_gets_the_most_capable_candidate_that_fits():
    candidates = {
        "8B": needs("Llama-3.1-8B", "AWQ", 8192, 4, "vllm"),
        "70B": needs("Llama-3.3-70B", "FP8", 8192, 4, "vllm"),
    }
    found = choices(candidates, managed={"region": "a model of Bedrock"})
    assert (found["outpost"].model, found["outpost"].instance.split(".")[0]) == ("8B", "g4dn")
    assert found["local-zone"].model == "70B" and found["local-zone"].rank == 1
    assert found["region"].model == "a model of Bedrock" and found["region"].rank == 2
    assert found["outpost"].rank < found["local-zone"].rank


def test_where_the_least_model_that_will_do_does_not_fit_the_reason_is_told():
    candidates = {
        "8B": needs("Llama-3.1-8B", "AWQ", 8192, 4, "vllm"),
        "70B": needs("Llama-3.3-70B", "FP8", 8192, 4, "vllm"),
    }
    found = choices(candidates, least="70B")
    assert not found["outpost"].model and "outposts" in found["outpost"].why
    table = explore(topology(), free(), models=found)
    assert set(table[~table["allowed"]]["model"]) == {"outpost"}
    with pytest.raises(OutOfRange, match="none of the candidates 8B, 70B"):
        choices(candidates, least="405B")
