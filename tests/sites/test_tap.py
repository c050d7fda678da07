"""The tap tells messages apart however they are framed, counts each byte once, and names what it has not read."""

import pytest

from tests.sites.wire import GET, Read, answer, chunked, message, post

EVENTS = ("Content-Type: text/event-stream",)


def kept(read):
    """What was told, without the times."""
    return [
        (c.source, c.operation, c.status, c.bytes, c.unread, c.whole, tuple(sorted(c.classified.items())))
        for c in read.crossings
    ]


def test_a_request_and_its_answer_are_two_crossings_of_one_operation():
    asked, answered = post({"id": "P-1001"}, path="/records"), answer(b"of Ada Byron")
    read = Read().asks(asked).answers(answered)
    assert kept(read) == [
        ("a", "POST /records", None, len(asked), 0, True, (("patient", 1),)),
        ("b", "POST /records", 200, len(answered), 0, True, (("patient", 1),)),
    ]


def test_several_messages_of_a_connection_are_told_apart():
    read = Read()
    for number in range(3):
        read.asks(message(f"GET /{number} HTTP/1.1")).answers(answer(f"{number}".encode()))
    assert [c.operation for c in read.crossings] == ["GET /0", "GET /0", "GET /1", "GET /1", "GET /2", "GET /2"]
    assert all(c.whole and not c.unread for c in read.crossings)


def test_each_of_several_requests_in_one_piece_is_read_and_each_answer_belongs_to_its_own():
    asked = [post(b"P-1001", path="/1"), message("HEAD /2 HTTP/1.1"), message("GET /P-1002 HTTP/1.1"), GET]
    answered = [answer(b"one"), answer(b"", "Content-Length: 9")]
    answered += [answer(b"", "X: AC-12345", status="204 No Content"), answer(b"Ada Byron")]
    read = Read().asks(b"".join(asked)).answers(b"".join(answered))
    names = ["POST /1", "HEAD /2", "GET /[patient]", "GET /"]
    assert [c.operation for c in read.crossings] == names + names
    assert [c.bytes for c in read.crossings] == [len(each) for each in asked + answered]
    assert [bool(c.classified) for c in read.crossings] == [True, False, True, False, False, False, True, True]
    assert all(c.whole and not c.unread for c in read.crossings)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body_end_with_their_head(status):
    bare = answer(b"", "Content-Length: 20", status=status)
    read = Read().asks(GET + GET).answers(bare + answer(b"next"))
    assert [(c.status, c.whole) for c in read.crossings[2:]] == [(int(status[:3]), True), (200, True)]


def test_an_answer_before_the_answer_belongs_to_the_same_request():
    head, body = post(b"P-1001", "Expect: 100-continue").split(b"\r\n\r\n")
    read = Read().asks(head + b"\r\n\r\n").answers(answer(b"", status="100 Continue"))
    read.asks(body).answers(answer(b"done"))
    assert [(c.status, c.whole) for c in read.crossings] == [(None, True), (100, True), (200, True)]
    assert read.crossings[0].classified == {"patient": 1}
    assert {c.operation for c in read.crossings} == {"POST /"}


def test_an_answer_may_come_before_the_request_is_whole():
    asked = post(b"P-1001" + b"." * 1000)
    read = Read().asks(asked[:200]).answers(answer(b"too large", status="413 Too Large"))
    assert [(c.status, c.whole) for c in read.crossings] == [(None, False), (413, True)]
    read.asks(asked[200:] + GET).answers(answer(b"next"))
    assert [(c.operation, c.status, c.whole) for c in read.crossings] == [
        *[("POST /", None, True), ("POST /", 413, True), ("GET /", None, True), ("GET /", 200, True)]
    ]


def test_chunks_are_put_together():
    read = Read().asks(chunked("POST / HTTP/1.1", b"P-1", b"001 and A", b"da Byron"))
    assert read.only.classified == {"patient": 2} and read.only.whole


def test_an_answer_without_a_length_is_whole_when_its_connection_ends():
    old = message("HTTP/1.0 200 OK") + b"of P-1001"
    read = Read().asks(GET).answers(old)
    assert not read.crossings[1].whole and read.crossings[1].unread == len(b"of P-1001")
    read.ends()
    assert kept(read)[1] == ("b", "GET /", 200, len(old), 0, True, (("patient", 1),))


def test_such_an_answer_whose_connection_breaks_off_is_not_whole_but_read():
    read = Read().asks(GET).answers(message("HTTP/1.0 200 OK") + b"of P-1001")
    read.tap.responses.end(False)
    assert (read.crossings[1].whole, read.crossings[1].unread) == (False, 0)
    assert read.crossings[1].classified == {"patient": 1}


