"""Batches on disk: what becomes of them when the disk, the file or the receiver is not as it should be."""

import logging
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from helpers.tracing.spool import Spool
from tests.tracing.receivers import receiving
from tests.waiting import until

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def spool(tmp_path):
    made = []

    def make(url, path=tmp_path / "s.sqlite", **more):
        made.append(Spool(path, url, **more))
        return made[-1]

    yield make
    for each in made:
        each.close(0)


def test_a_spool_that_is_full_drops_the_oldest(spool):
    made = spool(NOWHERE, most_bytes=250)
    for number in range(5):
        assert made.put("/v1/traces", bytes([number]) * 100)
    assert len(made) == 2 and made.dropped == 3
    assert made._oldest()[2][0] == 3


def test_a_disk_that_cannot_be_written_breaks_no_work_and_is_told_of_once(spool, receiver, tmp_path, caplog):
    made = spool(receiver.url)
    good, made.path = made.path, tmp_path / "no" / "folder"
    assert not made.put("/v1/traces", b"") and not made.put("/v1/traces", b"")
    assert made.dropped == 2 and caplog.text.count("cannot be written") == 1
    assert not made.flush(0.1)
    made.path = good
    assert made.put("/v1/traces", b"") and made.flush(10)


def test_a_folder_that_cannot_be_made_breaks_no_work(spool, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    made = spool(NOWHERE, tmp_path / "file" / "telemetry" / "s.sqlite")
    assert "cannot be made" in caplog.text
    assert not made.put("/v1/traces", b"x") and made.dropped == 1
    made.close(60)  # it does not wait for what cannot be read
    assert not made._thread.is_alive()


def test_a_file_that_is_damaged_is_put_aside_and_a_new_one_begun(spool, receiver, tmp_path, caplog):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"this is no database" * 100)
    made = spool(receiver.url)
    assert made.put("/v1/traces", b"") and made.flush(10) and made.dropped == 0
    assert path.with_name("s.sqlite.damaged").read_bytes().startswith(b"this is no database")
    assert "is damaged" in caplog.text


def test_who_closes_does_not_wait_for_a_receiver_that_is_not_there(spool, caplog):
    made = spool(NOWHERE)
    made.put("/v1/traces", b"x")
    started = time.monotonic()
    made.close(60)
    assert time.monotonic() - started < 30 and len(made) == 1
    assert caplog.text.count(f"telemetry waits on disk: {NOWHERE} cannot be reached") == 1


@pytest.mark.parametrize("status", [400, 413, 500])
def test_what_would_be_refused_again_is_not_sent_again_and_blocks_nothing(spool, receiver, status):
    receiver.status = status
    made = spool(receiver.url)
    made.put("/v1/traces", b"")
    assert made.flush(10) and made.dropped == 1
    receiver.status = 200
    made.put("/v1/traces", b"")
    assert made.flush(10) and made.dropped == 1 and len(receiver.bodies) == 1


def test_a_receiver_that_asks_for_time_is_given_it(spool, receiver):
    receiver.status, receiver.headers = 503, {"Retry-After": "1"}
    made = spool(receiver.url)
    started = time.monotonic()
    made.put("/v1/traces", b"")
    until(lambda: receiver.asked == 2)
    assert time.monotonic() - started >= 1


def test_records_that_a_receiver_did_not_take_are_counted(spool, receiver, caplog):
    partial = {"rejected_spans": 3, "error_message": "trace_id has to be 16 bytes"}
    receiver.answer = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    made = spool(receiver.url)
    with caplog.at_level(logging.WARNING):
        made.put("/v1/traces", b"")
        assert made.flush(10)
    assert made.refused == 3 and made.dropped == 0 and "refused 3 records: trace_id has to be" in caplog.text


def test_an_answer_in_words_is_an_answer(spool, receiver):
    receiver.answer = b"thank you \xff"
    made = spool(receiver.url)
    made.put("/v1/traces", b"")
    assert made.flush(10) and made.refused == made.dropped == 0
