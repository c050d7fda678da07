"""Calls between services are counted once each, with what they took, and drawn as they are in the table."""

from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

from helpers import views
from helpers.views import callers
from helpers.views.layout import Layout, columns
from tests.tracing.traces import AGENT, GATEWAY, ORCHESTRATOR, STOCK, TELEMETRY, Maker, busy, chain, question
from tests.views.looking import defects, texts

A, B, C = ("x", "a"), ("x", "b"), ("y", "c")


def test_each_pair_has_a_row_the_busiest_first():
    assert views.map_table(question()).to_numpy().tolist() == [
        ["oregon/orchestrator", "oregon/gateway", 3, 1, 896.0, 1436.0],
        ["oregon/gateway", "falkenried/stock", 2, 0, 800.0, 1412.0],
        ["oregon/gateway", "bergedorf/telemetry", 1, 1, 880.0, 880.0],
        ["oregon/orchestrator", "falkenried/stock-agent", 1, 0, 1490.0, 1490.0],
    ]
    assert views.map_table(question()).columns.tolist() == [
        *("caller", "callee", "calls", "errors", "p50_ms", "p95_ms")
    ]


def test_percentiles_are_of_what_the_caller_waited():
    make = Maker()
    for n in range(1, 101):
        ask = make(GATEWAY, "POST", n * 100, n, kind="CLIENT")
        make(STOCK, "tools/call", n * 100, n / 2, ask, kind="SERVER")
    assert views.map_table(make.spans).to_numpy().tolist() == [
        ["oregon/gateway", "falkenried/stock", 100, 0, 50.5, 95.05]
    ]


def test_a_direct_parent_that_is_no_client_counts_by_the_time_of_the_callee():
    make = Maker()
    make(STOCK, "work", 10, 20, make(GATEWAY, "publish", 0, 100))
    assert views.map_table(make.spans)["p50_ms"].tolist() == [20]


def test_a_call_failed_if_either_side_says_so_and_is_counted_once():
    make = Maker()
    for of_caller, of_callee in [("Timeout", None), (None, "ToolError"), ("Timeout", "ToolError"), (None, None)]:
        ask = make(GATEWAY, "POST", 0, 10, kind="CLIENT", error=of_caller)
        make(STOCK, "tools/call", 0, 10, ask, kind="SERVER", error=of_callee)
    assert views.map_table(make.spans)[["calls", "errors"]].to_numpy().tolist() == [[4, 3]]


def test_calls_within_a_service_and_from_missing_parents_are_none_and_a_service_at_two_sites_is_two():
    assert views.map_table(chain(5)).empty
    make = Maker()
    root = make(("x", "agent"), "a", 0, 10)
    make(("y", "agent"), "b", 0, 10, root)
    assert views.map_table(make.spans)[["caller", "callee"]].to_numpy().tolist() == [["x/agent", "y/agent"]]
    assert views.map_table(make.spans[1:]).empty


def test_a_span_that_arrives_twice_is_one_call_and_ids_are_of_their_trace():
    spans = question()
    again = [replace(span, trace_id="e" * 32) for span in spans]
    once, twice = views.map_table(spans), views.map_table([*spans, *again, *spans])
    assert (twice["calls"] == 2 * once["calls"]).all()


def test_clocks_that_differ_change_nothing():
    pd.testing.assert_frame_equal(views.map_table(question()), views.map_table(question({"falkenried": -120_000})))


def test_the_picture_has_the_services_by_site_and_a_label_for_each_pair():
    figure, alt = callers.figure_of(question())
    assert texts(figure) == [
        *("oregon", "orchestrator", "gateway", "falkenried", "stock-agent", "stock", "bergedorf", "telemetry"),
        *("3× p50 896 ms p95 1.44 s", "1 error", "2× p50 800 ms p95 1.41 s"),
        *("1× 880 ms", "1 error", "1× 1.49 s"),
    ]
    assert "oregon/gateway to bergedorf/telemetry 1× 880 ms 1 error" in alt


def test_callers_stand_left_of_whom_they_call_and_above_in_their_site():
    assert columns({A, B, C}, {(B, A), (A, C)}) == [[("x", [B, A])], [("y", [C])]]
    assert columns({A, C}, {(C, A)}) == [[("y", [C])], [("x", [A])]]


def test_where_all_call_each_other_who_calls_most_is_first_and_no_more_than_three_columns_are_drawn():
    pairs = {(A, C), (B, C), (C, A)}
    assert [[site for site, _ in column] for column in columns({A, B, C}, pairs)] == [["x"], ["y"]]
    line = [(f"site {n}", "s") for n in range(9)]
    found = columns(set(line), set(pairwise(line)))
    assert [len(column) for column in found] == [1, 1, 7]


def line():
    """Seven sites, each called by the one before, with errors: five of them share a column."""
    make, under = Maker(), None
    for n, site in enumerate("gbfcade"):
        under = make((site * 6, site * 6), "call", n * 10, 90 - 10 * n, under, error="Timeout")
    return make.spans


@pytest.mark.parametrize("spans", [question(), busy(), line()], ids=["question", "busy", "line"])
def test_text_is_neither_cut_off_nor_over_other_text_nor_too_small(spans):
    assert defects(callers.figure_of(spans)[0]) == ([], [], [])


def test_two_services_that_call_each_other_have_two_arrows():
    for one, other in [(A, B), (A, C)]:
        layout = Layout([one, other], [(one, other), (other, one)])
        there, back = layout.curves[one, other], layout.curves[other, one]
        assert all(a != b for a, b in zip(there, reversed(back), strict=True))


def test_services_that_call_nobody_are_shown_and_what_is_left_out_is_said():
    figure, alt = callers.figure_of(chain(2))
    assert texts(figure) == ["no calls", "oregon", "orchestrator"] and alt == "Calls: none."
    make = Maker()
    root = make(GATEWAY, "root", 0, 10)
    for n in range(300):
        make(("y", f"service {n}"), "call", 0, 10, root)
    figure, alt = callers.figure_of([*make.spans, Maker(2)(TELEMETRY, "alone", 0, 1)])
    assert "260 more pairs, 261 more services: see views.map_table" in texts(figure)
    assert alt.endswith("260 more pairs, 261 more services.")
    assert figure.get_size_inches()[1] < 70


def test_names_may_be_missing_or_hold_a_slash():
    make = Maker()
    root = make(("", ""), "root", 0, 10)
    make(("a/b", "c"), "call", 0, 10, make(AGENT, "call", 0, 10, root))
    assert views.map_table(make.spans)["caller"].tolist() == ["falkenried/stock-agent", "unnamed"]
    assert {"no site", "unnamed", "a/b", "c"} <= set(texts(callers.figure_of(make.spans)[0]))


def test_the_same_spans_in_any_order_give_the_same_picture():
    spans = busy()
    assert views.map(spans).data == views.map(spans[::-1]).data
    assert views.map(question()).data != views.map(spans).data
    assert views.map(question()).width == 1000 and ORCHESTRATOR[1] in views.map(question()).alt
