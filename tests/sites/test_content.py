"""A body is read as what it says it is; what cannot be read is counted, never passed over."""

import base64
import gzip
import json
import zlib
from functools import partial

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from helpers.sites import content
from helpers.sites.classified import Classified
from tests.sites.wire import Read, answer, chunked, message, post

RECORD = json.dumps({"patient": "P-1001", "text": "Ada Byron takes it. " * 40}).encode()
packed = partial(gzip.compress, mtime=0)  # else each run would give its tests other names
EVENT_STREAM = "Content-Type: text/event-stream"


def told(*headers, body=RECORD):
    return Read().asks(post(body, *headers)).only


def found(*headers, body=RECORD):
    crossing = told(*headers, body=body)
    assert crossing.whole
    return crossing.classified, crossing.unread


def looking_for(*values):
    return Classified({"it": list(values)})


@pytest.mark.parametrize(
    "coding, body",
    [
        ("gzip", packed(RECORD)),
        ("x-gzip", packed(RECORD)),
        ("GZIP", packed(RECORD)),
        ("deflate", zlib.compress(RECORD)),
        ("identity", RECORD),
        ("gzip", packed(b"nothing, ") + packed(RECORD)),
    ],
)
def test_a_compressed_body_is_read(coding, body):
    assert found(f"Content-Encoding: {coding}", body=body) == ({"patient": 2}, 0)


def test_a_body_compressed_for_its_way_only_is_read():
    data = chunked("POST / HTTP/1.1", packed(RECORD), headers=()).replace(b": chunked", b": gzip, chunked")
    assert (Read().asks(data).only.classified, Read().asks(data).only.unread) == ({"patient": 2}, 0)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip, br", "nonsense"])
def test_a_body_compressed_in_an_unknown_way_is_unread(coding):
    assert found(f"Content-Encoding: {coding}", body=b"of P-1001") == ({}, 9)


@pytest.mark.parametrize("body", [zlib.compress(RECORD)[2:-4], b"no gzip at all", packed(b"x") + b"of P-1001"])
def test_a_body_that_is_not_compressed_as_it_says_is_unread(body):
    assert found("Content-Encoding: gzip", body=body)[1] > 0


def test_a_body_that_is_too_large_is_unread_from_there_on(monkeypatch):
    monkeypatch.setattr(content, "MOST", 1000)
    assert found(body=b"of P-1001" + b"." * 991) == ({"patient": 1}, 0)
    assert found(body=b"of P-1001" + b"." * 1191) == ({"patient": 1}, 200)
    assert found(body=b"." * 1191 + b"of P-1001") == ({}, 200)


def test_a_small_body_that_would_be_large_is_unread(monkeypatch):
    monkeypatch.setattr(content, "MOST", 2**20)
    bomb = packed(b" " * (20 * 2**20) + b"of P-1001")
    classified, unread = found("Content-Encoding: gzip", body=bomb)
    assert classified == {} and 0 < unread <= len(bomb) < 2**15


def test_a_stream_has_no_limit_but_its_lines_have(monkeypatch):
    monkeypatch.setattr(content, "MOST", 1000)
    read = Read().answers(message("HTTP/1.1 200 OK", b"", EVENT_STREAM), *[b"data: something\n\n"] * 500)
    read.answers(b"data: of P-1001\n\n")
    assert (read.only.classified, read.only.unread) == ({"patient": 1}, 0)
    read.answers(b"x" * 900, b"x" * 600, b"\ndata: of P-1002\n\n")
    assert read.only.classified == {"patient": 1} and read.only.unread >= 500 + 18, "from there on it is unread"


JSONS = {
    "a number": (b'{"id": 1001}', "1001"),
    "a number too long to be exact": (b'{"id": 12345678901234567890.0}', "12345678901234567890"),
    "a key": (b'{"P-1001": 1}', "p-1001"),
    "an escape": (rb'{"id": "\u0050-1001"}', "p-1001"),
    "a key that comes again": (b'{"id": "P-1001", "id": "none"}', "p-1001"),
    "a list in a list": (b'[[[{"a": [["P-1001"]]}]]]', "p-1001"),
    "very deep": (b"[" * 100_000 + b'"P-1001"' + b"]" * 100_000, "p-1001"),
    "another encoding": ('{"id": "P-1001"}'.encode("utf-16"), "p-1001"),
    "no JSON after all": (b'{"id": "P-1001"', "p-1001"),
    "half a character pair": (rb'{"id": "\ud800 P-1001"}', "p-1001"),
}


@pytest.mark.parametrize("what", JSONS)
def test_every_part_of_json_is_read(what):
    body, value = JSONS[what]
    read = Read(looking_for(value)).asks(post(body))
    assert (read.only.classified, read.only.unread) == ({"it": 1}, 0)


