"""The time limit holds to the last byte, also when each byte comes in time."""

import contextlib
import socket
import threading
import time

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from helpers.guardrails.deadline import TimedSession, deadline

LIMIT, BETWEEN = 0.3, 0.06  # seconds, also between two bytes
BODY = b"it trickles, byte by byte"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
def server():
    """Answers once for each connection, in bytes that come `BETWEEN` one another, or all at once."""
    listener = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()
    between = [BETWEEN]

    def serve():
        with contextlib.suppress(OSError):  # the test is over
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    while not connection.recv(4096).endswith(b"{}"):
                        pass
                    for byte in ANSWER:
                        connection.send(bytes([byte]))
                        closing.wait(between[0])

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/", between
    closing.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def request(url):
    return AWSPreparedRequest("POST", url, {"Content-Length": "2"}, b"{}", False)


def seconds(call):
    began = time.monotonic()
    with contextlib.suppress(BotoCoreError):
        call()
    return time.monotonic() - began


def test_an_answer_that_trickles_is_cut_off_at_the_limit(server):
    url, _ = server
    session = TimedSession(url, LIMIT)
    with pytest.raises(ReadTimeoutError):
        session.send(request(url))
    assert LIMIT <= seconds(lambda: session.send(request(url))) < LIMIT * 10
    session.close()


def test_botocores_own_limits_would_wait_for_each_byte(server):
    url, _ = server
    session = URLLib3Session(timeout=LIMIT)
    assert seconds(lambda: session.send(request(url))) > LIMIT * 10
    session.close()


def test_an_answer_in_time_is_whole_and_leaves_no_timer(server):
    url, between = server
    between[0] = 0
    session = TimedSession(url, 5)
    assert session.send(request(url)).content == BODY
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    session.close()


def test_a_connection_that_is_made_when_the_time_is_over_is_shut_down():
    one, other = socket.socketpair()
    other.settimeout(5)
    with deadline.within(0.01):
        while not deadline.over:
            time.sleep(0.001)
        deadline.watch(one)
        assert other.recv(1) == b"", "it has ended"
    one.close()
    other.close()


@pytest.fixture
def full():
    """The port of a server that takes no more connections: whoever asks for one waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_the_addresses_of_a_name_share_the_limit(full, monkeypatch):
    address = socket.getaddrinfo("127.0.0.1", full, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: address * 5)
    url = f"http://region.example:{full}/"
    assert LIMIT <= seconds(lambda: TimedSession(url, LIMIT).send(request(url))) < LIMIT * 4
    assert seconds(lambda: URLLib3Session(timeout=LIMIT).send(request(url))) > LIMIT * 4, "each has its own"
