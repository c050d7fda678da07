"""Tools from OpenAPI documents: what they become, what their calls send, and each refusal."""

import copy
import json
import re
import socket

import pytest
import yaml

from helpers.region.gateway import documents, openapi_rules
from helpers.region.gateway.openapi import operations
from helpers.region.gateway.operations import BadArguments, BadTarget, check

STORE = """
openapi: 3.0.3
info: {title: Blood bank, version: 1.0.0}
servers:
  - url: https://{site}.example.com/{base}
    variables:
      site: {default: edge, enum: [edge, region]}
      base: {default: v1}
paths:
  /units/{unitId}:
    parameters:
      - {name: unitId, in: path, required: true, schema: {type: string, maxLength: 12}, description: The unit.}
      - {name: verbose, in: query, schema: {type: boolean}}
    get:
      operationId: getUnit
      summary: One unit
      description: All that is known of it.
      parameters:
        - {name: verbose, in: query, schema: {type: string}}
        - {name: X-Ward, in: header, schema: {type: string, nullable: true}}
        - {name: Authorization, in: header, schema: {type: string}}
        - {name: tag, in: query, schema: {type: array, items: {type: string}}}
      responses:
        200: {description: ok}
    put:
      operationId: put-unit
      requestBody: {$ref: '#/components/requestBodies/Unit'}
      responses: {default: {description: ok}}
  /bulk:
    post:
      operationId: bulk
      requestBody:
        required: true
        content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Unit'}}}}
      responses: {default: {description: ok}}
  /form:
    post:
      operationId: form
      servers: [{url: 'http://127.0.0.1:8080'}]
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {kind: {type: string}, on: {type: array, items: {type: integer}}}}
      responses: {default: {description: ok}}
components:
  requestBodies:
    Unit:
      required: true
      content: {application/json; charset=utf-8: {schema: {$ref: '#/components/schemas/Unit'}}}
  schemas:
    Unit:
      type: object
      required: [kind, id]
      properties:
        id: {type: string, readOnly: true}
        kind: {type: string, enum: [A, B], nullable: true, example: A}
        volume: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false}
        parts: {type: array, items: {$ref: '#/components/schemas/Unit'}}
        donor: {$ref: '#/components/schemas/Donor'}
    Donor: {type: object, properties: {on: {type: string, format: date, default: 2026-01-01, x-note: n}}}
"""


@pytest.fixture(scope="module")
def tools():
    return {each.tool["name"]: each for each in operations(STORE)}


def minimal(**operation):
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/a": {"post": {"operationId": "a", "responses": {"200": {"description": "ok"}}} | operation}},
    }


def reasons(document):
    with pytest.raises(BadTarget) as refused:
        operations(document if isinstance(document, str) else json.dumps(document))
    return refused.value.reasons


def test_each_operation_is_a_tool(tools):
    assert list(tools) == ["getUnit", "put-unit", "bulk", "form"]
    unit = tools["getUnit"].tool
    assert unit["description"] == "One unit\n\nAll that is known of it."
    assert unit["inputSchema"]["properties"] == {
        "unitId": {"type": "string", "maxLength": 12, "description": "The unit."},
        "verbose": {"type": "string"},  # what the operation says, not what the path says
        "X-Ward": {"type": ["string", "null"]},
        "tag": {"type": "array", "items": {"type": "string"}},
    }
    assert unit["inputSchema"]["required"] == ["unitId"] and unit["inputSchema"]["additionalProperties"] is False
    assert tools["bulk"].tool["description"] == "POST /bulk"


def test_a_call_is_a_request(tools):
    request = tools["getUnit"].request({"unitId": "a/b", "verbose": "x", "X-Ward": "7", "tag": ["u", "v"]})
    assert (request.method, request.content) == ("GET", None)
    assert request.url == "https://edge.example.com/v1/units/a%2Fb?verbose=x&tag=u&tag=v"
    assert request.headers == {"Accept": "application/json", "X-Ward": "7"}


def test_the_members_of_a_body_are_arguments(tools):
    schema = tools["put-unit"].tool["inputSchema"]
    assert set(schema["properties"]) == {"unitId", "verbose", "kind", "volume", "parts", "donor"}
    assert schema["required"] == ["unitId", "kind"]  # not `id`, which only answers have
    assert schema["properties"]["kind"] == {"type": ["string", "null"], "enum": ["A", "B", None]}
    assert schema["properties"]["volume"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 9}
    assert schema["properties"]["donor"]["properties"]["on"] == {
        "type": "string",
        "format": "date",
        "default": "2026-01-01",
    }
    request = tools["put-unit"].request({"unitId": "u", "verbose": True, "kind": None, "volume": 2})
    assert request.url == "https://edge.example.com/v1/units/u?verbose=true"
    assert (request.method, json.loads(request.content)) == ("PUT", {"kind": None, "volume": 2})


