"""One database for the machine: started by whoever comes first, reachable by its user alone, never left behind."""

import contextlib
import os
import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest

from helpers.knowledge import StoreFailed, postgres
from helpers.knowledge.ingest import ingest
from helpers.knowledge.report import Report
from helpers.knowledge.store import Store, collections
from helpers.settings import SettingsError, settings
from helpers.sites.lease import AlreadyServed, Lease
from helpers.sites.postgres import keep
from tests.knowledge.conftest import gone, postmaster
from tests.knowledge.stand_ins import source
from tests.waiting import end, until

ASK = """
import sys
from helpers.knowledge.postgres import database_url
from helpers.knowledge.store import Store
Store("any").exists()
print(database_url(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def filled(corner, stand_in):
    """The corner's database with one document in it."""
    store = Store("kept")
    ingest(store, [source("a.txt", "Aspirin thins the blood.")], "english", Report())
    return store


def texts(store):
    return [row["text"] for row in store.rows("select text from chunks order by id")]


def door(url):
    return parse_qs(urlsplit(url).query)["host"][0]


def test_notebooks_that_start_at_the_same_moment_share_one_database_that_ends_with_the_last(corner, script):
    notebooks = [script(ASK) for _ in range(3)]
    urls = {notebook.stdout.readline().strip() for notebook in notebooks}
    assert len(urls) == 1 and "" not in urls
    server, keeper = postmaster(corner), psutil.Process(corner.record()["pid"])
    end(*notebooks[:2])
    assert not corner.end_if_unused(), "the third notebook still holds its lease"
    assert not gone(server)
    end(notebooks[2])
    until(lambda: gone(server) and gone(keeper))
    assert corner.record() is None, "it took its announcement back"
    assert not os.path.exists(door(urls.pop())), "it removed the folder of its socket"  # noqa: PTH110


def test_connections_that_find_the_database_empty_do_not_disturb_each_other(corner):
    def connect(name):
        store = Store(name)
        there = store.exists()
        store.close()
        return there

    postgres.database_url()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(connect, "abcdefgh")) == [False] * 8


def test_a_killed_keeper_takes_the_server_with_it_and_the_next_call_finds_the_data(corner, filled):
    keeper, server = psutil.Process(corner.record()["pid"]), postmaster(corner)
    keeper.kill()
    until(lambda: gone(keeper) and gone(server))
    assert texts(filled) == ["Aspirin thins the blood."]
    assert postmaster(corner) != server


BUSY = "select count(*) from generate_series(1, 200000000)"


@pytest.fixture
def busy(filled):
    """A thread in whose query the server is; a worker that computes does not notice that its server is gone."""
    with psycopg.connect(postgres.database_url()) as connection:
        thread = threading.Thread(target=ignoring_errors, args=(connection.execute, BUSY))
        thread.start()
        seen = "select 1 from pg_stat_activity where state = 'active' and query = %(busy)s"
        until(lambda: filled.rows(seen, {"busy": BUSY}))
        yield
        thread.join()


def ignoring_errors(call, *arguments):
    with contextlib.suppress(psycopg.Error):
        call(*arguments)


def test_a_server_that_is_killed_in_the_middle_of_queries_is_started_again_at_the_next_call(corner, filled, busy):
    server = postmaster(corner)
    server.kill()
    until(lambda: gone(server))
    filled.close()
    assert texts(filled) == ["Aspirin thins the blood."]
    assert postmaster(corner) != server


def test_an_interrupted_initdb_is_done_again(corner):
    (corner.folder / "data.new").mkdir()
    (corner.folder / "data.new" / "PG_VERSION").write_text("18\n")
    assert collections() == []
    assert (corner.folder / "data").is_dir()
    assert not (corner.folder / "data.new").exists()


def test_a_damaged_data_folder_is_told_with_the_servers_last_words_and_left_alone(corner, filled):
    filled.close()
    assert postgres.stop()
    control = corner.folder / "data" / "global" / "pg_control"
    control.write_bytes(control.read_bytes()[:100])
    with pytest.raises(StoreFailed, match=r"did not start(.|\n)*pg_control(.|\n)*WORKSHOP_CACHE_DIR"):
        texts(filled)
    assert control.stat().st_size == 100


def test_the_database_is_behind_a_socket_that_only_its_user_may_enter(corner):
    folder = os.stat(door(postgres.database_url()))  # noqa: PTH116
    assert (folder.st_uid, stat.S_IMODE(folder.st_mode)) == (os.geteuid(), 0o700)
    server = postmaster(corner)
    assert not server.net_connections("inet")
    seen = 0
    for process in server.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # workers of PostgreSQL come and go
            assert not process.net_connections("inet")
            seen += 1
    assert seen > 0


def test_a_keeper_waits_for_one_that_is_just_ending(corner):
    """That of a server that was killed needs a moment to notice; whoever asks for the database in it must not fail."""
    ending = Lease(corner.folder)
    ending.claim()
    with ThreadPoolExecutor() as threads:
        url = threads.submit(postgres.database_url)
        wait([url], timeout=2)  # by when one that does not wait has failed
        ending.withdraw()
        assert url.result()


def test_a_second_keeper_is_refused_until_the_first_is_stopped(corner, monkeypatch):
    monkeypatch.setattr("helpers.sites.postgres.CLAIM_SECONDS", 0)
    url = postgres.database_url()
    server = postmaster(corner)
    with pytest.raises(AlreadyServed, match=re.escape(url)):
        keep(corner.folder)
    assert postgres.stop()
    assert gone(server)
    assert not postgres.stop(), "there is none to end"


def test_on_aws_the_address_of_the_database_must_be_set(set_to):
    set_to(WORKSHOP_PROFILE="aws")
    with pytest.raises(SettingsError, match="WORKSHOP_DATABASE_URL is not set"):
        postgres.database_url()


def tellings(call):
    """All that an error says, with the errors that it came from."""
    with pytest.raises((StoreFailed, SettingsError)) as told:
        call()
    error, words = told.value, []
    while error:
        words.append(f"{error} {error!r}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return words


ADDRESSES = {
    "nobody listens": "postgresql://me:s3cret@127.0.0.1:9/name",
    "an @ in the password": "postgresql://me:pa@s3cret@127.0.0.1:9/name",
    "a slash in the password": "postgresql://me:9/s3cret@127.0.0.1:9/name",
    "a slash after letters": "postgresql://me:s3cret/x@127.0.0.1:9/name",
    "a question mark in the password": "postgresql://me:x?s3cret@127.0.0.1:9/name",
    "a percent sign in the password": "postgresql://me:s3cret%zz@127.0.0.1:9/name",
    "no address": "host=127.0.0.1 password=s3cret port",
    "an open bracket": "postgresql://me:s3cret@[::1/name",
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
@pytest.mark.parametrize("call", [collections, Store("any").exists], ids=["collections", "store"])
def test_no_error_tells_the_password_of_the_database(set_to, address, call):
    set_to(WORKSHOP_DATABASE_URL=address)
    told = tellings(call)
    assert told and not any("s3cret" in words for words in told)
    assert "s3cret" not in f"{settings()!r} {settings()} {settings().model_dump()}"
