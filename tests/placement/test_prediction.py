"""A placement's time, what crosses, and whether it may."""

import math

import pytest

from helpers.placement import Flow, Placement, Routes, every, predict
from helpers.placement.capability import Choice
from helpers.placement.errors import AmbiguousPlace, MissingLink, OutOfRange, UnknownClass, UnknownPart, UnknownPlace
from helpers.placement.work import ANYWHERE
from helpers.sites.topology import Conditions
from tests.placement.made import LINKS, SITES, free, topology, work

HERE = Placement("outpost", "outpost", "outpost")


def test_there_are_27_placements_and_the_articles_patterns_are_named():
    assert len(set(every())) == 27
    names = [one.pattern for one in every()]
    assert names.count("local agents") == 2 and names.count("all in the Region") == 1
    assert names.count("distributed agents") == 2, "agent and model in the Region, tools at one of two edges"
    assert Placement("region", "region", "outpost").pattern == "distributed agents"
    assert Placement("outpost", "region", "outpost").pattern == "another"


def test_what_is_at_one_place_takes_only_its_own_time():
    one = predict(HERE, topology(), work())
    assert one.seconds == pytest.approx(0.05 + 0.9 + 0.1)
    assert (one.round_trips, one.bytes, one.classes, one.crossings) == (0, 0, frozenset(), ())
    assert one.allowed


def test_each_exchange_and_each_new_connection_is_a_round_trip_over_the_link():
    one = predict(Placement("outpost", "region", "local-zone"), topology(), free())
    assert one.seconds == pytest.approx(1.05 + 6 * 0.090 + 2 * 0.040)
    assert one.round_trips == 8 and one.bytes == 7_500 + 3_400
    assert {each.ask for each in one.crossings} == {"model", "tools"}


def test_jitter_counts_by_its_mean_and_bytes_by_the_bandwidth():
    links = [{"between": ["campus", "oregon"], "latency_ms": 10, "jitter_ms": 4, "bandwidth_mbit": 0.06}]
    one = predict(Placement("outpost", "region", "outpost"), topology(links), free())
    assert one.seconds == pytest.approx(1.05 + 6 * 0.024 + 7_500 * 8 / 60_000)


def test_the_model_may_be_faster_elsewhere():
    faster = free(at={"region": 0.3})
    assert predict(Placement("region", "region", "outpost"), topology(), faster).own["model"] == 0.3
    assert predict(HERE, topology(), faster).own["model"] == 0.9


def test_data_that_may_not_leave_rules_out_every_place_where_it_would_be():
    allowed = [one for one in every() if predict(one, topology(), work()).allowed]
    assert allowed == [HERE]
    said = "; ".join(predict(Placement("outpost", "region", "outpost"), topology(), work()).refusals)
    assert said == "patient may be at outpost, and is in the model flow at region"
    kept = predict(Placement("outpost", "outpost", "region"), topology(), work()).refusals
    assert kept == ("patient may be at outpost, and is in the tools flow and is kept at region",)


def test_a_flow_without_the_data_may_leave():
    counts = {"question": Flow(1), "model": Flow(3, classes="statistics"), "tools": Flow(2, classes="statistics")}
    careful = work(**counts, rules={"patient": ["outpost"], "statistics": ANYWHERE})
    assert careful.classes == {"patient", "statistics"}
    one = predict(Placement("region", "region", "outpost"), topology(), careful)
    assert one.allowed and one.classes == {"statistics"}


@pytest.mark.parametrize(
    "given, said",
    [
        ({"rules": {}}, "No rule says where data of the class 'patient' may be"),
        ({"rules": {"patient": ANYWHERE, "pateint": ["outpost"]}}, "'pateint', which nothing carries"),
    ],
)
def test_a_class_without_a_rule_and_a_rule_without_a_class_are_refused(given, said):
    with pytest.raises(UnknownClass, match=said):
        work(**given)


def test_a_slip_in_a_places_name_is_told_with_the_name_meant():
    with pytest.raises(UnknownPlace, match="Did you mean 'local-zone'"):
        Placement("outpost", "Local Zone", "outpost")
    with pytest.raises(UnknownPlace, match="Write one of outpost, local-zone, region"):
        Placement("outpost", "moon", "outpost")
    with pytest.raises(UnknownPlace, match="data of the class 'patient'"):
        work(rules={"patient": "outposts"})
    with pytest.raises(UnknownPlace, match="the caller"):
        work(caller="desk")


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_number_that_cannot_be_is_refused(value):
    with pytest.raises(OutOfRange, match="not negative"):
        Flow(value)
    with pytest.raises(OutOfRange, match="seconds"):
        work(seconds=value)
    with pytest.raises(OutOfRange, match="the model's seconds at region"):
        work(at={"region": value})
    with pytest.raises(OutOfRange, match="the price of the agent at region"):
        predict(HERE, topology(), work(), prices={("agent", "region"): value})


def test_a_missing_link_is_told_with_two_remedies():
    to_region = [link for link in LINKS if "oregon" in link["between"]]
    across = Placement("outpost", "local-zone", "outpost")
    with pytest.raises(MissingLink, match=r"joins outpost and local-zone.*\[\[links\]\].*through\(\"region\"\)"):
        predict(across, topology(to_region), free())
    through = Routes.of(topology(to_region)).through("region")
    assert through.between("outpost", "local-zone").latency_ms == 75
    assert predict(across, through, free()).seconds == pytest.approx(1.05 + 6 * 0.150)


def test_a_link_that_is_down_is_no_link():
    down = [link | {"state": "cut"} for link in LINKS]
    with pytest.raises(MissingLink, match="Links: none"):
        predict(Placement("outpost", "region", "outpost"), topology(down), free())
    assert predict(HERE, topology(down), work()).allowed, "which a local agent does not notice"


def test_two_sites_of_a_kind_are_told_apart_by_whoever_asks():
    with pytest.raises(AmbiguousPlace, match="campus, other"):
        predict(HERE, topology(sites=SITES | {"other": {"kind": "outpost"}}), work())
    with pytest.raises(AmbiguousPlace, match="twice"):
        Routes({("outpost", "region"): Conditions(), ("region", "outpost"): Conditions()})


def test_cost_is_the_sum_of_the_three_parts_where_all_prices_are_known():
    prices = {("agent", "outpost"): 0.1, ("model", "outpost"): 2.0, ("tools", "outpost"): 0.3}
    assert predict(HERE, topology(), work(), prices=prices).usd_per_hour == pytest.approx(2.4)
    assert predict(Placement("outpost", "region", "outpost"), topology(), work(), prices=prices).usd_per_hour is None
    with pytest.raises(UnknownPart, match="agent, model, tools"):
        predict(HERE, topology(), work(), prices={("gateway", "region"): 1})


def test_where_no_model_fits_the_placement_is_ruled_out():
    models = {"outpost": Choice(why="too large"), "local-zone": Choice("8B", 0), "region": Choice("70B", 1)}
    assert predict(HERE, topology(), work(), models=models).refusals == ("no model fits at outpost: too large",)
