"""The store: what is kept comes back as it was, once, for so long; and what cannot be written is told."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from helpers.settings.settings import ROOT
from helpers.tracing import store as module
from helpers.tracing.errors import StoreFailed
from helpers.tracing.logs import Log
from helpers.tracing.points import Point
from helpers.tracing.store import COLUMNS, Store
from tests.processes import process
from tests.tracing import writers
from tests.tracing.made import NOW, SECOND, ids, span, trace_id

TREE = [
    span(1, seconds=10, site="campus-a", service="pharmacy"),
    span(2, parent=1, start=1, site="region", service="pricing", status="ERROR"),
    span(3, parent=1, start=2, site="region", service="pricing"),
    span(5, parent=4, start=3),  # 4 did not arrive
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store" / "traces.sqlite"


@pytest.fixture
def store(path):
    with closing(Store(path, wait=0.05)) as made:
        yield made


class Clock:
    now = 1_790_000_000.0

    def __call__(self):
        return self.now


def test_a_span_comes_back_as_it_was(store):
    whole = span(
        status="ERROR",
        status_message='"quoted"',
        service="pharmacy",
        site="campus-a",
        scope="strands",
        attributes={"n": 2**62, "share": 1.0, "text": "Ünï\0", "list": [1, "b", None], "map": {"inner": True}},
        events=({"name": "retried", "time": NOW, "attributes": {}},),
        links=({"trace_id": trace_id(2), "span_id": "0" * 16, "attributes": {"a": 1}},),
        resource={"service.name": "pharmacy"},
    )
    assert store.add_spans([whole]) == 1
    assert store.trace(trace_id()) == [whole]


def test_what_no_json_of_others_has_comes_back_too(store):
    store.add_spans([span(attributes={"inf": float("inf"), "nan": float("nan")})])
    (found,) = store.trace(trace_id())
    assert str(dict(found.attributes)) == "{'inf': inf, 'nan': nan}"


def test_a_trace_comes_by_the_start_of_its_spans_and_alone(store):
    store.add_spans([span(2, start=2), span(3, start=1), span(1), span(4, trace=2)])
    assert ids(store.trace(trace_id())) == [1, 3, 2]
    assert store.trace("unknown") == []


def test_what_is_sent_twice_is_stored_once(store):
    spans, logs, points = [span(1), span(2)], [Log(1, "a"), Log(1, "b")], [Point("m", "gauge", 1, value=1)]
    assert (store.add_spans(spans), store.add_logs(logs), store.add_metrics(points)) == (2, 2, 1)
    assert (store.add_spans([*spans, span(3)]), store.add_logs(logs), store.add_metrics(points)) == (1, 0, 0)
    assert (ids(store.trace(trace_id())), store.logs(), store.metrics()) == ([1, 2, 3], logs, points)


def test_records_that_are_alike_in_one_batch_stay_as_many(store):
    assert (store.add_logs([Log(1, "again")] * 3), store.add_logs([Log(1, "again")] * 3)) == (3, 0)
    assert len(store.logs()) == 3


def test_a_span_that_is_there_is_not_replaced(store):
    store.add_spans([span(name="first")])
    store.add_spans([span(name="second")])
    assert [each.name for each in store.trace(trace_id())] == ["first"]


def test_a_trace_is_told_in_a_line(store):
    store.add_spans(TREE)
    (told,) = store.traces()
    assert (told.trace_id, told.start, told.seconds, told.spans) == (trace_id(), NOW, 10, 4)
    assert (told.roots, told.orphans, told.errors) == (1, 1, 1)
    assert (told.sites, told.services) == (("campus-a", "region"), ("pharmacy", "pricing"))


def test_a_trace_lasts_until_what_was_last_done_at_the_site_of_its_first_root(store):
    elsewhere = {"site": "bergedorf", "start": 100}  # by a clock that is fast
    store.add_spans([span(1, trace=3), span(2, 3, 1, start=1, seconds=4), span(3, 3, 2, **elsewhere)])  # a stream
    store.add_spans([span(2, parent=1, start=1, seconds=3), span(3, parent=1, start=2, seconds=9)])
    store.add_spans([span(1, trace=2), span(2, trace=2, start=4, seconds=2)])
    assert [(each.seconds, each.roots, each.orphans) for each in store.traces()] == [(6, 2, 0), (10, 0, 2), (5, 1, 0)]


def test_traces_come_by_their_arrival_whatever_the_clock_of_a_site_says(store):
    for number, start in ((1, 500), (2, 0), (3, -500)):
        store.add_spans([span(1, trace=number, start=start)])
    store.add_spans([span(2, trace=1, start=501)])
    assert [each.trace_id for each in store.traces()] == [trace_id(1), trace_id(3), trace_id(2)]
    assert [each.trace_id for each in store.traces(limit=1)] == [trace_id(1)]


def test_traces_of_a_session_are_whole_whichever_attribute_names_it(store):
    store.add_spans([span(1, trace=1), span(2, trace=1, parent=1, attributes={"session.id": "s"})])
    store.add_spans([span(1, trace=2, attributes={"gen_ai.conversation.id": "s"}), span(1, trace=3)])
    assert [(each.trace_id, each.spans) for each in store.traces(session="s")] == [(trace_id(2), 1), (trace_id(1), 2)]
    assert store.traces(session="") == store.traces(session="unknown") == []


def test_a_table_has_a_span_a_row_and_the_attributes_that_are_asked_for(store):
    tokens = "gen_ai.usage.input_tokens"
    store.add_spans([span(2, parent=1, start=1e-9, seconds=0.5, attributes={tokens: 7}), span(1)])
    table = store.table(attributes=(tokens,))
    assert list(table.columns) == [*COLUMNS, tokens]
    assert list(table["start"]) == [pd.Timestamp(NOW, tz="UTC"), pd.Timestamp(NOW + 1, tz="UTC")]
    assert list(table["seconds"]) == [1, 0.5]
    assert table[tokens].sum() == 7 and table[tokens].isna().sum() == 1


def test_a_table_is_filtered_by_service_name_and_time(store):
    store.add_spans([*TREE, span(6, start=5, service="pricing", name="late")])
    since = datetime.fromtimestamp(NOW / SECOND + 2, ZoneInfo("Asia/Tokyo"))
    assert list(store.table(service="pricing")["span_id"]) == [f"{n:016x}" for n in (2, 3, 6)]
    assert list(store.table(service="pricing", since=since)["span_id"]) == [f"{n:016x}" for n in (3, 6)]
    assert list(store.table(name="late")["service"]) == ["pricing"]


def test_an_empty_table_has_its_columns_and_their_types(store):
    table = store.table(("a",), service="unknown")
    assert list(table.columns) == [*COLUMNS, "a"] and str(table["start"].dtype) == "datetime64[ns, UTC]"


def test_a_time_without_zone_is_refused(store):
    with pytest.raises(ValueError, match="no time zone"):
        store.table(since=datetime(2026, 1, 1))


def test_log_records_and_points_come_back_by_their_time_and_filtered(store):
    inside = Log(1, {"text": [1]}, "WARN", trace_id(), "0" * 16, "asked", "pharmacy", "campus-a", attributes={"a": 1})
    store.add_logs([Log(2, "later"), inside])
    sizes = Point("size", "histogram", 2, 1, "By", "DELTA", count=3, sum=4.5, bounds=(1.0, 2.5), counts=(1, 0, 2))
    store.add_metrics([sizes, Point("calls", "sum", 1, value=2), Point("share", "gauge", 3, value=0.5)])
    assert store.logs() == [inside, Log(2, "later")] and store.logs(trace_id()) == [inside]
    assert store.metrics("size") == [sizes]
    assert [(each.name, each.value) for each in store.metrics()] == [("calls", 2), ("size", None), ("share", 0.5)]


@pytest.mark.parametrize(
    "ask", [lambda store: store.trace(trace_id()), lambda store: store.logs(trace_id()), lambda s: s.metrics("m")]
)
def test_one_trace_is_found_by_an_index_and_needs_no_sorting(store, ask, monkeypatch):
    asked, connect = [], store._connect

    def traced():
        connection = connect()
        connection.set_trace_callback(asked.append)
        return connection

    monkeypatch.setattr(store, "_connect", traced)
    ask(store)
    with closing(sqlite3.connect(store.path)) as connection:
        plans = [
            detail
            for query in asked
            if query.startswith("select")
            for *_, detail in connection.execute(f"explain query plan {query}")
        ]
    assert plans and all("USING INDEX" in plan for plan in plans), plans


def test_what_arrived_too_long_ago_is_deleted_whatever_its_own_time_says(path):
    clock = Clock()
    store = Store(path, keep=timedelta(days=14), clock=clock)
    store.add_spans([span(1, start=1e6)])
    store.add_logs([Log(1, "old")])
    store.add_metrics([Point("old", "gauge", 1, value=1)])
    clock.now += 13 * 86_400
    store.add_spans([span(2, start=-1e6)])
    assert ids(store.trace(trace_id())) == [2, 1]
    clock.now += 86_400 + 1
    store.add_spans([span(3)])
    assert ids(store.trace(trace_id())) == [2, 3]
    assert store.logs() == store.metrics() == []


@pytest.mark.parametrize("batch", [7, 5_000])
def test_beyond_so_many_the_oldest_by_arrival_are_deleted(path, monkeypatch, batch):
    monkeypatch.setattr(module, "BATCH", batch)
    store = Store(path, most_spans=50)
    for first in range(0, 200, 20):
        numbers = range(first + 1, first + 21)
        store.add_spans([span(number, start=-number) for number in numbers])
        store.add_logs([Log(number) for number in numbers])
    kept = sorted(ids(store.trace(trace_id())))
    assert kept == list(range(201 - len(kept), 201)) and 50 <= len(kept) < 100
    store.add_spans([span(number) for number in range(201, 251)])
    assert sorted(ids(store.trace(trace_id()))) == list(range(201, 251))
    assert 50 <= len(store.logs()) < 100


def test_a_restart_finds_what_is_there(path):
    Store(path).add_spans(TREE)
    assert Store(path).trace(trace_id()) == TREE


def test_a_store_that_was_closed_is_opened_again(store):
    store.add_spans(TREE[:1])
    store.close()
    assert store.trace(trace_id()) == TREE[:1]
    assert store.add_spans(TREE) == len(TREE) - 1


def test_a_file_that_was_deleted_is_made_anew(store):
    store.add_spans(TREE)
    store.path.unlink()
    with pytest.raises(StoreFailed, match="folder is there"):
        store.traces()
    store.add_spans(TREE[:1])
    assert store.trace(trace_id()) == TREE[:1]


def test_the_file_is_for_this_user_alone(store):
    store.add_spans(TREE)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in store.path.parent.iterdir()}
    assert len(modes) == 3 and set(modes.values()) == {0o600}, modes


def test_while_another_process_writes_it_is_told_and_nothing_of_the_batch_is_there(store):
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreFailed, match="Another process is writing: wait for it, or end it, then try again"):
            store.add_spans(TREE)
        assert store.traces() == []
    assert store.add_spans(TREE) == len(TREE)


def test_a_batch_that_fails_midway_is_not_there_in_part(store, monkeypatch):
    good = list(module.SPANS.rows(TREE, 0))
    monkeypatch.setattr(module.SPANS, "rows", lambda *_: [*good, (None, *good[0][1:])])
    with pytest.raises(StoreFailed):
        store.add_spans(TREE)
    assert store.trace(trace_id()) == []


def test_a_connection_that_is_left_in_the_middle_is_replaced(store):
    store._connection.execute("begin")  # as after an error that cannot be rolled back
    with pytest.raises(StoreFailed, match="transaction"):
        store.add_spans(TREE)
    assert store.add_spans(TREE) == len(TREE)


def test_a_thread_does_not_wait_for_ever_for_the_others(store):
    with store._lock, pytest.raises(StoreFailed, match="still writing"):
        store.add_spans(TREE)


def test_a_file_that_is_no_store_is_told(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    with pytest.raises(StoreFailed, match="choose another path"):
        Store(path)
    assert path.read_bytes().startswith(b"no database")


def test_a_database_of_something_else_is_told_and_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table theirs (a)")
        with pytest.raises(StoreFailed, match=r"something else.*choose another path"):
            Store(path)
        assert connection.execute("select name from sqlite_master").fetchall() == [("theirs",)]


def test_a_store_of_another_version_is_told(path):
    Store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(StoreFailed, match=r"version 99.*Move the file away"):
        Store(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match="See to it that its folder is writable"):
        Store(tmp_path / "file" / "traces.sqlite")


@pytest.mark.parametrize(("what", "word"), [("full", "Free some space"), ("read_only", "writable")])
def test_a_disk_that_is_full_or_read_only_is_told_and_costs_nothing(tmp_path, what, word):
    told = writers.on_a_disk_of_its_own(what, tmp_path)
    if told is None:
        pytest.skip("this system does not let its users mount a disk of their own")
    assert word in told["said"] and told["before"] <= told["while"] == told["kept"]
    assert told["after"] == told["kept"] + 1


def test_many_threads_write_and_read_at_once(path):
    store = Store(path)

    def work(number):
        for batch in range(10):
            store.add_spans([span(100 * number + 10 * batch + n + 1, trace=number + 1) for n in range(10)])
            assert len(store.trace(trace_id(number + 1))) == 10 * (batch + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert [each.spans for each in store.traces()] == [100] * 8


def test_processes_write_at_once_while_this_one_reads(path):
    working = [process(writers.write, path, number, 20) for number in (1, 2)]
    store = Store(path)
    seen = []
    while any(each.is_alive() for each in working):
        seen.append(sum(each.spans for each in store.traces()))
    assert [each.exitcode for each in working] == [0, 0]
    assert seen == sorted(seen) and [each.spans for each in store.traces()] == [20, 20]


def test_stores_are_made_at_once(path):
    start = threading.Barrier(8)

    def make(number):
        start.wait()
        return Store(path).add_spans([span(number + 1)])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make, range(8))) == [1] * 8


def test_to_read_the_store_does_not_need_pandas():
    code = "import sys, helpers.tracing.store, helpers.tracing.receiver; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ).returncode == 0


def test_a_table_since_now_is_empty(store):
    store.add_spans([span(start=-1e6)])
    assert store.table(since=datetime.now(UTC) + timedelta(days=9999)).empty