@pytest.mark.parametrize("cut", [1, 10, 40, 60, 75])
def test_a_request_that_ends_in_the_middle_is_told_with_what_was_found_in_it(cut):
    asked = post(b"of P-1001, " + b"." * 30)
    read = Read().asks(asked[:cut]).ends()
    assert (read.only.bytes, read.only.whole) == (cut, False)
    head = cut < asked.index(b"\r\n\r\n") + 4
    assert read.only.unread == (cut if head else 0), "a head that is not whole is not read"
    assert read.only.classified == ({"patient": 1} if b"P-1001" in asked[:cut] else {})


def test_what_has_crossed_of_a_body_that_is_not_whole_yet_counts_as_unread():
    asked = post(b"of P-1001, " + b"." * 30)
    read = Read().asks(asked[:-5])
    assert read.only.unread == 36 and not read.only.whole
    assert read.asks(asked[-5:]).only.unread == 0


def test_a_stream_is_read_while_it_comes():
    read = Read().asks(GET).answers(message("HTTP/1.1 200 OK", b"", "Transfer-Encoding: chunked", *EVENTS))
    for piece in "P-10", "01 ", "Ada", " By", "ron":
        event = f"event: piece\ndata: {piece}\n\n".encode()
        read.answers(b"%x\r\n%b\r\n" % (len(event), event))
    assert (read.crossings[1].whole, read.crossings[1].unread) == (False, 0)
    assert read.crossings[1].classified == {"patient": 2}


def test_what_an_upgrade_leads_to_is_opaque_once_it_is_agreed_to():
    read = Read().asks(message("GET /chat HTTP/1.1", b"", "Connection: Upgrade", "Upgrade: websocket"))
    agreed = answer(b"", "Connection: Upgrade", "Upgrade: websocket", status="101 Switching")
    read.answers(agreed + b"\x81\x06P-1001").asks(b"\x81\x05hello")
    assert [(c.protocol, c.operation, c.status, c.bytes, c.unread) for c in read.crossings][1:] == [
        ("HTTP", "GET /chat", 101, len(agreed), 0),
        ("WebSocket", "GET /chat", None, 8, 8),
        ("WebSocket", "GET /chat", None, 7, 7),
    ]


def test_an_upgrade_that_nobody_agrees_to_changes_nothing():
    asked = message("GET /1 HTTP/1.1", b"", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: A")
    read = Read().asks(asked + message("GET /P-1001 HTTP/1.1")).answers(answer(b"one") + answer(b"two"))
    assert [c.operation for c in read.crossings] == ["GET /1", "GET /[patient]"] * 2
    assert not any(c.unread for c in read.crossings)


def test_a_tunnel_is_opaque():
    read = Read().asks(message("CONNECT c:443 HTTP/1.1")).answers(message("HTTP/1.1 200 Connected"))
    read.asks(message("GET /P-1001 HTTP/1.1")).answers(answer(b"P-1001"))
    assert [(c.protocol, bool(c.unread)) for c in read.crossings] == [("HTTP", False)] * 2 + [("TCP", True)] * 2


NOT_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "random": bytes(range(256)),
    "a word": b"P-1001\n",
    "two lengths": message("POST / HTTP/1.1", b"", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nX: a\r\n P-1001\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nX: P-1001\n\n",
    "after the last": message("GET / HTTP/1.1", b"", "Connection: close") + b"P-1001",
    "after a body": post(b"abc") + b"P-1001",
}


@pytest.mark.parametrize("what", NOT_HTTP)
def test_what_is_not_http_is_unread_to_the_last_byte(what):
    data = NOT_HTTP[what]
    read = Read().asks(data, b"more of P-1001").ends()
    assert sum(c.bytes for c in read.crossings) == len(data) + 14
    assert read.crossings[-1].protocol == "TCP"
    assert sum(c.unread for c in read.crossings) >= 14 + (6 if b"P-1001" in data else 0)


def test_a_server_that_speaks_first_is_opaque_in_both_directions():
    read = Read().answers(b"SSH-2.0-server\r\n").asks(b"SSH-2.0-client\r\n")
    assert [(c.source, c.protocol, c.unread) for c in read.crossings] == [("b", "TCP", 16), ("a", "TCP", 16)]


def test_empty_lines_before_a_request_count_as_part_of_it():
    read = Read().asks(b"\r\n", b"\r\n" + GET)
    assert (read.only.bytes, read.only.unread, read.only.whole) == (len(GET) + 4, 0, True)
