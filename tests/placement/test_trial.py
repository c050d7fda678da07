"""Placements run for real: Strands agents at three sites, over links that are late, with a model from a script."""

import httpx
import pytest

from helpers.placement import Placement, predict
from helpers.placement.calibration import agrees, compare
from helpers.placement.errors import AmbiguousPlace
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
TURNS = 3


def parts(store):
    """Whether the traces of all turns of `measure` are whole: six spans at least of its three answers and two calls."""
    names = [[span.name for span in store.trace(summary.trace_id)] for summary in store.traces()]
    return [one for one in names if "invoke_agent turn" in one and "POST /turn" in one]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The six placements: what was measured, and the work as spans and ledger tell it."""
    store = Store(tmp_path_factory.mktemp("traces") / "traces.sqlite")
    with Receiver(store) as receiver, Network(SLOW, {"patient": [PATIENT]}) as network:
        network.telemetry = Program("oregon/receiver", receiver.url, lambda url, caller: url)  # not over the links
        with Trial(network, model_seconds=0.2) as trial:
            trial.measure([HERE], TURNS)
            until(lambda: len(parts(store)) == 1 + TURNS, 60)
            work = of_spans([span for one in store.traces() for span in store.trace(one.trace_id)], opens=["model"])
            trial.turn(APART)
            work = with_crossings(work, network.ledger.table(), APART, trial.sites)
            yield trial.measure(SIX, TURNS), work, trial


def test_spans_tell_three_answers_of_the_model_and_two_calls_of_the_tool(ran):
    _, work, _ = ran
    assert (work.model.exchanges, work.model.connections) == (3, 3)
    assert (work.tools.exchanges, work.tools.connections) == (2, 0)
    assert 0.6 <= work.model.seconds < 2


def test_the_ledger_tells_that_the_patients_data_crosses_with_each_flow(ran):
    _, work, _ = ran
    assert all(flow.classes == {"patient"} for flow in (work.question, work.model, work.tools))
    assert work.model.sent > work.tools.sent > 0, "the model is sent the whole talk each time"


def test_predictions_are_within_20_percent_of_what_was_measured(ran):
    measured, work, _ = ran
    table = compare(measured, SLOW, work)
    assert len(table) == 6 and agrees(table, 0.2), table.to_string()


def test_without_the_links_the_prediction_would_be_far_off(ran):
    measured, work, _ = ran
    assert not agrees(compare(measured, topology(), work), 0.2), "links of a fifth of the latency"


def test_what_the_model_rules_out_the_ledger_has_seen_leave(ran):
    _, work, trial = ran
    ruled = work.ruled({"patient": ["outpost"]}, data={"patient"})
    assert predict(HERE, SLOW, ruled).allowed and not predict(APART, SLOW, ruled).allowed
    with pytest.raises(LeftTheSite):
        trial.network.ledger.assert_never_left(trial.sites["outpost"], "patient")


def test_a_part_that_is_nowhere_is_refused_with_the_places_that_there_are(ran):
    url = ran[2].programs["outpost"].url
    answer = httpx.post(f"{url}/turn", json={"question": "?", "model": "moon", "tools": "outpost"}, trust_env=False)
    assert answer.status_code == 422 and "outpost, local-zone, region" in answer.json()["error"]


def test_addresses_beyond_loopback_are_refused(ran):
    url = ran[2].programs["outpost"].url
    answer = httpx.post(f"{url}/sites", json={"outpost": "http://example.com"}, trust_env=False)
    assert answer.status_code == 422 and "loopback" in answer.json()["error"]


def test_a_link_that_is_cut_ends_the_turns_that_need_it_and_no_others(ran):
    trial = ran[2]
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
