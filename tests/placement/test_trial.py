"""Placements run for real: Strands agents at three sites, over links that are late, with a model from a script."""

import httpx
import pytest

from helpers.placement import Placement, predict
from helpers.placement.calibration import agrees, compare
from helpers.placement.errors import AmbiguousPlace, NoTurn
from helpers.placement.measured import of_spans, with_crossings
from helpers.placement.trial import PATIENT, Trial
from helpers.sites.errors import LeftTheSite
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.tracing.receiver import Receiver
from helpers.tracing.store import Store
from tests.placement.made import SITES, topology
from tests.waiting import until

pytestmark = pytest.mark.alone
LATENCY = {("campus", "metro"): 60, ("campus", "oregon"): 150, ("metro", "oregon"): 90}
SLOW = topology([{"between": list(pair), "latency_ms": latency} for pair, latency in LATENCY.items()])
HERE = Placement("outpost", "outpost", "outpost")
APART = Placement("region", "local-zone", "outpost")
SIX = [
    HERE,
    APART,
    Placement("region", "region", "outpost"),
    Placement("outpost", "region", "outpost"),
    Placement("outpost", "local-zone", "outpost"),
    Placement("local-zone", "local-zone", "outpost"),
]


def whole(store, trace):
    """Whether a turn's trace is there: its program sends its outermost span last."""
    return {"invoke_agent turn", "POST /turn"} <= {span.name for span in store.trace(trace)}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The six placements: what was measured, the links as measured, the work as spans and ledger tell it.

    What the parts take themselves is read from a turn that ran among the others, so that a machine that has other work
    is as slow for the prediction as for what it is held against.
    """
    store = Store(tmp_path_factory.mktemp("traces") / "traces.sqlite")
    with Receiver(store) as receiver, Network(SLOW, {"patient": [PATIENT]}) as network:
        network.telemetry = Program("oregon/receiver", receiver.url, lambda url, caller: url)  # not over the links
        with Trial(network, model_seconds=0.2) as trial:
            trial.load()
            trial.turn(APART)
            crossed = network.ledger.table()
            measured = trial.measure(SIX)
            links = trial.links()
            until(lambda: whole(store, trial.fastest(HERE)), 60)
            work = of_spans(store.trace(trial.fastest(HERE)), opens=["model"])
            yield measured, links, with_crossings(work, crossed, APART, trial.sites), trial


def test_spans_tell_three_answers_of_the_model_and_two_calls_of_the_tool(ran):
    _, _, work, _ = ran
    assert (work.model.exchanges, work.model.connections) == (3, 3)
    assert (work.tools.exchanges, work.tools.connections) == (2, 0)
    assert 0.6 <= work.model.seconds < 2


def test_the_ledger_tells_that_the_patients_data_crosses_with_each_flow(ran):
    _, _, work, _ = ran
    assert all(flow.classes == {"patient"} for flow in (work.question, work.model, work.tools))
    assert work.model.sent > work.tools.sent > 0, "the model is sent the whole talk each time"


def test_predictions_are_within_20_percent_of_what_was_measured(ran):
    measured, links, work, _ = ran
    table = compare(measured, links, work)
    assert len(table) == 6 and agrees(table, 0.2), table.to_string()


def test_the_links_are_measured_to_be_as_late_as_they_were_set(ran):
    links = ran[1]
    for (one, other), latency in LATENCY.items():
        measured = links.between(SITES[one]["kind"], SITES[other]["kind"]).latency_ms
        assert latency * 0.9 < measured < latency * 1.2, (one, other)


def test_a_round_trip_takes_time_only_where_there_is_a_link(ran):
    assert ran[1].between("outpost", "outpost").latency_ms == 0


def test_the_trace_of_the_fastest_turn_is_kept_and_that_of_no_turn_is_refused(ran):
    trial = ran[3]
    turns = trial._turns[HERE]
    assert trial.fastest(HERE) == min(turns)[1] and len({trace for _, trace in turns}) == len(turns) >= 3
    with pytest.raises(NoTurn, match="Run one"):
        trial.fastest(Placement("local-zone", "region", "region"))


def test_without_the_links_the_prediction_would_be_far_off(ran):
    measured, _, work, _ = ran
    assert not agrees(compare(measured, topology(), work), 0.2), "links of a third of the latency"


def test_what_the_model_rules_out_the_ledger_has_seen_leave(ran):
    _, _, work, trial = ran
    ruled = work.ruled({"patient": ["outpost"]}, data={"patient"})
    assert predict(HERE, SLOW, ruled).allowed and not predict(APART, SLOW, ruled).allowed
    with pytest.raises(LeftTheSite):
        trial.network.ledger.assert_never_left(trial.sites["outpost"], "patient")


def test_a_part_that_is_nowhere_is_refused_with_the_places_that_there_are(ran):
    url = ran[3].programs["outpost"].url
    answer = httpx.post(f"{url}/turn", json={"question": "?", "model": "moon", "tools": "outpost"}, trust_env=False)
    assert answer.status_code == 422 and "outpost, local-zone, region" in answer.json()["error"]


def test_a_place_that_is_nowhere_has_no_distance(ran):
    url = ran[3].programs["outpost"].url
    answer = httpx.post(f"{url}/distance", json={"place": "moon"}, trust_env=False)
    assert answer.status_code == 422 and "outpost, local-zone, region" in answer.json()["error"]


def test_addresses_beyond_loopback_are_refused(ran):
    url = ran[3].programs["outpost"].url
    answer = httpx.post(f"{url}/sites", json={"outpost": "http://example.com"}, trust_env=False)
    assert answer.status_code == 422 and "loopback" in answer.json()["error"]


def test_a_link_that_is_cut_ends_the_turns_that_need_it_and_no_others(ran):
    trial = ran[3]
    link = trial.network.link("campus", "oregon")
    link.cut()
    with pytest.raises(httpx.HTTPError):
        trial.turn(APART)
    assert trial.turn(HERE) > 0
    link.mend()


def test_a_topology_without_a_site_of_each_kind_is_refused():
    sites = {name: site for name, site in SITES.items() if name != "metro"}
    with Network(topology([], sites)) as network, pytest.raises(AmbiguousPlace, match="local-zone, and three has 0"):
        Trial(network)
