"""Tools from Smithy models: shapes as JSON Schema, traits as places in a request, AWS's endpoint rules, refusals."""

import copy
import json
import re

import pytest
from botocore.loaders import Loader

from helpers.region.gateway.operations import BadArguments, BadTarget, check
from helpers.region.gateway.smithy import operations, signing_name

API = "smithy.api#"
RULES = Loader().load_service_model("lambda", "endpoint-rule-set-1")


def traits(**named):
    return {"traits": {API + name: value for name, value in named.items()}}


def to(target, **named):
    return {"target": target if "#" in target else API + target} | (traits(**named) if named else {})


MODEL = {
    "smithy": "2.0",
    "shapes": {
        "blood#Bank": {
            "type": "service",
            "version": "2026-01-01",
            "operations": [to("blood#PutUnit"), to("blood#ReadNote")],
            "resources": [to("blood#Ward")],
            "traits": {
                "aws.protocols#restJson1": {},
                "aws.auth#sigv4": {"name": "bloodbank"},
                "smithy.rules#endpointRuleSet": RULES,
            },
        },
        "blood#Ward": {"type": "resource", "read": to("blood#GetWard"), "resources": [to("blood#Ward")]},
        "blood#PutUnit": {
            "type": "operation",
            "input": to("blood#PutUnitInput"),
            "output": to("Unit"),
            **traits(
                http={"method": "PUT", "uri": "/units/{unit}/{path+}?mode=put&dry", "code": 200},
                documentation="<p>Puts a <i>unit</i> &amp; tells   nobody.</p>",
            ),
        },
        "blood#PutUnitInput": {
            "type": "structure",
            "members": {
                "unit": to("String", httpLabel={}, required={}, length={"min": 1, "max": 9}),
                "path": to("String", httpLabel={}, required={}),
                "since": to("Timestamp", httpQuery="since"),
                "tags": to("blood#Tags", httpQuery="tag"),
                "more": to("blood#Map", httpQueryParams={}),
                "trace": to("String", httpHeader="x-trace"),
                "day": to("Timestamp", httpHeader="x-day"),
                "meta": to("blood#Map", httpPrefixHeaders="x-meta-"),
                "kind": to("blood#Kind", jsonName="Kind", required={}, documentation="Which <b>kind</b>."),
                "level": to("blood#Level"),
                "at": to("Timestamp"),
                "on": to("Timestamp", timestampFormat="date-time"),
                "volume": to("Double", range={"min": 0, "max": 9}),
                "code": to("String", pattern="^[A-Z]+$"),
                "name": to("String", pattern="^\\p{L}+$"),
                "raw": to("Blob", length={"max": 3}),
                "choice": to("blood#Choice"),
                "part": to("blood#Part"),
                "free": to("Document"),
                "old": to("blood#Old"),
            },
        },
        "blood#Tags": {
            "type": "list",
            "member": to("String"),
            **traits(length={"max": 2}, uniqueItems={}),
        },
        "blood#Map": {"type": "map", "key": to("String"), "value": to("String")},
        "blood#Kind": {
            "type": "enum",
            "members": {"A": to("Unit", enumValue="a"), "B": to("Unit")},
        },
        "blood#Level": {
            "type": "intEnum",
            "members": {"LOW": to("Unit", enumValue=1), "HIGH": to("Unit", enumValue=2)},
        },
        "blood#Old": {"type": "string", **traits(enum=[{"value": "x"}, {"value": "y"}])},
        "blood#Choice": {"type": "union", "members": {"one": to("String"), "two": to("PrimitiveInteger")}},
        "blood#Part": {
            "type": "structure",
            "members": {"size": to("Integer", required={}, jsonName="Size"), "inner": to("blood#Parts")},
        },
        "blood#Parts": {"type": "list", "member": to("blood#Part")},
        "blood#ReadNote": {
            "type": "operation",
            "input": to("blood#ReadNoteInput"),
            **traits(http={"method": "POST", "uri": "/note"}),
        },
        "blood#ReadNoteInput": {"type": "structure", "members": {"note": to("String", httpPayload={}, required={})}},
        "blood#GetWard": {
            "type": "operation",
            "input": to("Unit"),
            **traits(http={"method": "GET", "uri": "/ward"}, readonly={}),
        },
    },
}


