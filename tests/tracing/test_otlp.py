"""OTLP's bodies: protobuf and JSON tell the same; what is malformed, too large or of another type is refused."""

import gzip
import json
import random
import tracemalloc
from functools import partial

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from helpers.tracing import logs, points, spans
from helpers.tracing.errors import StoreFailed, TooLarge, WrongType
from helpers.tracing.otlp import JSON, LIMIT, PROTOBUF, Form, status
from helpers.tracing.spans import Malformed
from tests.tracing.made import NOW, SECOND, as_json, attribute, request, rich_request, trace_id

packed = partial(gzip.compress, mtime=0)  # else each run would give its tests other names
PLAIN, PACKED, TEXT = Form.of(PROTOBUF, ""), Form.of(PROTOBUF, "gzip"), Form.of(JSON, "")


def read(form, body, **given):
    return spans.sift(form.decode(body, ExportTraceServiceRequest, **given))


@pytest.mark.parametrize("kind", [PROTOBUF, JSON, "Application/JSON; charset=utf-8"])
@pytest.mark.parametrize("encoding", ["", "identity", "gzip", " GZIP "])
def test_two_types_and_gzip_are_taken(kind, encoding):
    assert Form.of(kind, encoding).content_type in (PROTOBUF, JSON)
    assert Form.of(kind, encoding).packed == ("gzip" in encoding.lower())


@pytest.mark.parametrize("kind", ["", "text/plain", "application/grpc", "application/jsonl"])
def test_another_type_is_refused_with_those_that_are_taken(kind):
    with pytest.raises(WrongType, match="send application/x-protobuf or application/json"):
        Form.of(kind, "")


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip"])
def test_another_encoding_is_refused_with_those_that_are_taken(encoding):
    with pytest.raises(WrongType, match="send gzip, identity, or none"):
        Form.of(JSON, encoding)


def test_protobuf_and_json_tell_the_same_and_all_of_it():
    made = rich_request()
    (span,) = read(PLAIN, made.SerializeToString()).records
    assert read(TEXT, as_json(made)).records == [span]
    assert (span.trace_id, span.span_id, span.parent_id) == (trace_id(0xFE), f"{0xAB:016x}", f"{0xCD:016x}")
    assert (span.kind, span.status, span.status_message) == ("SERVER", "ERROR", "no stock")
    assert (span.service, span.site, span.scope, span.seconds) == ("pharmacy", "campus-a", "made", 1)
    assert span.attributes == {
        "text": "Ünï",
        "flag": True,
        "tokens": 2**60,
        "share": 0.25,
        "bytes": "00ff",
        "list": [1, "b"],
        "map": {"inner": 1},
    }
    assert span.events == ({"name": "retried", "time": NOW, "attributes": {"n": 2}},)
    assert span.links == ({"trace_id": trace_id(1), "span_id": f"{2:016x}", "attributes": {}},)


def test_json_as_the_specification_writes_it_with_what_is_not_known():
    one = {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": None}
    one |= {"name": "I'm a span", "kind": 2, "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1544712661}
    one |= {"new": {"traceId": "00"}, "status": {"code": 77}, "flags": 257}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one], "newer": [1]}]}], "newest": None}).encode()
    (span,) = read(TEXT, body).records
    assert (span.trace_id, span.parent_id) == ("5b8efff798038103d269b633813fc60c", "")
    assert (span.kind, span.status, span.seconds) == ("SERVER", "UNSET", 0)


@pytest.mark.parametrize("number", [-1, -99, 6, 2**31 - 1])
def test_a_kind_or_status_that_is_not_known_is_the_unspecified_one(number):
    made = request(1)
    (one,) = made.resource_spans[0].scope_spans[0].spans
    one.kind = one.status.code = number
    (span,) = read(PLAIN, made.SerializeToString()).records
    assert (span.kind, span.status) == ("INTERNAL", "UNSET")


def test_gzip_is_unpacked_in_one_piece_or_several():
    body = request(1).SerializeToString()
    assert len(read(PACKED, packed(body)).records) == 1
    assert len(read(PACKED, packed(body[:9]) + packed(body[9:])).records) == 1


def test_what_is_empty_is_a_request_without_spans():
    assert read(PLAIN, b"") == read(TEXT, b"{}") == read(PACKED, packed(b"")) == spans.Sifted()


@pytest.mark.parametrize("body", [b"no gzip", packed(b"x" * 99)[:-9], packed(b"x") + b"more", packed(b"x")[:-1] + b"!"])
def test_what_gzip_did_not_make_is_malformed(body):
    with pytest.raises(Malformed, match="not what gzip makes"):
        read(PACKED, body)


NO_JSON = {
    "empty": b"",
    "cut off": b'{"resourceSpans": [',
    "list": b"[]",
    "null": b"null",
    "no text": b"\xff\xfe\xfd",
    "other types": b'{"resourceSpans": 5}',
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "long number": b'{"resourceSpans": ' + b"1" * 9999 + b"}",
    "half a character": b'{"resourceSpans": ["\\ud800"]}',
    "half a character, quoted": b'{"resourceSpans": "\\ud800"}',
    "long, quoted": b'{"resourceSpans": "' + b"x" * 9999 + b'"}',
    "infinite enum": b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 1e999}]}]}]}',
    "base64 id": b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "W47/95gDgQPSabYzgT/GDA=="}]}]}]}',
    "spaces in id": b'{"traceId": "00 11"}',
    "odd id": b'{"traceId": "001"}',
    "number as id": b'{"spanId": 12}',
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_request_in_json_is_malformed_and_told_shortly(body):
    with pytest.raises(Malformed) as told:
        read(TEXT, body)
    assert told.value.status == 400 and len(str(told.value)) < 500
    assert status(told.value).SerializeToString()


