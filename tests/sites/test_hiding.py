"""Whoever wants to get a value out unseen finds no place in a message for it: it is found, or told as unread."""

import gzip
import json
import random

import pytest

from tests.sites.wire import GET, Read, answer, chunked, message, post

P = b"P-1001"


def split(data, seed, pieces=12):
    """`data` cut at random."""
    places = sorted(random.Random(seed).sample(range(1, len(data)), min(pieces, len(data) - 1)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


REQUESTS = {
    "the path": message("GET /P-1001 HTTP/1.1"),
    "the query, in escapes": message("GET /?a=%50-%31001 HTTP/1.1"),
    "a very long path": message(f"GET /{'x/' * 100_000}P-1001 HTTP/1.1"),
    "the whole address": message("GET http://b/P-1001 HTTP/1.1"),
    "a header": message("GET / HTTP/1.1", b"", "X-Note: P-1001"),
    "the name of a header": message("GET / HTTP/1.1", b"", "P-1001: x"),
    "a header that comes again": message("GET / HTTP/1.1", b"", "X: P-1001", "X: nothing"),
    "a header that came before": message("GET / HTTP/1.1", b"", "X: nothing", "X: P-1001"),
    "a header in Latin-1": message("GET / HTTP/1.1", b"", "X: ?").replace(b"?", "für P-1001".encode("latin-1")),
    "a cookie": message("GET / HTTP/1.1", b"", "Cookie: a=1; id=P-1001"),
    "basic authorization": message("GET / HTTP/1.1", b"", "Authorization: Basic cGF0aWVudDpQLTEwMDE="),
    "a very long header": message("GET / HTTP/1.1", b"", f"X: {'x ' * 30_000}P-1001"),
    "a chunk's extension": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=P-1001\r\nx\r\n0\r\n\r\n",
    "the last chunk's extension": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0;P-1001\r\n\r\n",
    "a trailer": chunked("POST / HTTP/1.1", b"x", trailers=b"X-Note: P-1001\r\n"),
    "a trailer, in escapes": chunked("POST / HTTP/1.1", b"x", trailers=b"X-Note: %50-1001\r\n"),
    "the body of a GET": message("GET / HTTP/1.1", P),
    "tiny chunks": chunked("POST / HTTP/1.1", *(bytes([byte]) for byte in P)),
    "the second of two": GET + post(P),
    "the first of two": post(P) + GET,
    "the last compressed file": message(
        "POST / HTTP/1.1", gzip.compress(b"no, ") + gzip.compress(P), "Content-Encoding: gzip"
    ),
    "a part of a form": message(
        "POST / HTTP/1.1", b'--x\r\nContent-Disposition: form-data; name="P-1001"\r\n\r\n1\r\n--x--'
    ),
    "JSON that is none": post(b'{"a": "P-1001"'),
    "a JSON string that is JSON": post({"a": json.dumps({"b": json.dumps("line\nP-1001")})}),
    "after an offer to upgrade": message("GET / HTTP/1.1", b"", "Connection: upgrade", "Upgrade: x") + post(P),
    "after the end": message("GET / HTTP/1.1", b"", "Connection: close") + P,
    "after a request of old": message("GET / HTTP/1.0") + P,
    "after a body": post(b"x") + P,
    "no HTTP": P + b"\r\n\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + P,
    "a head that does not end": b"GET /P-1001 HTTP/1.1\r\nX: ",
    "the name of a method": b"P-1001 / HTTP/1.1\r\n\r\n",
    "the version": b"GET / P-1001\r\n\r\n",
    "the body of an upgrade": message("POST / HTTP/1.1", P, "Connection: upgrade", "Upgrade: h2c"),
}
ANSWERS = {
    "the reason": message("HTTP/1.1 200 P-1001", b"x"),
    "a header": answer(b"x", "X-Note: P-1001"),
    "the body, without a length": message("HTTP/1.1 200 OK") + P,
    "the body, of old": message("HTTP/1.0 200 OK") + P,
    "an early hint": answer(b"", "Link: P-1001", status="103 Early Hints") + answer(b"x"),
    "a redirect": answer(b"", "Location: http://elsewhere/P-1001", "Content-Length: 0", status="302 Found"),
    "the body of an answer that has none": answer(b"", status="204 No Content") + P,
    "after the end": answer(b"x", "Connection: close") + P,
    "an answer nobody asked for": answer(b"x") + answer(P),
    "another protocol": b"SSH-2.0-P-1001\r\n",
    "after an agreed upgrade": answer(b"", "Upgrade: x", "Connection: upgrade", status="101 X") + P,
    "after an upgrade without a name": answer(b"", status="101 X") + P,
}


def told(read):
    """Whether the ledger would say so."""
    return any(c.classified.get("patient") or c.unread for c in read.crossings)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("where", REQUESTS)
def test_a_value_in_a_request_is_found_or_told_as_unread(where, seed):
    data = REQUESTS[where]
    read = Read().asks(*split(data, seed))
    assert told(read), "even before the connection ends"
    assert told(read.ends())
    assert sum(c.bytes for c in read.crossings) == len(data)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("where", ANSWERS)
def test_a_value_in_an_answer_is_found_or_told_as_unread(where, seed):
    data = ANSWERS[where]
    read = Read().asks(GET).answers(*split(data, seed))
    assert told(read), "even before the connection ends"
    assert told(read.ends())
    assert sum(c.bytes for c in read.crossings if c.source == "b") == len(data)


@pytest.mark.parametrize("where", {**REQUESTS, **ANSWERS})
def test_the_same_message_without_the_value_raises_no_alarm_unless_it_is_no_http(where):
    harmless = [table[where].replace(P, b"P-1003") for table in (REQUESTS, ANSWERS) if where in table]
    for data in harmless:
        read = Read().asks(GET).answers(data) if data.startswith(b"HTTP") else Read().asks(data)
        assert not any(c.classified for c in read.ends().crossings if b"P-1003" in data)


def test_nothing_that_is_written_down_holds_the_value():
    for data in REQUESTS.values():
        for crossing in Read().asks(data).ends().crossings:
            assert "1001" not in repr(crossing)