@pytest.fixture(scope="module")
def tools():
    return {each.tool["name"]: each for each in operations(json.dumps(MODEL), "us-west-2")}


def test_operations_of_the_service_and_of_its_resources_are_tools(tools):
    assert list(tools) == ["PutUnit", "ReadNote", "GetWard"]
    assert tools["PutUnit"].tool["description"] == "Puts a unit & tells nobody."
    assert tools["GetWard"].tool["inputSchema"] == {"type": "object", "properties": {}, "additionalProperties": False}
    assert signing_name(json.dumps(MODEL)) == "bloodbank"


@pytest.mark.parametrize(
    ("region", "host"), [("us-west-2", "lambda.us-west-2.amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")]
)
def test_the_address_is_what_the_rules_say_for_the_region(region, host):
    request = operations(json.dumps(MODEL), region)[2].request({})
    assert request.url.startswith("https://lambda.") and request.url.endswith(f"{host}/ward")
    assert (request.method, request.content, request.headers) == ("GET", None, {"Accept": "application/json"})


def test_shapes_become_json_schema(tools):
    schema = tools["PutUnit"].tool["inputSchema"]
    assert schema["required"] == ["unit", "path", "kind"]
    part = {
        "type": "object",
        "properties": {
            "Size": {"type": "integer"},
            "inner": {"type": "array", "items": {"$ref": "#/$defs/blood.Part"}},
        },
        "required": ["Size"],
    }
    assert schema["properties"] == {
        "unit": {"type": "string", "minLength": 1, "maxLength": 9},
        "path": {"type": "string"},
        "since": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "maxItems": 2},
        "more": {"type": "object", "additionalProperties": {"type": "string"}},
        "trace": {"type": "string"},
        "day": {"type": "string", "description": "A date as in HTTP: Tue, 29 Apr 2014 18:30:38 GMT."},
        "meta": {"type": "object", "additionalProperties": {"type": "string"}},
        "kind": {"type": "string", "enum": ["a", "B"], "description": "Which kind."},
        "level": {"type": "integer", "enum": [1, 2]},
        "at": {"type": "number", "description": "Seconds since 1970."},
        "on": {"type": "string", "format": "date-time"},
        "volume": {"type": "number", "minimum": 0, "maximum": 9},
        "code": {"type": "string", "pattern": "^[A-Z]+$"},
        "name": {"type": "string"},  # its pattern is in a dialect that Python does not know
        "raw": {"type": "string", "contentEncoding": "base64"},
        "choice": {
            "type": "object",
            "properties": {"one": {"type": "string"}, "two": {"type": "integer"}},
            "minProperties": 1,
            "maxProperties": 1,
        },
        "part": part,
        "free": {},
        "old": {"type": "string", "enum": ["x", "y"]},
    }
    assert schema["$defs"] == {"blood.Part": part}


GIVEN = {
    **{"unit": "u/1", "path": "a/b c", "since": "2026-01-01T00:00:00Z", "tags": ["x", "y"]},
    **{"more": {"mode": "other", "z": "1"}, "trace": "t", "meta": {"k": "v"}},
    **{"kind": "a", "at": 1.5, "part": {"Size": 1, "inner": [{"Size": 2}]}},
}


