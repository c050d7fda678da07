"""Spans of a site whose clock is wrong are moved into the call that caused them, and no others are."""

import pytest

from helpers.tracing.clock import adjusted
from tests.tracing.traces import GATEWAY, MS, ORCHESTRATOR, STOCK, TELEMETRY, Maker, question


def offsets(make):
    """In ms, by name."""
    return {span.name: adjusted(make.spans)[span.span_id] / MS for span in make.spans}


def call(start, ms, **kind):
    """A call that takes from 100 to 200 ms, and what another site makes of it."""
    make = Maker()
    parent = make(GATEWAY, "call", 100, 100)
    make(STOCK, "served", start, ms, parent, **kind)
    return offsets(make)["served"]


def test_with_right_clocks_nothing_is_moved():
    assert set(adjusted(question()).values()) == {0}


def test_a_site_two_minutes_behind_is_moved_by_two_minutes_and_no_other_is():
    spans = question({"falkenried": -120_000})
    moved = adjusted(spans)
    assert {span.site for span in spans if moved[span.span_id]} == {"falkenried"}
    assert {round(moved[span.span_id] / 1e9) for span in spans if span.site == "falkenried"} == {120}


def test_what_is_moved_is_centred_in_its_parent():
    assert call(-500, 40) == 630  # from 130 to 170
    assert call(700, 40) == -570


def test_what_is_longer_than_its_parent_begins_with_it():
    assert call(-500, 300) == 600


@pytest.mark.parametrize(
    ("start", "ms", "moved"), [(100, 100, 0), (99, 50, 26), (190, 50, 0), (200, 50, 0), (201, 50, -76)]
)
def test_what_begins_too_early_or_ends_too_late_by_its_own_length_is_moved(start, ms, moved):
    assert call(start, ms) == moved


def test_what_a_queue_hands_on_may_begin_late_but_not_early():
    assert call(5000, 50, kind="CONSUMER") == 0
    assert call(0, 50, kind="CONSUMER") == 125


def test_all_of_a_process_moves_with_the_call_that_entered_it_and_a_call_back_does_not():
    make = Maker(clocks={"falkenried": 60_000, "bergedorf": -1000})
    root = make(ORCHESTRATOR, "root", 0, 1000)
    served = make(STOCK, "served", 100, 800, root)
    inner = make(STOCK, "inner", 200, 600, served)
    make(STOCK, "late", 2000, 10, inner)  # of the same site: its clock is what it is
    make(GATEWAY, "back", 300, 100, inner)
    make(TELEMETRY, "further", 500, 100, inner)
    assert offsets(make) == {
        **{"root": 0, "served": -60_000, "inner": -60_000, "late": -60_000},
        **{"back": 0, "further": 950},
    }


def test_a_span_of_the_same_site_is_never_moved_by_itself():
    make = Maker()
    root = make(ORCHESTRATOR, "root", 0, 100)
    make(GATEWAY, "early", -5000, 10, root)
    assert offsets(make)["early"] == 0


def test_circles_and_orphans_have_an_offset_too():
    spans = question({"falkenried": -120_000})[1:]
    assert set(adjusted(spans)) == {span.span_id for span in spans}
    assert adjusted([]) == {}