def test_a_schema_that_holds_itself_is_checked_at_each_depth(tools):
    tool = tools["put-unit"].tool
    assert tool["inputSchema"]["properties"]["parts"] == {"type": "array", "items": {"$ref": "#/$defs/Unit"}}
    check({"unitId": "u", "kind": "A", "parts": [{"kind": "B", "parts": [{"kind": "A"}]}]}, tool)
    with pytest.raises(BadArguments, match=r"parts\[0\]\.parts\[0\]\.kind"):
        check({"unitId": "u", "kind": "A", "parts": [{"kind": "B", "parts": [{"kind": "C"}]}]}, tool)


def test_a_body_that_is_no_object_is_one_argument(tools):
    bulk = tools["bulk"]
    assert bulk.tool["inputSchema"]["required"] == ["body"]
    assert json.loads(bulk.request({"body": [{"kind": "A"}]}).content) == [{"kind": "A"}]
    with pytest.raises(BadArguments, match="needs a body"):
        bulk.request({})


def test_a_form_goes_to_the_operations_own_server(tools):
    request = tools["form"].request({"kind": "a b", "on": [1, 2]})
    assert (request.url, request.content) == ("http://127.0.0.1:8080/form", b"kind=a+b&on=1&on=2")


def test_a_body_whose_members_are_named_like_parameters_is_one_argument():
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}}}}
    parameters = [{"name": "a", "in": "query", "schema": {"type": "string"}}]
    (found,) = operations(json.dumps(minimal(parameters=parameters, requestBody=body)))
    request = found.request({"a": "1", "body": {"a": "2"}})
    assert request.url.endswith("/a?a=1") and json.loads(request.content) == {"a": "2"}


def test_parameters_of_the_same_name_become_two_arguments():
    parameters = [{"name": "a", "in": where, "schema": {"type": "string"}} for where in ("query", "header")]
    (found,) = operations(json.dumps(minimal(parameters=parameters)))
    request = found.request({"a": "1", "header_a": "2"})
    assert request.url.endswith("?a=1") and request.headers["a"] == "2"


@pytest.mark.parametrize("more", [{"additionalProperties": True}, {"minProperties": 1}, {"required": ["b"]}])
def test_a_body_of_which_something_would_be_lost_is_one_argument(more):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}} | more
    (found,) = operations(json.dumps(minimal(requestBody={"content": {"application/json": {"schema": schema}}})))
    assert list(found.places) == ["body"]


def test_3_1_keeps_what_json_schema_says():
    schema = {"type": ["integer", "null"], "exclusiveMinimum": 3, "const": 4, "examples": [4]}
    (found,) = operations(json.dumps(minimal(parameters=[{"name": "a", "in": "query", "schema": schema}])))
    assert found.tool["inputSchema"]["properties"]["a"] == {
        "type": ["integer", "null"],
        "exclusiveMinimum": 3,
        "const": 4,
    }


