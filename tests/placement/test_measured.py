"""The work of a turn, read from spans and from a ledger's table."""

import pandas as pd
import pytest

from helpers.placement import Flow, Placement, predict
from helpers.placement.errors import AmbiguousPlace, NoTurn, UnknownPlace
from helpers.placement.measured import of_spans, with_crossings
from helpers.tracing.spans import Span
from tests.placement.made import free, topology, work

MS = 10**6
SITES = {"outpost": "campus", "local-zone": "metro", "region": "oregon"}
APART = Placement("region", "local-zone", "outpost")


def span(number, parent, name, start, end, *, trace="1", service="agent", kind="INTERNAL", **attributes):
    """A span from `start` to `end` ms; `op` is its operation, `http` its method."""
    names = {"op": "gen_ai.operation.name", "http": "http.request.method"}
    given = {names[key]: value for key, value in attributes.items()}
    above = f"{parent:016x}" if parent else ""
    return Span(
        trace.rjust(32, "0"), f"{number:016x}", above, name, kind, start * MS, end * MS,
        service=service, site="campus", attributes=given,
    )  # fmt: skip


def turn(late=0, **more):
    """A turn of a second: two answers of the model, one call, each with one request; `late` ms more for the first."""
    return [
        span(1, 0, "POST /turn", 0, 1000 + late, kind="SERVER", http="POST", **more),
        span(2, 1, "invoke_agent a", 50, 950 + late, op="invoke_agent", **more),
        span(3, 2, "chat", 100, 400 + late, op="chat", **more),
        span(4, 3, "POST", 110, 390, kind="CLIENT", http="POST", **more),
        span(5, 4, "POST /api/chat", 120, 380, kind="SERVER", http="POST", service="model"),
        span(6, 5, "POST", 130, 140, kind="CLIENT", http="POST", service="model"),
        span(7, 2, "execute_tool t", 400 + late, 500 + late, op="execute_tool", **more),
        span(8, 7, "GET", 410, 490, kind="CLIENT", http="GET", **more),
        span(9, 2, "chat", 500 + late, 900 + late, op="chat", **more),
    ]


def test_requests_below_answers_and_calls_are_counted_and_their_times_added():
    read = of_spans(turn(), opens=["model"])
    assert read.model == Flow(2, connections=2, seconds=0.7) and read.tools == Flow(1, seconds=0.1)
    assert read.seconds == pytest.approx(0.2), "what is neither, from the outermost span of the agent's program"


def test_what_the_model_server_asks_of_others_is_none_of_the_agents_round_trips():
    shorter = [one for one in turn() if one.service == "agent"]
    assert of_spans(shorter).model.exchanges == of_spans(turn()).model.exchanges == 2


def test_a_call_with_several_requests_counts_each():
    more = [*turn(), span(20, 7, "POST", 420, 430, kind="CLIENT", http="POST")]
    assert of_spans(more).tools.exchanges == 2


def test_calls_at_the_same_time_count_as_the_longest_row_of_them():
    at_once = [*turn(), span(20, 2, "execute_tool u", 410, 480, op="execute_tool")]
    assert of_spans(at_once).tools == Flow(1, seconds=0.1)
    after = [*turn(), span(20, 2, "execute_tool u", 500, 520, op="execute_tool")]
    assert of_spans(after).tools.exchanges == 2


def test_an_agent_that_is_a_tool_counts_as_a_tool():
    inner = [
        span(30, 7, "invoke_agent b", 420, 480, op="invoke_agent"),
        span(31, 30, "chat", 430, 470, op="chat"),
    ]
    assert of_spans([*turn(), *inner]).model.exchanges == 2


def test_of_several_turns_the_one_in_the_middle_is_taken():
    several = [*turn(), *turn(late=5000, trace="2"), *turn(late=100, trace="3")]
    assert of_spans(several).model.seconds == pytest.approx(0.8)


def test_what_links_took_is_taken_off_the_times():
    read = of_spans(turn(), opens=["model"], placement=Placement("outpost", "local-zone", "region"), links=topology())
    assert read.model.seconds == pytest.approx(0.7 - 4 * 0.040)
    assert read.tools.seconds == pytest.approx(0.1 - 0.090)


def test_spans_without_a_turn_are_refused():
    with pytest.raises(NoTurn, match="settled"):
        of_spans([one for one in turn() if "invoke_agent" not in one.name])
    with pytest.raises(NoTurn):
        of_spans([])


def ledger(*rows):
    """As `network.ledger.table()` has it: from, to, status, bytes, classified."""
    table = pd.DataFrame(rows, columns=["from", "to", "status", "bytes", "classified"])
    return table.astype({"status": "Int64"})


TWO_TURNS = ledger(
    ("campus", "oregon", None, 300, "1 patient"),
    ("oregon", "metro", None, 2000, "1 patient, 2 bank account"),
    ("metro", "oregon", 200, 500, ""),
    ("oregon", "campus", None, 100, ""),
    ("campus", "oregon", 200, 900, "12 patient"),
    ("oregon", "campus", 200, 200, ""),
)


def test_bytes_are_means_of_the_turns_and_classes_those_that_were_found():
    read = with_crossings(free(), TWO_TURNS, APART, SITES, turns=2)
    assert (read.question.sent, read.question.received) == (150, 100)
    assert (read.model.sent, read.model.received) == (1000, 250)
    assert (read.tools.sent, read.tools.received) == (50, 450)
    assert read.model.classes == {"patient", "bank account"} and read.tools.classes == {"patient"}
    assert read.allowed("bank account") == ("outpost", "local-zone", "region")


def test_a_rule_that_is_there_stays():
    read = with_crossings(work(), TWO_TURNS, APART, SITES)
    assert read.allowed("patient") == ("outpost",) and not predict(APART, topology(), read).allowed


@pytest.mark.parametrize(
    "placement", [Placement("outpost", "region", "region"), Placement("region", "outpost", "outpost")]
)
def test_flows_that_cannot_be_told_apart_are_refused(placement):
    with pytest.raises(AmbiguousPlace, match="link of its own"):
        with_crossings(free(), TWO_TURNS, placement, SITES)


def test_a_ledger_without_the_turn_is_refused():
    with pytest.raises(NoTurn, match="Run a turn"):
        with_crossings(free(), TWO_TURNS.head(0), APART, SITES)
    with pytest.raises(NoTurn, match="from oregon to metro"):
        with_crossings(free(), TWO_TURNS.head(1), APART, SITES)
    with pytest.raises(UnknownPlace, match="lacks region"):
        with_crossings(free(), TWO_TURNS, APART, {"outpost": "campus", "local-zone": "metro"})
