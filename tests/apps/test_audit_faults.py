"""The audit log under faults: writers at once, a writer killed, no space, no permission. What is there is whole."""

import json
import multiprocessing
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from helpers.apps.audit import AuditLog
from tests.apps import audit_writers
from tests.apps.audit_writers import die
from tests.processes import process


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.sqlite"


def test_two_processes_that_write_at_once_make_one_whole_chain(path):
    writers = [process(audit_writers.write, path, who, 25) for who in ("Maria", "Jorge")]
    for writer in writers:
        writer.join()
    log = AuditLog(path)
    assert [writer.exitcode for writer in writers] == [0, 0] and log.verify() == 50
    for who in ("Maria", "Jorge"):
        assert [entry.arguments["n"] for entry in log.entries() if entry.who == who] == list(range(25))


# Whether the entry of a writer that is killed at a step is there.
STEPS = {
    "before anchor": 0,
    "after anchor": 0,
    "before commit": 0,
    "after commit": 1,
    "before replace": 1,
    "after replace": 1,
}


@pytest.mark.parametrize(("step", "there"), STEPS.items(), ids=list(STEPS))
def test_a_writer_killed_at_a_step_leaves_a_whole_log_that_others_go_on_with(path, step, there):
    audit_writers.write(path, "before", 2)
    assert die(path, step) == -signal.SIGKILL
    log = AuditLog(path)
    assert log.verify() == 2 + there
    assert log.write("asked", who="after").number == 3 + there
    assert log.verify() == 3 + there
    assert [entry.who for entry in log.entries()] == ["before"] * 2 + ["killed"] * there + ["after"]


@pytest.mark.parametrize("step", ["before anchor", "after anchor", "before replace", "after replace"])
def test_a_log_whose_maker_was_killed_is_made_by_the_next(path, step):
    assert die(path, step) == -signal.SIGKILL
    audit_writers.write(path, "after", 2)
    assert AuditLog(path).verify() == 2


@pytest.mark.parametrize("killed_after", [1, 5, 9])
def test_a_writer_killed_in_between_has_written_what_it_told_of(path, killed_after):
    reading, writing = multiprocessing.Pipe(duplex=False)
    writer = process(audit_writers.write_for_ever, path, writing)
    writing.close()
    numbers = [reading.recv() for _ in range(killed_after)]
    writer.kill()
    writer.join()
    while reading.poll():
        try:
            numbers.append(reading.recv())
        except EOFError:
            break
    log = AuditLog(path)
    assert log.verify() in (numbers[-1], numbers[-1] + 1)
    log.write("asked")
    assert log.verify() == len(log.entries())


def whole(told):
    """What was written before is there, what failed is not, and what comes afterwards is."""
    assert "cannot be used" in told["said"] and "Nothing was written" in told["said"]
    assert (told["before"], told["after"], told["left"]) == (2, 3, [])


def test_a_file_that_may_not_grow_is_told_and_costs_nothing(path, tmp_path):
    said = tmp_path / "said.json"
    worker = process(audit_writers.limited, path, said)
    worker.join()
    assert worker.exitcode == 0
    whole(json.loads(said.read_text()))


@pytest.mark.parametrize("what", ["full", "read_only"])
def test_a_disk_that_is_full_or_read_only_is_told_and_costs_nothing(tmp_path, what):
    (tmp_path / "disk").mkdir()
    told = audit_writers.on_a_disk_of_its_own(what, tmp_path / "disk", os.environ)
    if told is None:
        pytest.skip("this system does not let its users mount a disk of their own")
    whole(told)


def test_a_folder_that_becomes_read_only_is_told_and_costs_nothing():
    folder = Path(tempfile.mkdtemp())  # pytest's own are for this user alone
    try:
        if os.geteuid() == 0:
            os.chown(folder, audit_writers.NOBODY, audit_writers.NOBODY)
        worker = process(audit_writers.forbidden, folder, folder / "said.json")
        worker.join()
        assert worker.exitcode == 0
        whole(json.loads((folder / "said.json").read_text()))
    finally:
        shutil.rmtree(folder)