def test_what_is_no_protobuf_is_malformed():
    with pytest.raises(Malformed, match="no ExportTraceServiceRequest in protobuf"):
        read(PLAIN, b"\xff\xff")


def test_damage_is_malformed_or_read_and_nothing_else():
    chance = random.Random(7)
    seen = set()
    for form, whole in ((PLAIN, rich_request().SerializeToString()), (TEXT, as_json(rich_request()))):
        for _ in range(2000):
            body = bytearray(whole)
            for _ in range(chance.randint(1, 3)):
                body[chance.randrange(len(body))] = chance.randrange(256)
            try:
                read(form, bytes(body))
                seen.add((form, "read"))
            except Malformed:
                seen.add((form, "malformed"))
    assert len(seen) == 4


def test_a_span_whose_id_is_none_is_refused_and_the_others_are_read():
    made = request(1, 0, 2, 0)
    made.resource_spans[0].scope_spans[0].spans[2].trace_id = b"short"
    sifted = read(PLAIN, made.SerializeToString())
    assert ([span.span_id for span in sifted.records], sifted.refused) == ([f"{1:016x}"], 3)
    assert "span_id has to be 8 bytes that are not all zero" in sifted.reason


def test_a_time_that_cannot_be_kept_is_refused():
    made = request(1)
    made.resource_spans[0].scope_spans[0].spans[0].end_time_unix_nano = 2**63
    assert "end_time_unix_nano has to be less than 2**63" in read(PLAIN, made.SerializeToString()).reason


def test_more_than_the_limit_is_refused_packed_or_not():
    body = request(1, padding="x" * 1000).SerializeToString()
    for form, sent in ((PLAIN, body), (PACKED, packed(body))):
        assert read(form, sent, most=len(body)).records
        with pytest.raises(TooLarge, match="Send smaller batches"):
            read(form, sent, most=len(body) - 1)


def test_a_bomb_is_not_unpacked_whole():
    bomb = packed(bytes(LIMIT)) * 64  # a gigabyte
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            read(PACKED, bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()


def test_answers_and_errors_are_written_in_the_form_of_the_request():
    told = status(StoreFailed("full"))
    assert json.loads(TEXT.encode(told)) == {"code": 14, "message": "full"}
    assert type(told).FromString(PLAIN.encode(told)) == told


def test_log_records_are_read_with_or_without_a_span():
    made = ExportLogsServiceRequest()
    scope = made.resource_logs.add().scope_logs.add()
    scope.scope.name = "audit"
    one = scope.log_records.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, severity_number=13, event_name="asked")
    one.body.kvlist_value.values.append(attribute("a", int_value=1))
    one.observed_time_unix_nano = NOW
    scope.log_records.add(trace_id=b"short", span_id=bytes(8), severity_number=99, time_unix_nano=1)
    scope.log_records.add(time_unix_nano=2**63)
    for body, form in ((made.SerializeToString(), PLAIN), (as_json(made), TEXT)):
        sifted = logs.sift(form.decode(body, ExportLogsServiceRequest))
        assert sifted.records == [
            logs.Log(NOW, {"a": 1}, "WARN", "01" * 16, "02" * 8, "asked", scope="audit"),
            logs.Log(1, scope="audit"),
        ]
        assert sifted.refused == 1


def test_points_of_every_kind_are_read():
    made = ExportMetricsServiceRequest()
    metrics = made.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="share", unit="1").gauge.data_points.add(as_double=0.5, time_unix_nano=NOW)
    calls = metrics.add(name="calls").sum
    calls.aggregation_temporality = 2
    calls.data_points.add(as_int=3, time_unix_nano=NOW, start_time_unix_nano=NOW - SECOND)
    calls.data_points.add(flags=1)
    size = metrics.add(name="size").histogram
    size.aggregation_temporality = 1
    size.data_points.add(count=2, sum=3.5, explicit_bounds=[1.0], bucket_counts=[1, 1])
    metrics.add(name="exponential").exponential_histogram.data_points.add(count=2, sum=3.5)
    metrics.add(name="summary").summary.data_points.add(count=2, sum=3.5)
    metrics.add(name="nothing")
    size.data_points.add(count=2**63)
    for body, form in ((made.SerializeToString(), PLAIN), (as_json(made), TEXT)):
        sifted = points.sift(form.decode(body, ExportMetricsServiceRequest))
        assert sifted.refused == 1
        assert sifted.records == [
            points.Point("share", "gauge", NOW, unit="1", value=0.5),
            points.Point("calls", "sum", NOW, NOW - SECOND, temporality="CUMULATIVE", value=3),
            points.Point("calls", "sum", 0, temporality="CUMULATIVE"),
            points.Point("size", "histogram", 0, temporality="DELTA", count=2, sum=3.5, bounds=(1.0,), counts=(1, 1)),
            points.Point("exponential", "exponential_histogram", 0, count=2, sum=3.5),
            points.Point("summary", "summary", 0, count=2, sum=3.5),
        ]