def test_schemas_that_hold_each_other():
    document = minimal(requestBody={"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}})
    a, b = ({"type": "object", "properties": {"next": {"$ref": f"#/components/schemas/{x}"}}} for x in "BA")
    document["components"] = {"schemas": {"A": a, "B": b}}
    (found,) = operations(json.dumps(document))
    check({"next": {"next": {"next": {}}}}, found.tool)
    with pytest.raises(BadArguments, match=r"next\.next\.next"):
        check({"next": {"next": {"next": 1}}}, found.tool)


def test_a_pattern_of_another_dialect_is_left_to_the_service():
    schema = {"type": "string", "pattern": r"^\p{L}+$"}
    (found,) = operations(json.dumps(minimal(parameters=[{"name": "a", "in": "query", "schema": schema}])))
    check({"a": "?"}, found.tool)


def changed(edit):
    document = copy.deepcopy(minimal())
    edit(document, document["paths"]["/a"]["post"])
    return document


def composed(key):
    return lambda document, each: document.update(components={"schemas": {"default": {key: [{"type": "string"}]}}})


def parameter(**more):
    return lambda document, each: each.update(parameters=[{"name": "p", "in": "query", "schema": {}} | more])


def body(media="application/json", **more):
    return lambda document, each: each.update(requestBody={"content": {media: {"schema": {"type": "object"}} | more}})


REFUSALS = {
    "Swagger": (lambda d, each: (d.pop("openapi"), d.update(swagger="2.0")), "version 2.0 of OpenAPI"),
    "a later version": (lambda d, each: d.update(openapi="3.2.0"), "version 3.2.0 of OpenAPI"),
    "no version": (lambda d, each: d.pop("openapi"), "version None of OpenAPI"),
    "no operations": (lambda d, each: d["paths"].clear(), "there is no operation"),
    "no form": (lambda d, each: d["info"].pop("title"), "info: 'title' is a required property"),
    "no operationId": (lambda d, each: each.pop("operationId"), "POST /a: it has no operationId"),
    "no name": (lambda d, each: each.update(operationId="read it"), "operationId read it is no name of a tool"),
    "a long name": (lambda d, each: each.update(operationId="a" * 129), "is no name of a tool"),
    "one name twice": (lambda d, each: d["paths"].update({"/b": {"get": each}}), "that of POST /a too"),
    "no server": (lambda d, each: d.pop("servers"), "there is no server"),
    "a relative server": (lambda d, each: d.update(servers=[{"url": "/v1"}]), "server /v1 is no address"),
    "a server with a query": (lambda d, each: d.update(servers=[{"url": "https://a.b/?c=d"}]), "is no address"),
    "a server with a user": (lambda d, each: d.update(servers=[{"url": "https://u:p@a.b"}]), "is no address"),
    "a server with a bad port": (lambda d, each: d.update(servers=[{"url": "https://a.b:x"}]), "is no address"),
    "a variable without default": (
        lambda d, each: d.update(servers=[{"url": "https://{s}.b", "variables": {"s": {"enum": ["a"]}}}]),
        "variable s of server .* has no default",
    ),
    "a variable unknown": (lambda d, each: d.update(servers=[{"url": "https://{s}.b"}]), "has no default"),
    "oneOf": (composed("oneOf"), "components/schemas/default: oneOf is not supported"),
    "anyOf": (composed("anyOf"), "anyOf is not supported"),
    "allOf": (composed("allOf"), "allOf is not supported"),
    "security": (
        lambda d, each: d.update(components={"securitySchemes": {"k": {"type": "http", "scheme": "basic"}}}),
        "credential provider",
    ),
    "style": (parameter(style="pipeDelimited"), "only style form with explode true"),
    "explode": (parameter(explode=False), "only style form with explode true"),
    "header explode": (parameter(**{"in": "header", "explode": True}), "only style simple with explode false"),
    "object": (parameter(schema={"type": "object"}), "needs a serialiser"),
    "lists of lists": (
        parameter(schema={"type": "array", "items": {"type": "array", "items": {}}}),
        "needs a serialiser",
    ),
    "content": (
        lambda d, each: each.update(
            parameters=[{"name": "p", "in": "query", "content": {"application/json": {"schema": {}}}}]
        ),
        "content and allowReserved are not supported",
    ),
    "reserved": (parameter(allowReserved=True), "content and allowReserved are not supported"),
    "cookie": (parameter(**{"in": "cookie"}), "parameters in a cookie are not supported"),
    "the gateway's header": (parameter(**{"in": "header", "name": "Host"}), "gateway's own"),
    "a label without parameter": (
        lambda d, each: d["paths"].update({"/{x}": d["paths"].pop("/a")}),
        "Path parameter 'x' .* was not resolved",
    ),
    "a parameter without label": (
        parameter(**{"in": "path", "required": True}),
        "Path parameter 'p' .* was not resolved",
    ),
    "a query in the path": (lambda d, each: d["paths"].update({"/a?b=c": d["paths"].pop("/a")}), "has a query"),
    "callbacks": (
        lambda d, each: each.update(callbacks={"c": {"{$request.body#/url}": {}}}),
        "POST /a: callbacks are not supported",
    ),
    "webhooks": (lambda d, each: d.update(webhooks={"w": {}}), "webhooks: not supported"),
    "links": (
        lambda d, each: each["responses"]["200"].update(links={"l": {"operationId": "a"}}),
        "POST /a: links are not supported",
    ),
    "shared links": (lambda d, each: d.update(components={"links": {"l": {"operationId": "a"}}}), "components/links"),
    "media": (body("application/xml"), "application/xml is not supported"),
    "multipart": (body("multipart/form-data"), "multipart/form-data is not supported"),
    "encoding": (body("application/x-www-form-urlencoded", encoding={"a": {}}), "encoding is not supported"),
    "form of objects": (
        body("application/x-www-form-urlencoded", schema={"type": "object", "properties": {"a": {"type": "object"}}}),
        "a form must be an object of plain types",
    ),
    "an open form": (
        body(
            "application/x-www-form-urlencoded",
            schema={"type": "object", "properties": {"a": {}}, "additionalProperties": True},
        ),
        "with members that are all told",
    ),
    "binary": (body(schema={"type": "string", "format": "binary"}), "binary content is not supported"),
    "keywords": (body(schema={"not": {"type": "string"}}), "the keywords not are not for tools"),
    "a variable of no form": (
        lambda d, each: d.update(servers=[{"url": "https://{s}.b", "variables": {"s": 1}}]),
        "servers/0/variables/s: 1 is not of type 'object'",
    ),
    "a remote reference": (body(schema={"$ref": "https://evil.example.com/x"}), "is not in this document"),
    "a file": (body(schema={"$ref": "file:///etc/passwd"}), "is not in this document"),
    "a reference in an example": (body(example={"$ref": "other.json"}), "is not in this document"),
    "another base": (body(schema={"$id": "https://evil.example.com/", "$ref": "#/x"}), "another base"),
    "a reference to nowhere": (body(schema={"$ref": "#/components/schemas/Gone"}), "Gone"),
    "a reference to itself": (
        lambda d, each: (
            d.update(components={"schemas": {"A": {"$ref": "#/components/schemas/A"}}}),
            parameter(schema={"$ref": "#/components/schemas/A"})(d, each),
        ),
        "leads back to itself",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_gateway_does_not_take_is_refused(name):
    edit, said = REFUSALS[name]
    operations(json.dumps(minimal()))
    found = reasons(changed(edit))
    assert [each for each in found if re.search(said, each)], found


def test_all_faults_are_told_at_once():
    document = minimal()
    document["paths"]["/a"]["get"] = {"responses": {"200": {"description": "ok"}}}
    parameter(style="deepObject")(document, document["paths"]["/a"]["post"])
    document["webhooks"] = {"w": {}}
    del document["servers"]
    said = "\n".join(reasons(document))
    for each in ("GET /a: it has no operationId", "style form", "webhooks", "POST /a: there is no server"):
        assert each in said
    assert all(each.endswith(".") for each in said.splitlines())


def test_names_that_look_like_keywords_are_names():
    names = {"oneOf": {"type": "string"}, "$ref": {"type": "string"}, "example": {"type": "object"}}
    schema = {"type": "object", "properties": names, "default": {"oneOf": [1]}}
    (found,) = operations(json.dumps(minimal(requestBody={"content": {"application/json": {"schema": schema}}})))
    assert set(found.places) == {"oneOf", "$ref", "example"}


def test_nothing_is_fetched(monkeypatch):
    monkeypatch.setattr(openapi_rules, "references", lambda document: [])  # what would stop it first
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        for scheme in ("http", "https", "ftp"):
            reference = {"$ref": f"{scheme}://127.0.0.1:{server.getsockname()[1]}/x"}
            document = changed(lambda d, each, reference=reference: each.update(parameters=[reference]))
            with pytest.raises(BadTarget, match="cannot be followed"):
                operations(json.dumps(document))
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_schema_that_grows_without_end_is_refused():
    schemas = {
        f"S{i}": {"type": "object", "properties": {x: {"$ref": f"#/components/schemas/S{i + 1}"} for x in "abcd"}}
        for i in range(12)
    } | {"S12": {"type": "string"}}
    document = changed(body(schema={"$ref": "#/components/schemas/S0"}))
    document["components"] = {"schemas": schemas}
    assert any("too large for a tool" in each for each in reasons(document))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "neither JSON nor YAML"),
        ("", "is no object"),
        ("[1]", "is no object"),
        ("{" * 100_000, "neither JSON nor YAML|nested too deeply"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "nested too deeply"),  # libyaml would end the process
        ('{"a": NaN}', "not a number of JSON"),
        ("a: !!python/object/apply:os.system [ls]", "neither JSON nor YAML"),
        ("a: !!binary aGk=", "kind bytes has no place"),
        ("a: &a [*a]", "holds itself"),
        ("a: " + "x" * documents.MOST_BYTES, "larger than 10 MB"),
        ("? [a]\n: 1", "neither JSON nor YAML"),
    ],
)
def test_documents_that_cannot_be_read(text, said):
    with pytest.raises(BadTarget, match=said):
        documents.read(text)


def test_aliases_may_not_multiply():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(BadTarget, match="aliases"):
        documents.read("\n".join(lines))
    merged = ["a0: &a0 {x: 1}"]
    merged += [f"a{i}: &a{i} {{!!merge <<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 9)]
    with pytest.raises(BadTarget):
        documents.read("\n".join(merged))


def test_yaml_is_read_as_json_has_it():
    found = documents.read(
        "on: no\nday: 2026-01-01\n200: 1.5\nnone: ~\nempty:\nyes: true\nanchor: &a {b: 1}\nalias: *a"
    )
    assert found == {
        **{"on": "no", "day": "2026-01-01", "200": 1.5, "none": None, "empty": None, "yes": True},
        **{"anchor": {"b": 1}, "alias": {"b": 1}},
    }


def test_json_and_yaml_of_a_document_are_the_same():
    assert operations(json.dumps(documents.read(STORE))) == operations(
        yaml.safe_dump(documents.read(STORE), sort_keys=False)
    )