def test_a_file_of_an_a2a_message_is_read():
    file = {"kind": "file", "file": {"name": "note.txt", "bytes": base64.b64encode(b"about P-1001\n").decode()}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": {"parts": [file]}}}
    assert Read().asks(post(body)).only.classified == {"patient": 1}


def test_a_picture_in_an_a2a_message_is_unread():
    picture = base64.b64encode(bytes(range(256)) * 20).decode()
    body = {"jsonrpc": "2.0", "method": "message/send", "params": {"parts": [{"file": {"bytes": picture}}]}}
    assert Read().asks(post(body)).only.unread == len(picture.rstrip("="))


@pytest.mark.parametrize("body", [bytes(range(256)), b"PK\x03\x04 P-1001", "P-1001".encode("utf-16"), b"a\0P-1001"])
def test_what_is_no_text_is_unread_even_where_something_is_found(body):
    assert found("Content-Type: application/octet-stream", body=body)[1] == len(body)


def test_a_charset_is_believed_and_one_that_is_none_makes_a_body_unread():
    latin = looking_for("Björn")
    for charset in "iso-8859-1", '"ISO-8859-1"', "cp1252":
        read = Read(latin).asks(post("für Björn".encode("latin-1"), f"Content-Type: text/plain; charset={charset}"))
        assert (read.only.classified, read.only.unread) == ({"it": 1}, 0)
    for charset in "zlib", "hex", "nonsense", "undefined":
        assert told(f"Content-Type: text/plain; charset={charset}", body=b"nothing").unread == 7
    assert found("Content-Type: text/plain; charset=utf-16-le", body="of P-1001".encode("utf-16-le"))[0]


EVENTS = {
    "JSON": b'data: {"text": "P-1"}\n\ndata: {"text": "001 of Ada By"}\n\ndata: {"text": "ron"}\n\n',
    "plain": b"data: P-1\n\nid: 7\ndata: 001 of Ada\n\nevent: x\ndata:  Byron\n\n",
    "with returns": b"data: P-1\r\n\r\ndata: 001 of Ada By\r\n\r\ndata: ron\r\n\r\n",
    "comments and names": b": P-1001\n\nevent: Ada Byron\ndata: 1\n\n",
    "without an end": b"data: P-1001\n\ndata: Ada Byron",
}


@pytest.mark.parametrize("what", EVENTS)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_server_sent_events_are_read_across_their_seams(what, size):
    read = Read().answers(message("HTTP/1.1 200 OK", b"", EVENT_STREAM))
    read.answers(*(EVENTS[what][at : at + size] for at in range(0, len(EVENTS[what]), size))).ends()
    assert (read.only.classified, read.only.unread) == ({"patient": 2}, 0)


def test_lines_of_json_are_read_across_their_seams_and_places():
    lines = [{"message": {"content": piece}, "done": False} for piece in ("P-10", "01, Ada", " Byron", " AC-1", "2345")]
    body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    assert found("Content-Type: application/x-ndjson", body=body)[0] == {"account": 1, "patient": 2}


def test_a_compressed_stream_is_read_while_it_comes():
    squeeze = zlib.compressobj(wbits=31)
    read = Read().answers(message("HTTP/1.1 200 OK", b"", EVENT_STREAM, "Content-Encoding: gzip"))
    for piece in b"data: P-10\n\n", b"data: 01\n\n":
        read.answers(squeeze.compress(piece) + squeeze.flush(zlib.Z_SYNC_FLUSH))
    assert (read.only.classified, read.only.unread) == ({"patient": 1}, 0)


def test_traces_in_protobuf_are_read_and_other_bytes_that_say_so_are_unread():
    traces = ExportTraceServiceRequest()
    span = traces.resource_spans.add().scope_spans.add().spans.add(name="look up", trace_id=bytes(range(16)))
    for value in "P-1001", "Ada Byron":
        span.attributes.add(key="gen_ai.prompt").value.string_value = value
    span.attributes.add(key="account").value.int_value = 77123
    kind = "Content-Type: application/x-protobuf"
    read = Read().asks(post(traces.SerializeToString(), kind, path="/v1/traces"))
    assert (read.only.protocol, read.only.classified, read.only.unread) == ("OTLP", {"patient": 2}, 0)
    number = Read(looking_for("77123")).asks(post(traces.SerializeToString(), kind))
    assert number.only.classified == {"it": 1}
    assert found(kind, body=b"\xff\xff P-1001")[1] == 9


def test_an_answer_is_read_like_a_request():
    read = Read().answers(answer(packed(RECORD), "Content-Encoding: gzip"))
    assert (read.only.classified, read.only.unread) == ({"patient": 2}, 0)
