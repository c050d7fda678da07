"""The ledger has what crossed before it arrives, says what left a site or that it cannot say, and holds no value."""

import socket
import sqlite3
import threading

import pytest

from helpers.sites.errors import LedgerGone, LeftTheSite, UnknownSite
from helpers.sites.ledger import Crossing, Ledger, LedgerWriter
from tests.sites.conftest import hello
from tests.sites.wire import GET, message, post

PATIENTS = {"patient": ["P-1001", "Ada Byron"], "account": r"AC-[0-9]{5}"}


@pytest.fixture
def kept(tmp_path):
    """A ledger, and a function that writes to it."""
    writer = LedgerWriter(tmp_path / "ledger.sqlite", ["a", "b"], ["patient", "account"])
    yield Ledger(tmp_path / "ledger.sqlite"), writer.write
    writer.close()


def ask(port, data=GET):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(data)
        return connection.recv(1000)


def test_an_empty_ledger_is_a_table_without_rows(kept):
    table = kept[0].table()
    names = ["time", "from", "to", "protocol", "operation", "status", "bytes", "unread", "whole", "classified"]
    assert table.empty and list(table.columns) == names
    assert kept[0].assert_never_left("a", "patient") == 0


def test_a_table_shows_each_crossing_as_it_was_told_last(kept):
    ledger, write = kept
    crossing = Crossing("a", "b", "A2A", "message/send", None, 90, 20, False, {}, at=1.5)
    write(crossing)
    write(Crossing("b", "a", "A2A", "message/send", 200, 7, 0, True, {"patient": 2, "account": 1}, at=2.25))
    crossing.whole, crossing.unread, crossing.classified = True, 0, {"account": 1}
    write(crossing)
    first, second = ledger.table().itertuples(index=False, name=None)
    assert first[:5] == ("00:00:01.500", "a", "b", "A2A", "message/send") and first[6:] == (90, 0, True, "1 account")
    assert second[5:] == (200, 7, 0, True, "2 patient, 1 account")


def test_telemetry_is_read_like_all_else_and_shown_when_it_is_asked_for(kept):
    ledger, write = kept
    write(Crossing("a", "b", "OTLP", "POST /v1/traces", None, 9, 0, True, {"patient": 1}))
    assert ledger.table().empty and list(ledger.table(telemetry=True)["protocol"]) == ["OTLP"]
    with pytest.raises(LeftTheSite, match="1 in POST /v1/traces"):
        ledger.assert_never_left("a", "patient")


def test_what_left_a_site_is_told_with_where_it_went(kept):
    ledger, write = kept
    write(Crossing("a", "b", "HTTP", "POST /x", None, 9, 0, True, {"patient": 2}))
    write(Crossing("a", "b", "HTTP", "POST /y", None, 9, 0, True, {"account": 1}))
    with pytest.raises(LeftTheSite, match=r"patient left a: 2 in POST /x to b\.$"):
        ledger.assert_never_left("a", "patient")
    assert ledger.assert_never_left("b", "patient") == 0


def test_what_nobody_could_read_may_have_left(kept):
    ledger, write = kept
    write(Crossing("a", "b", "TCP", "not HTTP", None, 9, 9))
    with pytest.raises(LeftTheSite, match=r"Whether patient left a cannot be told\..*9 bytes of not HTTP to b"):
        ledger.assert_never_left("a", "patient")


def test_the_number_of_crossings_that_were_read_is_returned(kept):
    for _ in range(3):
        kept[1](Crossing("a", "b", bytes=9, whole=True))
    assert (kept[0].assert_never_left("a", "patient"), kept[0].assert_never_left("b", "patient")) == (3, 0)


@pytest.mark.parametrize("site, classification", [("c", "patient"), ("a", "salary"), ("patient", "a")])
def test_what_nobody_watches_cannot_be_asserted(kept, site, classification):
    with pytest.raises(UnknownSite, match=r"watches a, b for account, patient, not .* Name the classification when"):
        kept[0].assert_never_left(site, classification)


def test_a_ledger_that_looks_for_nothing_says_so(tmp_path):
    LedgerWriter(tmp_path / "none", ["a"], []).close()
    with pytest.raises(UnknownSite, match="watches a for nothing"):
        Ledger(tmp_path / "none").assert_never_left("a", "patient")


