"""Calls of REST tools as HTTP requests: where arguments go, how they are written, and what cannot be."""

import base64
import json
import socket

import httpx
import pytest
from referencing.exceptions import Unresolvable

from helpers.region.gateway.operations import FORM, BadArguments, BadTarget, Operation, Place, Where, check


def operation(path="/items/{id}", places=None, **more):
    places = places or {"id": Place(Where.PATH, "id")}
    tool = {"name": "read", "description": "d", "inputSchema": {"type": "object"}}
    return Operation(tool, more.pop("method", "GET"), "https://api.example.com/v1/", path, places, **more)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("a%2fb", "a%252fb"),
        ("../../secret", "..%2F..%2Fsecret"),
        ("%2e%2e", "%252e%252e"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a;b@c:d", "a%3Bb%40c%3Ad"),
        ("μ", "%CE%BC"),
        ("a\r\nb", "a%0D%0Ab"),
        ("...", "..."),
        (5, "5"),
        (5.0, "5"),
        (0.5, "0.5"),
        (1e300, "1e%2B300"),
        (True, "true"),
        (False, "false"),
        ([1, "b"], "1%2Cb"),
    ],
)
def test_a_label_stays_in_its_segment(value, written):
    url = operation().request({"id": value}).url
    assert url == f"https://api.example.com/v1/items/{written}"
    assert httpx.URL(url).raw_path.decode() == f"/v1/items/{written}"  # and the client sends it as it is


@pytest.mark.parametrize("value", [None, "", [], ".", "..", {"a": 1}, "\ud800", float("nan")])
def test_what_cannot_be_a_segment_is_refused(value):
    with pytest.raises(BadArguments):
        operation().request({"id": value})


def test_a_missing_label_is_named():
    with pytest.raises(BadArguments, match="id is needed"):
        operation().request({})


def test_an_unknown_argument_is_named():
    with pytest.raises(BadArguments, match="no argument other"):
        operation().request({"id": 1, "other": 2})


def test_a_greedy_label_has_slashes_but_goes_nowhere_else():
    greedy = operation("/{bucket}/{key+}", {each: Place(Where.PATH, each) for each in ("bucket", "key")})
    url = greedy.request({"bucket": "b", "key": "a/b c//d%2f..e"}).url
    assert url == "https://api.example.com/v1/b/a/b%20c//d%252f..e"
    for key in ("../x", "a/../../x", "a/."):
        with pytest.raises(BadArguments, match="mean another path"):
            greedy.request({"bucket": "b", "key": key})


def test_two_labels_that_make_dots_together_are_refused():
    both = operation("/x/{a}{b}", {each: Place(Where.PATH, each) for each in "ab"})
    assert both.request({"a": ".", "b": "x"}).url.endswith("/x/.x")
    with pytest.raises(BadArguments, match="mean another path"):
        both.request({"a": ".", "b": "."})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a&b=c", "?q=a%26b%3Dc"),
        ("a b+c", "?q=a%20b%2Bc"),
        ([], ""),
        (None, ""),
        ("", "?q="),
        ([1, True, "x", None], None),
        ([1, True, "x"], "?q=1&q=true&q=x"),
        ({"a": 1}, None),
        ([[1]], None),
    ],
)
def test_query_parameters(value, written):
    found = operation("/items", {"q": Place(Where.QUERY, "q")})
    if written is None:
        with pytest.raises(BadArguments, match="q can only be"):
            found.request({"q": value})
    else:
        assert found.request({"q": value}).url == f"https://api.example.com/v1/items{written}"


def test_an_object_of_query_parameters_does_not_replace_those_that_are_fixed():
    found = operation("/items", {"tags": Place(Where.QUERIES)}, query=(("list", ""), ("kind", "a")))
    assert found.request({"tags": {"kind": "b", "x": [1, 2]}}).url.endswith("/items?list=&kind=a&x=1&x=2")
    assert found.request({}).url.endswith("/items?list=&kind=a")


