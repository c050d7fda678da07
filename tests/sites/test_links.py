"""Links pass on every byte as it is, in good time or as late as they are told, and break off when they are told."""

import hashlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.sdk.trace import TracerProvider
from pydantic import ValidationError

from helpers.sites.errors import LinksFailed
from helpers.sites.ledger import Ledger
from tests.sites.conftest import ANSWER, ask, echo, everything, hello
from tests.sites.wire import GET, message
from tests.waiting import until

A, B = "campus-a", "campus-b"
LARGE = os.urandom(20 * 2**20)


def seconds(action, times=1):
    """The shortest of several: what else the machine does only adds."""
    measured = []
    for _ in range(times):
        start = time.monotonic()
        action()
        measured.append(time.monotonic() - start)
    return min(measured)


def exchange(connect, data):
    """Send `data` and read what comes back at the same time."""
    with connect() as connection:
        thread = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        thread.start()
        came = everything(connection)
        thread.join()
    return came


def test_a_large_body_passes_unchanged_in_both_directions(enter):
    _, connect = enter(echo)
    data = message("POST / HTTP/1.1", LARGE)
    assert hashlib.sha256(exchange(connect, data)).digest() == hashlib.sha256(data).digest()


def test_a_large_body_passes_unchanged_late_and_slowly_and_while_that_changes(enter):
    made, connect = enter(echo, latency_ms=5, jitter_ms=20, bandwidth_mbit=800)
    link = made.between(A, B)
    with ThreadPoolExecutor() as pool:
        came = pool.submit(exchange, connect, LARGE)
        for change in {"latency_ms": 50}, {"bandwidth_mbit": 2000}, {"jitter_ms": 0}, {"latency_ms": 0}:
            link.set(**change)
        for state in ("silent", "up") * 3:
            link.set(state=state)
        assert came.result(60) == LARGE


def test_latency_is_added_in_each_direction(enter):
    made, connect = enter(hello, latency_ms=60)
    link = made.between(A, B)
    with connect() as connection:
        assert seconds(lambda: ask(connection)) >= 0.24, "a handshake, a request and its answer"
        assert seconds(lambda: ask(connection), 3) >= 0.12
        link.set(latency_ms=200)
        slow = seconds(lambda: ask(connection))
        link.set(latency_ms=0)
        assert slow >= 0.4 and seconds(lambda: ask(connection), 5) < slow / 2


def test_nothing_arrives_too_early_by_parts_of_a_millisecond(enter):
    _, connect = enter(hello, latency_ms=5)
    with connect() as connection:
        assert seconds(lambda: ask(connection), 100) >= 0.01


def test_jitter_makes_some_later_than_others(enter):
    _, connect = enter(hello, jitter_ms=100)
    with connect() as connection:
        times = [seconds(lambda: ask(connection)) for _ in range(12)]
    assert max(times) - min(times) > 0.02


def test_bytes_that_are_late_stay_in_order(enter):
    _, connect = enter(echo, jitter_ms=10)
    with connect() as connection:
        for number in range(200):
            connection.sendall(b"%04d" % number)
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection) == b"".join(b"%04d" % number for number in range(200))


def test_bandwidth_holds_in_each_direction_and_for_all_connections_together(enter):
    def sink(connection):
        connection.sendall(b"%d" % len(everything(connection)))

    _, connect = enter(sink, bandwidth_mbit=8)

    def send(size):
        with connect() as connection:
            connection.sendall(bytes(size))
            connection.shutdown(socket.SHUT_WR)
            assert everything(connection) == b"%d" % size

    assert seconds(lambda: send(500_000)) >= 0.45, "a million bytes a second"
    with ThreadPoolExecutor() as pool:
        assert seconds(lambda: list(pool.map(send, [250_000] * 4))) >= 0.9


def test_a_higher_bandwidth_holds_for_what_is_under_way(enter, tmp_path):
    made, connect = enter(echo, bandwidth_mbit=0.1)
    link = made.between(A, B)
    with ThreadPoolExecutor() as pool:
        came = pool.submit(exchange, connect, LARGE[: 2**20])  # would take 80 seconds each way
        until(lambda: len(Ledger(tmp_path / "ledger.sqlite").table()))
        link.set(bandwidth_mbit=None)
        assert came.result(30) == LARGE[: 2**20]


def test_a_lower_latency_holds_for_what_is_under_way(enter):
    made, connect = enter(hello)
    link = made.between(A, B)
    with connect() as connection:
        ask(connection)
        link.set(latency_ms=10_000)
        connection.sendall(GET)
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        link.set(latency_ms=0)
        connection.settimeout(9)
        assert connection.recv(2**16) == ANSWER


def test_conditions_that_cannot_be_are_refused_and_nothing_changes(enter):
    made, connect = enter(hello, latency_ms=1)
    link = made.between(A, B)
    for change in (
        {"latency_ms": -1},
        {"bandwidth_mbit": 0},
        {"lag": 3},
        {"state": "down"},
        {"latency_ms": float("nan")},
    ):
        with pytest.raises(ValidationError):
            link.set(**change)
    assert link.conditions.latency_ms == 1
    assert "campus-a - campus-b" in repr(link) and "latency_ms=1" in repr(link)
    with connect() as connection:
        assert ask(connection) == ANSWER


def test_the_links_refuse_what_they_do_not_understand_and_go_on(links):
    made = links()
    with pytest.raises(LinksFailed, match="refuse to enter"):
        made.do("enter", caller=A, callee="ohio", host="127.0.0.1", port=1, tls=False)
    with pytest.raises(LinksFailed, match="refuse to explode"):
        made.do("explode")
    assert made.enter(A, B, "127.0.0.1", 9)


def test_what_is_done_to_a_link_is_in_the_trace_of_whoever_does_it(enter):
    link = enter(echo)[0].between(A, B)
    with TracerProvider().get_tracer("test").start_as_current_span("drill") as span:
        link.cut()
        link.mend()
        link.set(latency_ms=1)
    assert [event.name for event in span.events] == ["link.cut", "link.mended", "link.changed"]
    assert {event.attributes["workshop.link"] for event in span.events} == {f"{A} - {B}"}
