"""The tracing benchmark measures what it says: who is traced sends spans, who is not none; a missing peer is told."""

import pytest

from bench import back_end, phoenix
from bench.tracing import caller, ratio, receiver
from tests.waiting import until


@pytest.mark.parametrize(
    ("ours", "peer", "spans", "ok"),
    [
        (10.4, 10.0, 0.1, True),  # 4 %
        (10.6, 10.0, 0.1, False),  # 6 %, and 6 ms a span
        (11.1, 10.0, 4, True),  # 0.28 ms a span
        (11.3, 10.0, 4, False),  # 0.33 ms a span
    ],
)
def test_five_percent_or_three_tenths_of_a_millisecond_a_span(ours, peer, spans, ok):
    assert ratio("it", [(ours, peer)], spans).ok is ok


def test_who_is_traced_sends_spans_and_who_is_not_sends_none():
    with receiver() as (url, store):
        with caller("", "agent") as untraced:
            assert untraced.p50(2) > 0
        with caller(url, "agent") as traced:
            assert traced.p50(2) > 0
        until(lambda: len(store.table()) == 12)  # a turn: the agent, two rounds with a chat each, the tool
        assert set(store.table()["service"]) == {"agent"}


def test_every_span_that_is_counted_is_kept_and_a_trace_has_its_root():
    with receiver() as (url, store), back_end.client() as client:
        rate = back_end.rate(client, url, lambda: back_end.rows(store), ["ab" * 16], back_end.BATCH + 1)
        spans = store.trace("ab" * 16)
        assert rate > 0 and len(spans) == back_end.BATCH + 1
        assert sum(not span.parent_id for span in spans) == 1


def test_without_phoenix_the_reason_is_told(monkeypatch):
    monkeypatch.setattr(phoenix, "missing", lambda: "no such package")
    rates, notes = back_end.against_phoenix(None, "", lambda: 0)
    assert not rates and "no such package" in notes[0]