def test_a_call_is_a_request(tools):
    check(GIVEN, tools["PutUnit"].tool)
    request = tools["PutUnit"].request(GIVEN)
    assert request.url == (
        "https://lambda.us-west-2.amazonaws.com/units/u%2F1/a/b%20c"
        "?mode=put&dry=&since=2026-01-01T00%3A00%3A00Z&tag=x&tag=y&z=1"
    )
    assert request.method == "PUT"
    assert request.headers == {
        **{"Accept": "application/json", "Content-Type": "application/json"},
        **{"x-trace": "t", "x-meta-k": "v"},
    }
    assert json.loads(request.content) == {"Kind": "a", "at": 1.5, "part": {"Size": 1, "inner": [{"Size": 2}]}}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"choice": {"one": "x", "two": 1}}, "choice"),
        ({"level": 3}, "level"),
        ({"part": {"Size": 1, "inner": [{"Size": "x"}]}}, r"part\.inner\[0\]\.Size"),
        ({"unit": "too long here"}, "unit"),
        ({"none": 1}, "'none' was unexpected"),
    ],
)
def test_arguments_are_held_against_the_shapes(tools, more, said):
    with pytest.raises(BadArguments, match=said):
        check(GIVEN | more, tools["PutUnit"].tool)


def payload(target):
    model = copy.deepcopy(MODEL)
    model["shapes"]["blood#ReadNoteInput"]["members"]["note"]["target"] = target
    model["shapes"]["blood#Picture"] = {"type": "blob", **traits(mediaType="image/png")}
    return operations(json.dumps(model), "us-west-2")[1]


@pytest.mark.parametrize(
    ("target", "value", "media", "written"),
    [
        (API + "String", "a b", "text/plain", b"a b"),
        (API + "Blob", "aGk=", "application/octet-stream", b"hi"),
        ("blood#Picture", "aGk=", "image/png", b"hi"),
        ("blood#Map", {"a": "b"}, "application/json", b'{"a": "b"}'),
    ],
)
def test_a_payload_is_the_whole_body(target, value, media, written):
    request = payload(target).request({"note": value})
    assert (request.headers["Content-Type"], request.content) == (media, written)
    with pytest.raises(BadArguments, match="needs a body"):
        payload(target).request({})


def test_an_input_with_members_is_sent_also_when_it_has_none():
    model = copy.deepcopy(MODEL)
    model["shapes"]["blood#ReadNoteInput"]["members"]["note"] = to("String")
    assert operations(json.dumps(model), "us-west-2")[1].request({}).content == b"{}"


def shape(name):
    return lambda model: model["shapes"]["blood#" + name]


def service(edit):
    return lambda model: edit(shape("Bank")(model))


def put(edit):
    return lambda model: edit(shape("PutUnit")(model)["traits"])


def note(edit):
    return lambda model: edit(shape("ReadNoteInput")(model)["members"])