def test_headers():
    found = operation("/items", {"trace": Place(Where.HEADER, "X-Trace"), "meta": Place(Where.HEADERS, "X-Meta-")})
    assert found.request({"trace": [1, "b"], "meta": {"a": True}}).headers == {
        "Accept": "application/json",
        "X-Trace": "1,b",
        "X-Meta-a": "true",
    }
    assert "X-Trace" not in found.request({"trace": None}).headers


@pytest.mark.parametrize("value", ["a\r\nHost: evil", "a\nb", "a\x00", "μ", {"a": 1}, "a\x7f"])
def test_a_header_has_one_line(value):
    found = operation("/items", {"trace": Place(Where.HEADER, "X-Trace")})
    with pytest.raises(BadArguments, match="X-Trace"):
        found.request({"trace": value})


def test_the_name_of_a_header_has_one_line():
    found = operation("/items", {"meta": Place(Where.HEADERS, "X-")})
    with pytest.raises(BadArguments, match="header"):
        found.request({"meta": {"a\r\nHost": "evil"}})


def test_bodies_of_members():
    places = {"id": Place(Where.PATH, "id"), "size": Place(Where.MEMBER, "Size"), "note": Place(Where.MEMBER, "note")}
    found = operation(places=places, method="POST")
    request = found.request({"id": 1, "size": 2, "note": None})
    assert json.loads(request.content) == {"Size": 2, "note": None}
    assert request.headers["Content-Type"] == "application/json"
    empty = found.request({"id": 1})
    assert empty.content is None and "Content-Type" not in empty.headers
    assert operation(places=places, body_needed=True).request({"id": 1}).content == b"{}"


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(BadArguments, match="cannot be written"):
        operation("/", {"a": Place(Where.MEMBER, "a")}).request({"a": float("inf")})


def test_a_form():
    places = {each: Place(Where.MEMBER, each) for each in "ab"}
    request = operation("/", places, media=FORM, method="POST").request({"a": "x y&z", "b": [1, False]})
    assert request.content == b"a=x+y%26z&b=1&b=false"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("media", "value", "written"),
    [
        ("application/json", [1, {"a": None}], b'[1, {"a": null}]'),
        ("text/plain", "μ", "μ".encode()),
        ("application/octet-stream", base64.b64encode(b"\x00\xff").decode(), b"\x00\xff"),
    ],
)
def test_a_body_as_a_whole(media, value, written):
    found = operation("/", {"body": Place(Where.BODY, "body")}, media=media, body_needed=True)
    assert found.request({"body": value}).content == written
    with pytest.raises(BadArguments, match="needs a body"):
        found.request({})


def test_bytes_that_are_not_base64_are_refused():
    with pytest.raises(BadArguments, match="cannot be written"):
        operation("/", {"body": Place(Where.BODY)}, media="image/png").request({"body": "%%"})


SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "object", "properties": {"c": {"enum": ["x"]}}}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "'a' is a required property"),
        ({"a": "x"}, "a: 'x' is not of type 'integer'"),
        ({"a": 1, "b": {"c": "y"}}, r"b\.c: 'y' is not one of"),
        ({"a": 1, "z": 1}, "'z' was unexpected"),
    ],
)
def test_arguments_are_compared_with_the_schema(arguments, said):
    check({"a": 1, "b": {"c": "x"}}, {"inputSchema": SCHEMA})
    with pytest.raises(BadArguments, match=said):
        check(arguments, {"inputSchema": SCHEMA})


def test_few_faults_are_told_and_none_at_length():
    with pytest.raises(BadArguments) as refused:
        check({str(i): "y" * 1000 for i in range(8)}, {"inputSchema": {"additionalProperties": {"type": "integer"}}})
    lines = str(refused.value).splitlines()
    assert len(lines) == 6 and lines[-1] == "and 3 more" and all(len(line) < 220 for line in lines)


def test_no_schema_is_fetched():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        with pytest.raises(Unresolvable):
            check({}, {"inputSchema": {"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/x"}})
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_bad_target_tells_all_its_reasons():
    assert str(BadTarget(["One.", "Two."])) == "One.\nTwo."
