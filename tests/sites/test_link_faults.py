"""Whatever happens to the ends of a link or to the links themselves: a clear error, and nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from helpers.sites import links as links_module
from helpers.sites.errors import LinksFailed
from helpers.sites.ledger import Ledger
from helpers.sites.links import Links
from tests.ports import kept_port
from tests.sites.conftest import ANSWER, RESET, ask, echo, everything, hello, topology
from tests.sites.wire import GET, message
from tests.waiting import until

A, B = "campus-a", "campus-b"


def relay(made):
    return psutil.Process(made._process.pid)


def connections(made):
    """The connections of the links' process, without the addresses at which it listens."""
    return [s for s in relay(made).net_connections("inet") if s.status != psutil.CONN_LISTEN]


def test_one_side_may_end_and_the_other_go_on(enter):
    def serve(connection):
        came = everything(connection)
        for _ in range(3):
            connection.sendall(came)

    _, connect = enter(serve)
    with connect() as connection:
        connection.sendall(b"hello ")
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection) == b"hello " * 3


def test_a_server_may_end_first_and_the_caller_go_on(enter):
    came = []

    def serve(connection):
        connection.sendall(b"enough")
        connection.shutdown(socket.SHUT_WR)
        came.append(everything(connection))

    _, connect = enter(serve)
    with connect() as connection:
        assert everything(connection) == b"enough"
        connection.sendall(b"not at all")
    until(lambda: came == [b"not at all"])


def test_fifty_connections_at_once_do_not_mix(enter, tmp_path):
    made, connect = enter(echo, latency_ms=5)
    together = threading.Barrier(50)

    def talk(number):
        with connect() as connection:
            together.wait(30)
            asked = message(f"POST /{number} HTTP/1.1", f"{number} ".encode() * 2000)
            connection.sendall(asked)
            connection.shutdown(socket.SHUT_WR)
            return everything(connection) == asked

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(talk, range(50)))
    until(lambda: not connections(made))
    table = Ledger(tmp_path / "ledger.sqlite").table()
    assert len(table[table["from"] == A]) == 50 and table[table["from"] == A]["whole"].all()


def test_a_server_that_refuses_resets_the_caller_and_is_reached_when_it_is_there(links):
    address = ("127.0.0.1", kept_port())
    made = links()
    port = made.enter(A, B, *address)
    with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.recv(1)
    with socket.create_server(address) as there, socket.create_connection(("127.0.0.1", port), timeout=30):
        there.accept()[0].close()
    until(lambda: not connections(made))


def test_a_server_whose_name_nobody_knows_resets_the_caller(links):
    port = links().enter(A, B, "nowhere.invalid", 80)
    with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.recv(1)


def test_an_answer_under_way_arrives_although_the_rest_of_the_request_finds_nobody(enter, tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")

    def serve(connection):
        connection.recv(10)
        connection.sendall(ANSWER)
        until(lambda: 200 in ledger.table()["status"].dropna().tolist())  # closing now resets: the request is unread

    _, connect = enter(serve, latency_ms=300)
    with connect() as connection, ThreadPoolExecutor() as pool:
        sent = pool.submit(connection.sendall, message("POST / HTTP/1.1", bytes(30 * 2**20)))
        assert connection.recv(2**16) == ANSWER
        with pytest.raises(ConnectionError):
            sent.result(30)


@pytest.mark.parametrize("how", ["ends", "breaks off"])
@pytest.mark.parametrize("latency", [0, 20])
def test_a_server_learns_that_the_caller_has_vanished(enter, how, latency):
    learnt = threading.Event()

    def serve(connection):
        connection.recv(1000)
        try:
            while True:
                connection.sendall(bytes(2**16))
        except OSError:
            learnt.set()

    made, connect = enter(serve, latency_ms=latency)
    with connect() as connection:
        connection.sendall(GET)
        connection.recv(1000)
        if how == "breaks off":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert learnt.wait(20)
    until(lambda: not connections(made))


def test_memory_is_bounded_when_the_receiver_does_not_read(enter):
    sent = [0]

    def pour(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            sent[0] += connection.send(bytes(2**20))

    for latency in 0, 30:
        made, connect = enter(pour, latency_ms=latency)
        with connect() as connection:
            connection.sendall(GET)
            before, still = -1, 0
            while still < 20:  # until nothing more is taken
                threading.Event().wait(0.02)
                still = still + 1 if sent[0] == before else 0
                before = sent[0]
            assert relay(made).memory_info().rss < 250 * 2**20
            assert sent[0] < 64 * 2**20, "somebody else keeps it"
        until(lambda made=made: not connections(made))


def test_links_that_were_killed_say_so_and_name_the_remedy(enter):
    made, connect = enter(hello)
    with connect() as connection:
        assert ask(connection) == ANSWER
        os.kill(made._process.pid, signal.SIGKILL)
        assert connection.recv(1) == b""
    for action in made.between(A, B).cut, made.between(A, B).mend, lambda: made.enter(B, A, "127.0.0.1", 9):
        with pytest.raises(LinksFailed, match=r"has ended\. Make the network anew\. Its last words"):
            action()
    with pytest.raises(ConnectionRefusedError):
        connect()
    assert made.between(A, B).conditions.state == "up", "what could not be set is not told as set"


def test_links_that_were_closed_say_so_and_may_be_closed_again(tmp_path):
    made = Links(topology(), tmp_path / "ledger.sqlite", {}, tmp_path / "links.log")
    made.close()
    made.close()
    (tmp_path / "links.log").unlink()
    with pytest.raises(LinksFailed, match="has ended"):
        made.between(A, B).cut()


def test_links_that_do_not_start_leave_no_process(tmp_path, no_survivors):
    with pytest.raises(LinksFailed, match=r"unable to open database file"):
        Links(topology(), tmp_path / "no such folder" / "ledger.sqlite", {}, tmp_path / "links.log")


def test_an_answer_whose_caller_was_interrupted_is_not_taken_for_the_next(enter):
    made, _ = enter(hello)
    made._process.stdin.write(b'{"number": 0, "do": "explode"}\n')
    assert made.enter(B, A, "127.0.0.1", 9) > 0
    made.between(A, B).set(latency_ms=3)


def test_links_that_do_not_end_are_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(links_module, "STOP_SECONDS", 0.2)
    made = Links(topology(), tmp_path / "ledger.sqlite", {}, tmp_path / "links.log")
    process = relay(made)
    process.suspend()
    made.close()
    assert not process.is_running()


PARENT = """
import sys, threading
from pathlib import Path
from helpers.sites.links import Links
from tests.sites.conftest import topology
folder = Path(sys.argv[1])
links = Links(topology(), folder / "ledger.sqlite", {}, folder / "links.log")
print(links._process.pid, flush=True)
threading.Event().wait()
"""


def test_links_end_when_their_parent_is_killed(tmp_path):
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert (tmp_path / "links.log").read_text() == ""


def test_after_everything_no_connection_is_left(enter):
    made, connect = enter(echo, latency_ms=1)
    link = made.between(A, B)

    def talk(number):
        try:
            with connect() as connection:
                connection.sendall(GET * 50)
                connection.recv(number * 100 + 1)
                if number % 3 == 0:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        except OSError:
            pass

    with ThreadPoolExecutor(16) as pool:
        talks = [pool.submit(talk, number) for number in range(64)]
        while not all(each.done() for each in talks):
            link.cut()
            link.mend()
            link.cut(silently=True)
            link.mend()
    until(lambda: not connections(made))
