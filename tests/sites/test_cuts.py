"""How a connection is cut into pieces on its way changes nothing of what the ledger has in the end."""

import gzip
import json
import random

import pytest

from tests.sites.test_content import EVENT_STREAM
from tests.sites.test_hiding import split
from tests.sites.wire import GET, Read, answer, chunked, message, post

TEXTS = ["of P-1001", "Ada Byron and P-1002", "AC-12345", "nothing", "", "für Björn Müller \U0001f600" * 9]
TRAILER = b"X-Sum: AC-54321\r\n"


def requests(chance):
    """A request, and how its answer is to be."""
    text = chance.choice(TEXTS)
    document = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"text": text}}
    return chance.choice(
        [
            (GET, None),
            (message("GET /records/P-1001?x=Ada+Byron HTTP/1.1", b"", "Accept: */*"), None),
            (message("HEAD /x HTTP/1.1"), "head"),
            (post(document), None),
            (post(json.dumps(document).encode() + b"\r\n" * 5, "X-Note: AC-11111"), None),
            (chunked("POST /c HTTP/1.1", *(bytes([byte]) for byte in text.encode()), trailers=TRAILER), None),
            (chunked("PUT /c HTTP/1.1", *split(json.dumps(document).encode(), chance.random(), 4)), None),
            (post(gzip.compress(text.encode() * 50), "Content-Encoding: gzip"), None),
            (post(bytes(range(256)), "Content-Encoding: br"), None),
            (post(text.encode() or b"x", "Expect: 100-continue"), "continue"),
            (message("GET /u HTTP/1.1", b"", "Connection: Upgrade", "Upgrade: h2c"), None),
        ]
    )


def answers(chance, wanted):
    """What is answered to it."""
    text = chance.choice(TEXTS).encode()
    if wanted == "head":
        return answer(b"", "Content-Length: 1000")
    events = b"".join(b"event: e\r\ndata: %b\r\n\r\n" % json.dumps({"t": c}).encode() for c in text.decode()[:20])
    given = chance.choice(
        [
            answer(text or b"x"),
            answer(b"", "Content-Length: 0", "X: Ada Byron"),
            answer(b"", status="204 No Content"),
            answer(b"", "Content-Length: 40", status="304 Not Modified"),
            answer(gzip.compress(text * 99), "Content-Encoding: gzip", status="500 Of P-1001"),
            chunked("HTTP/1.1 200 OK", *(split(events, chance.random(), 5) if events else ()), headers=(EVENT_STREAM,)),
            answer(b"", "Link: P-1002", status="103 Early Hints") + answer(b"\n" * 30),
        ]
    )
    return answer(b"", status="100 Continue") + given if wanted == "continue" else given


def conversation(seed):
    """Both directions of a connection with several messages."""
    chance = random.Random(seed)
    asked = [requests(chance) for _ in range(chance.randint(1, 6))]
    answered = [answers(chance, wanted) for _, wanted in asked]
    if chance.random() < 0.3:
        answered[-1] = (
            message("HTTP/1.1 200 OK") + b"of P-1001, until the end" if asked[-1][1] is None else answered[-1]
        )
    return [data for data, _ in asked], answered


def kept(read):
    return [
        (c.source, c.protocol, c.operation, c.status, c.bytes, c.unread, c.whole, c.classified)
        for c in sorted(read.crossings, key=lambda c: c.source)
    ]


@pytest.mark.parametrize("seed", range(150))
def test_it_is_the_same_however_it_is_cut(seed):
    asked, answered = conversation(seed)
    whole = Read().asks(b"".join(asked)).answers(b"".join(answered)).ends()
    expected = kept(whole)
    assert [c.bytes for c in whole.crossings if c.source == "a"] == [len(data) for data in asked]
    assert sum(c.bytes for c in whole.crossings if c.source == "b") == len(b"".join(answered))
    assert all(c.whole for c in whole.crossings)
    assert kept(Read().asks(*asked).answers(*answered).ends()) == expected, "a message a piece"
    for way in range(4):
        read = Read().asks(*split(b"".join(asked), way, 9)).answers(*split(b"".join(answered), way, 9)).ends()
        assert kept(read) == expected, f"cut at random, {way}"
    single = [[bytes([byte]) for byte in b"".join(each)] for each in (asked, answered)]
    assert kept(Read().asks(*single[0]).answers(*single[1]).ends()) == expected, "a byte a piece"


@pytest.mark.parametrize("seed", range(150))
def test_a_stream_with_a_fault_adds_up_and_raises_nothing_however_it_is_cut(seed):
    chance = random.Random(seed)
    asked, answered = (bytearray(b"".join(each)) for each in conversation(seed))
    for data in asked, answered:
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 5))
    for way in range(4):
        read = Read()
        read.asks(*split(asked, way, 9)).answers(*split(answered, way, 9)).ends()
        assert sum(c.bytes for c in read.crossings if c.source == "a") == len(asked)
        assert sum(c.bytes for c in read.crossings if c.source == "b") == len(answered)
        assert all(0 <= c.unread <= c.bytes for c in read.crossings)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_unread_to_the_last_byte(seed):
    noise = random.Random(seed).randbytes(3000)
    read = Read().asks(*split(noise, seed)).answers(*split(noise, seed + 1)).ends()
    assert sum(c.unread for c in read.crossings) == sum(c.bytes for c in read.crossings) == 6000
