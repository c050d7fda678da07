"""A link that is cut breaks connections off, one that is silent swallows; mended, both pass again."""

import contextlib
import socket
import threading

import pytest

from helpers.sites.errors import NotLinked
from helpers.sites.ledger import Ledger
from tests.sites.conftest import ANSWER, RESET, ask, hello
from tests.sites.wire import GET
from tests.waiting import until

A, B = "campus-a", "campus-b"


def reset(connection):
    """Whether it was reset, not ended."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        return bool(connection.recv(1)) and False
    return True


def test_a_link_that_is_cut_refuses_and_one_that_is_mended_passes(enter):
    made, connect = enter(hello)
    link = made.between(A, B)
    link.cut()
    with pytest.raises(ConnectionResetError), connect() as connection:
        connection.recv(1)
    link.mend()
    with connect() as connection:
        assert ask(connection) == ANSWER


def test_a_cut_during_an_answer_resets_both_ends_and_is_in_the_ledger(enter, tmp_path):
    gone = threading.Event()

    def serve(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nof P-1001")
        with contextlib.suppress(ConnectionResetError):
            connection.recv(1)
            return
        gone.set()

    made, connect = enter(serve)
    link = made.between(A, B)
    with connect() as connection:
        assert ask(connection).endswith(b"of P-1001")
        link.cut()
        assert reset(connection) and gone.wait(20)
    until(lambda: Ledger(tmp_path / "ledger.sqlite").table()["classified"].tolist() == ["", "1 patient"])
    answered = Ledger(tmp_path / "ledger.sqlite").table().iloc[1]
    assert not answered["whole"] and answered["unread"] == 0


def test_a_cut_after_an_answer_ends_a_connection_that_was_kept(enter):
    made, connect = enter(hello)
    link = made.between(A, B)
    with connect() as connection:
        assert ask(connection) == ANSWER
        link.cut()
        assert reset(connection)


def test_a_cut_is_for_one_link_only(links, upstream):
    made = links()
    port = upstream(hello)
    with pytest.raises(NotLinked, match=r"No link joins campus-a and oregon\. Links: campus-a - campus-b\. Add one"):
        made.enter(A, "oregon", "127.0.0.1", port)
    back = made.enter(B, A, "127.0.0.1", port)
    assert made.between(A, B) is made.between(B, A) and back != made.enter(A, B, "127.0.0.1", port)
    assert back == made.enter(B, A, "127.0.0.1", port)


def test_a_silent_link_swallows_and_a_mended_one_delivers(enter):
    made, connect = enter(hello)
    link = made.between(A, B)
    with connect() as before:
        assert ask(before) == ANSWER
        link.cut(silently=True)
        before.sendall(GET)
        before.settimeout(0.3)
        with pytest.raises(TimeoutError):
            before.recv(1)
        with connect() as after:
            after.sendall(GET)
            after.settimeout(0.3)
            with pytest.raises(TimeoutError):
                after.recv(1)
            link.mend()
            for connection in before, after:
                connection.settimeout(20)
                assert connection.recv(2**16) == ANSWER


@pytest.mark.parametrize("how", ["ends", "breaks off"])
def test_nobody_learns_over_a_silent_link_that_the_other_end_is_gone(enter, how):
    leave = threading.Event()

    def serve(connection):
        connection.recv(1000)
        connection.sendall(ANSWER)
        leave.wait(20)
        if how == "breaks off":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    made, connect = enter(serve)
    link = made.between(A, B)
    with connect() as connection:
        assert ask(connection) == ANSWER
        link.cut(silently=True)
        leave.set()
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        link.mend()
        connection.settimeout(20)
        assert reset(connection) == (how == "breaks off")


def test_what_was_answered_before_a_break_arrives_before_it(enter):
    def serve(connection):
        connection.recv(1000)
        connection.sendall(ANSWER)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    _, connect = enter(serve, latency_ms=50)
    with connect() as connection:
        assert ask(connection) == ANSWER
        assert reset(connection)
