"""The audit log: what is written is there, and whatever is done to it behind its back is found."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from helpers.apps.audit import AuditLog, Tampered


@pytest.fixture
def log(tmp_path):
    made = AuditLog(tmp_path / "audit.sqlite")
    for number in range(1, 5):
        made.write("answered", tool="discard_stock", arguments={"quantity": number}, who="Maria", action="accept")
    return made


def edit(log, *statements):
    """Change the file as one does who has put the triggers away, and back afterwards."""
    with closing(sqlite3.connect(log.path)) as database:
        triggers = database.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"drop trigger {name}")
        for statement in statements:
            database.execute(statement)
        for _, sql in triggers:
            database.execute(sql)
        database.commit()


def test_what_was_written_is_there_and_verifies(log):
    assert [entry.arguments["quantity"] for entry in log.entries()] == [1, 2, 3, 4]
    assert log.verify() == 4 and log.verify(log.head) == 4
    assert list(log.table()["who"]) == ["Maria"] * 4


def test_ordinary_means_cannot_change_it(log):
    with closing(sqlite3.connect(log.path)) as database:
        for statement in ("update entries set who = 'Eve'", "delete from entries"):
            with pytest.raises(sqlite3.IntegrityError, match="not changed"):
                database.execute(statement)


COLUMNS = "number, at, event, operation, server, tool, arguments, who, details, hash"
CHANGES = {
    "who": ["update entries set who = 'Eve' where number = 2"],
    "time": ["update entries set at = at + 1 where number = 2"],
    "event": ["update entries set event = 'asked' where number = 2"],
    "arguments": ["""update entries set arguments = '{"quantity":99}' where number = 2"""],
    "details": ["""update entries set details = '{"action":"decline"}' where number = 4"""],
    "hash": ["update entries set hash = replace(hash, substr(hash, 1, 1), 'x') where number = 2"],
    "first deleted": ["delete from entries where number = 1"],
    "deleted": ["delete from entries where number = 2"],
    "deleted and closed up": [
        "delete from entries where number = 2",
        "update entries set number = 2 where number = 3",
        "update entries set number = 3 where number = 4",
    ],
    "last deleted": ["delete from entries where number = 4"],
    "all deleted": ["delete from entries"],
    "swapped": [
        "update entries set number = -2 where number = 2",
        "update entries set number = 2 where number = 3",
        "update entries set number = 3 where number = -2",
    ],
    "repeated": [
        f"insert into entries ({COLUMNS}) select 5, {COLUMNS.partition(', ')[2]} from entries where number = 4"
    ],
}


@pytest.mark.parametrize("statements", CHANGES.values(), ids=list(CHANGES))
def test_what_is_changed_is_found(log, statements):
    edit(log, *statements)
    with pytest.raises(Tampered):
        log.verify()


def test_an_anchor_that_is_gone_or_changed_is_found(log):
    text = log.anchor.read_bytes()
    for changed in (text[:-8], text.replace(b"4", b"3"), b""):
        log.anchor.write_bytes(changed)
        with pytest.raises(Tampered):
            log.verify()
    log.anchor.unlink()
    with pytest.raises(Tampered):
        log.verify()


def test_another_log_in_its_place_is_found(log, tmp_path):
    other = AuditLog(tmp_path / "other.sqlite")
    other.write("asked")
    shutil.copy(other.path, log.path)
    with pytest.raises(Tampered):
        log.verify()


def test_an_earlier_copy_of_everything_is_found_with_a_head_that_was_kept(log, tmp_path):
    for path in (log.path, log.anchor):
        shutil.copy(path, tmp_path / f"{path.name}.old")
    log.write("asked")
    kept = log.head
    for path in (log.path, log.anchor):
        shutil.copy(tmp_path / f"{path.name}.old", path)
    assert log.verify() == 4, "by itself it is whole"
    with pytest.raises(Tampered, match="head"):
        log.verify(kept)