REFUSALS = {
    "no model": (lambda m: m.pop("smithy"), "does not say `smithy`"),
    "another version": (lambda m: m.update(smithy="3.0"), "does not say `smithy`"),
    "no shapes": (lambda m: m.pop("shapes"), "has no shapes"),
    "apply": (lambda m: m["shapes"].update({"blood#x": {"type": "apply"}}), "applies traits"),
    "two services": (lambda m: m["shapes"].update({"blood#B": {"type": "service"}}), "2 services: blood#Bank, blood#B"),
    "no service": (lambda m: m["shapes"].pop("blood#Bank"), "0 services: none"),
    "no operations": (service(lambda s: (s.pop("operations"), s.pop("resources"))), "has no operations"),
    "protocol": (
        service(lambda s: s["traits"].update({"aws.protocols#awsJson1_1": s["traits"].pop("aws.protocols#restJson1")})),
        "does not speak aws.protocols#restJson1",
    ),
    "no rules": (service(lambda s: s["traits"].pop("smithy.rules#endpointRuleSet")), "has no smithy.rules"),
    "damaged rules": (
        service(lambda s: s["traits"].update({"smithy.rules#endpointRuleSet": {"version": "1.0"}})),
        "has no address for us-west-2",
    ),
    "no http": (put(lambda t: t.pop(API + "http")), "PutUnit: it has no trait http"),
    "a host prefix": (
        put(lambda t: t.update({API + "endpoint": {"hostPrefix": "x."}})),
        "PutUnit: its host has a prefix",
    ),
    "a checksum": (put(lambda t: t.update({API + "httpChecksumRequired": {}})), "PutUnit: it needs a checksum"),
    "another label": (
        put(lambda t: t[API + "http"].update(uri="/units/{unit}")),
        "PutUnit: the labels of /units/{unit} are not the members",
    ),
    "streaming input": (
        note(lambda m: m.update(body=to("blood#Stream"))),
        "ReadNote: its input streams",
    ),
    "streaming output": (
        lambda m: shape("GetWard")(m).update(output=to("blood#Streamed")),
        "GetWard: its output streams",
    ),
    "events": (lambda m: shape("GetWard")(m).update(output=to("blood#Events")), "GetWard: its output streams"),
    "no shape": (note(lambda m: m.update(x=to("blood#Gone"))), "ReadNote: there is no shape blood#Gone"),
    "mixins": (
        lambda m: shape("Part")(m).update(mixins=[to("blood#Map")]),
        "PutUnit: shape blood#Part has mixins",
    ),
    "no value": (note(lambda m: m.update(x=to("blood#Ward"))), "ReadNote: a resource is no value"),
    "a header in base64": (note(lambda m: m.update(x=to("blood#Json", httpHeader="x-json"))), "as base64"),
    "a limit": (note(lambda m: m.update(x=to("String", length={"min": "a"}))), "ReadNote: $.properties.x.minLength"),
    "a damaged service": (service(lambda s: s.update(operations=[None])), "The model is damaged"),
    "a damaged shape": (lambda m: shape("Tags")(m).pop("member"), "PutUnit: the model is damaged there"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_gateway_does_not_take_is_refused(name):
    edit, said = REFUSALS[name]
    model = copy.deepcopy(MODEL)
    model["shapes"] |= {
        "blood#Stream": {"type": "blob", **traits(streaming={})},
        "blood#Streamed": {"type": "structure", "members": {"body": to("blood#Stream", httpPayload={})}},
        "blood#Event": {"type": "union", "members": {"a": to("String")}, **traits(streaming={})},
        "blood#Events": {"type": "structure", "members": {"events": to("blood#Event", httpPayload={})}},
        "blood#Json": {"type": "string", **traits(mediaType="application/json")},
    }
    operations(json.dumps(model), "us-west-2")
    edit(model)
    with pytest.raises(BadTarget) as refused:
        operations(json.dumps(model), "us-west-2")
    assert [each for each in refused.value.reasons if re.search(re.escape(said), each)], refused.value.reasons


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('$version: "2.0"\nnamespace blood', "no JSON AST"),
        ('{"smithy": NaN}', "no JSON AST"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "does not say `smithy`"),
        (" " * (10 * 2**20 + 1), "larger than 10 MB"),
    ],
)
def test_texts_that_are_no_models(text, said):
    with pytest.raises(BadTarget, match=said):
        operations(text, "us-west-2")


def test_all_faults_are_told_at_once():
    model = copy.deepcopy(MODEL)
    del model["shapes"]["blood#GetWard"]["traits"]
    del model["shapes"]["blood#PutUnit"]["traits"]
    del model["shapes"]["blood#Bank"]["traits"]
    with pytest.raises(BadTarget) as refused:
        operations(json.dumps(model), "us-west-2")
    assert len(refused.value.reasons) == 4


def test_an_address_that_is_made_of_nothing_is_refused():
    model = copy.deepcopy(MODEL)
    rules = {
        "version": "1.0",
        "parameters": {},
        "rules": [{"type": "endpoint", "conditions": [], "endpoint": {"url": "https://user@host"}}],
    }
    model["shapes"]["blood#Bank"]["traits"]["smithy.rules#endpointRuleSet"] = rules
    with pytest.raises(BadTarget, match="which is no address"):
        operations(json.dumps(model), "us-west-2")