def test_a_ledger_of_a_closed_network_says_that_it_is_gone(network):
    closed = network(PATIENTS)
    closed.close()
    for read in closed.ledger.table, lambda: closed.ledger.assert_never_left("campus-a", "patient"):
        with pytest.raises(LedgerGone, match="its network was closed"):
            read()


def test_it_can_be_read_while_it_is_written(kept):
    ledger, _ = kept
    done = threading.Event()

    def write():
        writer = LedgerWriter(ledger.path, [], [])
        for number in range(2000):
            writer.write(Crossing("a", "b", operation=f"{number}", bytes=1, whole=True))
        writer.close()
        done.set()

    threading.Thread(target=write).start()
    read = [0]
    while not done.is_set():
        read.append(len(ledger.table()))
    assert read == sorted(read) and len(ledger.table()) == 2000


def test_a_request_is_in_the_ledger_before_its_answer_has_arrived(links, upstream, tmp_path):
    went_on, seen = threading.Event(), []

    def serve(connection):
        connection.recv(1000)
        seen.append(Ledger(tmp_path / "ledger.sqlite").table())
        went_on.set()
        hello(connection)

    port = links(PATIENTS).enter("campus-a", "campus-b", "127.0.0.1", upstream(serve))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(message("GET /P-1001 HTTP/1.1"))
        assert went_on.wait(20)
    (row,) = seen[0].itertuples(index=False)
    assert (row.operation, row.whole, row.classified) == ("GET /[patient]", True, "1 patient")


def test_an_answer_is_in_the_ledger_when_it_has_arrived(links, upstream, tmp_path):
    port = links(PATIENTS).enter("campus-a", "campus-b", "127.0.0.1", upstream(hello))
    for number in range(1, 100):
        ask(port)
        assert len(Ledger(tmp_path / "ledger.sqlite").table()) == 2 * number


def test_a_leak_on_purpose_is_caught_and_nothing_else_is(links, upstream, tmp_path):
    made = links(PATIENTS)
    port = made.enter("campus-a", "campus-b", "127.0.0.1", upstream(hello))
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ask(port, message("GET /stock/Fomepizole HTTP/1.1"))
    assert ledger.assert_never_left("campus-a", "patient") == ledger.assert_never_left("campus-a", "account") == 1
    ask(port, message("GET /patients/p%2D1001 HTTP/1.1"))
    with pytest.raises(LeftTheSite, match=r"1 in GET /patients/\[patient\] to campus-b"):
        ledger.assert_never_left("campus-a", "patient")
    assert ledger.assert_never_left("campus-a", "account") == ledger.assert_never_left("campus-b", "patient") == 2


def test_no_byte_of_a_value_is_anywhere_in_the_files(links, upstream, tmp_path):
    port = links(PATIENTS).enter("campus-a", "campus-b", "127.0.0.1", upstream(hello))
    tool = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "record_P-1001_Ada Byron"}}
    for data in (
        message("GET /P-1001/Ada%20Byron/AC-12345 HTTP/1.1", b"", "X-Note: P-1001", "Upgrade: P-1001"),
        message("GET /UC0xMDAxIGhhcyBjb21l HTTP/1.1", b"", "Connection: upgrade", "Upgrade: P-1001"),
        post(tool),
        post(b"P-1001", "Content-Encoding: P-1001", "Content-Type: text/P-1001; charset=P-1001"),
        b"P-1001 AC-12345 Ada Byron\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):
                pass
    written = {file.name: file.read_bytes().lower() for file in tmp_path.iterdir()}
    assert {"ledger.sqlite", "ledger.sqlite-wal"} <= set(written) and b"[patient]" in b"".join(written.values())
    for value in b"p-1001", b"p%2d1001", b"1001", b"ada byron", b"byron", b"12345", b"uc0xmdax":
        assert not [name for name, content in written.items() if value in content], value


def test_a_reader_cannot_disturb_the_writer(kept):
    ledger, write = kept
    with sqlite3.connect(ledger.path) as reader:
        reader.execute("begin").execute("select count(*) from crossings").fetchone()
        write(Crossing("a", "b", bytes=1))
    assert len(ledger.table()) == 1
