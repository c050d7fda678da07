"""Tools from a stage of a REST API, and calls of it that are really carried out."""

import asyncio
import base64
import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from moto.apigateway.models import APIGatewayBackend, apigateway_backends

from helpers.region.gateway import integrations
from helpers.region.gateway.api_gateway import operations
from helpers.region.gateway.operations import BadTarget, Request, check
from helpers.region.gateway.stages import execute, translated
from helpers.region.gateway.upstream import TargetFailed

ACCOUNT, REGION = "123456789012", "eu-central-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
ALL = {"toolFilters": [{"filterPath": "/*", "methods": ["GET", "POST"]}]}
UNIT = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "donor": {"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/Donor"},
        "part": {"$ref": "#/definitions/Part"},
    },
    "required": ["id"],
    "definitions": {"Part": {"type": "integer"}},
}


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
        content = b"x" * 64 if self.path.startswith("/large") else json.dumps(told).encode()
        self.send_response(404 if self.path.startswith("/missing") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Own", "yes")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not self.path.startswith("/drips"):
            self.wfile.write(content)
            return
        with contextlib.suppress(ConnectionError):  # of a client that has given up
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(0.01)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *given):
        pass


@pytest.fixture(scope="module")
def echo():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


class Built:
    """A REST API in the making."""

    def __init__(self, **more):
        self.backend: APIGatewayBackend = apigateway_backends[ACCOUNT][REGION]
        self.api = self.backend.create_rest_api("blood", "", **more)

    def method(self, path, method="GET", uri=None, kind="HTTP_PROXY", integration=None, **more):
        parent = self.api.default.id
        built = ""
        for part in path.strip("/").split("/") if path != "/" else ():
            built += f"/{part}"
            found = self.api.get_resource_for_path(built)
            parent = (found or self.backend.create_resource(self.api.id, parent, part)).id
        more = {"operation_name": f"{method.lower()}{len(self.api.resources)}"} | more
        self.backend.put_method(self.api.id, parent, method, more.pop("auth", "NONE"), **more)
        if kind:
            given = {"uri": uri or "http://127.0.0.1:9", "integration_method": method} | (integration or {})
            self.backend.put_integration(self.api.id, parent, method, kind, **given)
        return parent

    def deploy(self, stage="prod", **variables):
        self.backend.create_deployment(self.api.id, stage, stage_variables=variables)
        return self

    def tools(self, configuration=ALL):
        return {each.tool["name"]: each for each in operations(self.api, "prod", configuration)}

    def call(self, request, invoke=None):
        return asyncio.run(execute(self.api, "prod", request, invoke))


def filters(path, *methods, **overrides):
    chosen = {"toolFilters": [{"filterPath": path, "methods": list(methods or ("GET",))}]}
    return chosen | ({"toolOverrides": overrides["overrides"]} if overrides else {})


def test_filters_choose_and_overrides_name():
    built = Built()
    for path in ("/", "/units", "/units/{id}", "/other"):
        built.method(path, operation_name="get_" + path.strip("/{}").replace("/{", "_"))
    built.method("/units", "POST", operation_name=None)
    built.deploy()
    assert list(built.tools(filters("/units/{id}"))) == ["get_units_id"]
    assert list(built.tools(filters("/units/*"))) == ["get_units_id"]
    assert set(built.tools(filters("/units*"))) == {"get_units", "get_units_id"}
    override = {"path": "/units", "method": "POST", "name": "add", "description": "Adds one."}
    found = built.tools(filters("/*", "POST", overrides=[override]))
    assert found["add"].tool["description"] == "Adds one." and found["add"].method == "POST"
    both = filters("/units", overrides=[override | {"method": "GET"}])
    both["toolFilters"] *= 2  # chosen twice, it is one tool
    assert list(built.tools(both)) == ["add"]


def test_parameters_and_models_are_arguments():
    built = Built()
    for name, schema in (("Unit", UNIT), ("Donor", {"type": "object", "properties": {"age": {"type": "integer"}}})):
        built.backend.create_model(built.api.id, name, "application/json", "", json.dumps(schema))
    parameters = {
        "method.request.path.ward": True,
        "method.request.querystring.dry": "true",
        "method.request.multivaluequerystring.tag": False,
        "method.request.header.x-trace": False,
    }
    built.method(
        *("/wards/{ward}", "POST"),
        operation_name="add",
        request_parameters=parameters,
        request_models={"application/json": "Unit"},
    )
    add = built.deploy().tools()["add"]
    schema = add.tool["inputSchema"]
    assert schema["required"] == ["ward", "dry", "id"]
    assert schema["properties"]["part"] == {"type": "integer"}
    check({"ward": "w", "dry": "1", "id": "i", "donor": {"age": 3}, "tag": ["a"], "x-trace": "t"}, add.tool)
    request = add.request({"ward": "a/b", "dry": "1", "id": "i", "tag": ["a", "b"]})
    assert request.url == (
        f"https://{built.api.id}.execute-api.{REGION}.amazonaws.com/prod/wards/a%2Fb?dry=1&tag=a&tag=b"
    )
    assert json.loads(request.content) == {"id": "i"}


def imported():
    built = Built()
    integration = {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://127.0.0.1:9"}
    document = {"openapi": "3.0.1", "paths": {"/a": {"get": {"x-amazon-apigateway-integration": integration}}}}
    built.backend.put_rest_api(built.api.id, document, fail_on_warnings=False)
    return built.deploy()


def test_methods_of_an_import_get_their_names_from_overrides():
    override = {"path": "/a", "method": "GET", "name": "read"}
    assert list(imported().tools(filters("/a", overrides=[override]))) == ["read"]


def made(*given, stage=True, **more):
    def make():
        built = Built(**more.pop("api", {}))
        built.method(*given, **more)
        return built.deploy() if stage else built

    return make


def with_model(**schema):
    def make():
        built = Built()
        built.backend.create_model(built.api.id, "M", "application/json", "", json.dumps(schema))
        built.method("/a", "POST", request_models={"application/json": "M"})
        return built.deploy()

    return make


def twice():
    built = Built()
    for path in ("/a", "/b"):
        built.method(path, operation_name="read")
    return built.deploy()


def without_integration():
    built = Built()
    built.method("/a")
    built.method("/b", kind=None)
    return built.deploy()


HTTP_TEMPLATE = {"request_templates": {"application/json": '{"a": $input.path("b")}'}}
VPC = {"connection_type": "VPC_LINK"}
REFUSALS = {
    "no stage": (made("/a", stage=False), ALL, "is not deployed to a stage prod"),
    "private": (made("/a", api={"endpoint_configuration": {"types": ["PRIVATE"]}}), ALL, "is private"),
    "disabled": (made("/a", api={"disable_execute_api_endpoint": True}), ALL, "default endpoint .* is disabled"),
    "no filters": (made("/a"), {"toolFilters": []}, "there are none"),
    "nothing matches": (made("/a"), filters("/b"), "/b with GET matches no method of the API. See get_resources"),
    "no such method": (made("/a"), filters("/a", "POST"), "/a with POST matches no method"),
    "any": (made("/a", "ANY"), filters("/a"), "in place of ANY"),
    "an asterisk within": (made("/a"), filters("/*/b"), "more after its asterisk"),
    "an override of nothing": (
        made("/a"),
        filters("/a", overrides=[{"path": "/b", "method": "GET", "name": "b"}]),
        "GET /b is chosen by no filter",
    ),
    "a proxy": (made("/a/{proxy+}"), ALL, "GET /a/{proxy\\+}: it is a proxy resource"),
    "signature and key": (made("/a", auth="AWS_IAM", api_key_required=True), ALL, "both AWS_IAM and an API key"),
    "no name": (imported, filters("/a"), "GET /a: it has no name"),
    "a bad name": (made("/a", operation_name="read it"), ALL, "operationId read it is no name of a tool"),
    "one name twice": (twice, ALL, "operationId read is that of GET /a too"),
    "no integration": (without_integration, ALL, "GET /b: it has no integration"),
    "AWS": (made("/a", kind="AWS", uri=URI), ALL, "its integration is AWS, which"),
    "no function": (made("/a", kind="AWS_PROXY", uri=URI.replace("lambda:path", "sqs:path")), ALL, "names no function"),
    "VPC link": (made("/a", integration=VPC), ALL, "uses a VPC link"),
    "a template": (made("/a", kind="HTTP", integration=HTTP_TEMPLATE), ALL, "has a request template"),
    "no model": (made("/a", "POST", request_models={"application/json": "Gone"}), ALL, "There is no model Gone"),
    "a composed model": (with_model(oneOf=[{"type": "string"}]), ALL, "components/schemas/M: oneOf is not supported"),
    "media": (made("/a", "POST", request_models={"text/csv": "Empty"}), ALL, "text/csv is not supported"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_a_target_is_refused(name):
    make, configuration, said = REFUSALS[name]
    with pytest.raises(BadTarget, match=said) as refused:
        make().tools(configuration)
    assert len(refused.value.reasons) == 1, refused.value.reasons


def test_all_faults_are_told_at_once():
    built = Built()
    built.method("/a", kind="AWS", uri=URI, operation_name=None)
    built.method("/b", operation_name="read it")
    with pytest.raises(BadTarget) as refused:
        built.tools(ALL | {"toolFilters": [*ALL["toolFilters"], {"filterPath": "/c", "methods": ["GET"]}]})
    assert len(refused.value.reasons) == 5


def test_http_proxy_passes_a_request_on(echo):
    built = Built()
    mapping = {"integration.request.path.unit": "method.request.path.id"}
    mapping |= {"integration.request.header.X-Stage": "stageVariables.name"}
    mapping |= {"integration.request.querystring.fixed": "'1'"}
    parameters = {"method.request.querystring.q": False, "method.request.header.x-trace": False}
    built.method(
        *("/units/{id}", "POST"),
        uri=echo + "/${stageVariables.base}/{unit}",
        integration={"request_parameters": mapping},
        operation_name="add",
        request_parameters=parameters,
        request_models={"application/json": "Empty"},
    )
    add = built.deploy(base="v1", name="prod").tools()["add"]
    request = add.request({"id": "a/b c", "q": "x&y", "x-trace": "t", "body": {"k": "μ"}})
    request.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=none"
    answer = built.call(request)
    told = json.loads(answer.content)
    assert (answer.status, answer.headers["x-own"]) == (200, "yes") and "content-length" not in answer.headers
    assert (told["method"], told["path"]) == ("POST", "/v1/a%2Fb%20c?q=x%26y&fixed=1")
    headers = {name.lower(): value for name, value in told["headers"].items()}
    assert headers["x-trace"] == "t" and headers["x-stage"] == "prod" and "authorization" not in headers
    assert json.loads(told["body"]) == {"k": "μ"} and headers["content-type"] == "application/json"


def get(built, path, **headers):
    return Request("GET", f"https://{built.api.id}.execute-api.{REGION}.amazonaws.com/prod{path}", headers, None)


def test_http_maps_the_answer_to_its_integration_responses(echo):
    built = Built()
    for path in ("/fine", "/missing", "/unmapped"):
        resource = built.method(path, kind="HTTP", uri=echo + path)
        if path != "/unmapped":
            respond = built.backend.put_integration_response
            respond(built.api.id, resource, "GET", "200", "", {}, {})
            respond(built.api.id, resource, "GET", "410", "4\\d\\d", {"application/json": '{"gone": true}'}, {})
    built.deploy()
    fine = built.call(get(built, "/fine?secret=1", **{"X-Own": "1"}))
    told = json.loads(fine.content)
    assert fine.status == 200 and told["path"] == "/fine"  # what is not mapped is not passed on
    assert "x-own" not in {name.lower() for name in told["headers"]}
    missing = built.call(get(built, "/missing"))
    assert (missing.status, missing.content) == (410, b'{"gone": true}')
    assert built.call(get(built, "/unmapped")).status == 500


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "169.254.169.254", "127.0.0.1.example.com", "[::2]"])
def test_only_this_computer_is_called(host, monkeypatch):
    sent = []
    monkeypatch.setattr(integrations, "_answer", lambda client, request: sent.append(request))
    built = made("/a", uri=f"http://{host}/")()
    assert built.call(get(built, "/a")).status == 500 and not sent


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_computer_is_known(host):
    assert integrations.is_loopback(host)


def test_a_label_cannot_lead_to_another_host_or_path(echo):
    built = Built()
    built.method("/{x}", uri=echo + "/a/{x}/b")
    built.method("/host/{x}", uri="http://127.0.0.1{x}/")
    built.deploy()
    assert json.loads(built.call(get(built, "/..%2f..%2fz")).content)["path"] == "/a/..%2F..%2Fz/b"
    assert built.call(get(built, "/%2e%2e")).status == 500
    assert built.call(get(built, "/host/.example.com")).status == 500


def test_what_does_not_answer_and_what_answers_too_much(echo, monkeypatch):
    monkeypatch.setattr(integrations, "MOST_BYTES", 63)
    built = Built()
    built.method("/away", uri="http://127.0.0.1:9")
    built.method("/large", uri=echo + "/large")
    built.deploy()
    away = built.call(get(built, "/away"))
    assert (away.status, json.loads(away.content)) == (504, {"message": "Network error communicating with endpoint"})
    assert built.call(get(built, "/large")).status == 500


def test_what_answers_too_late():
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes calls and never answers
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        built = made("/a", uri=uri, integration={"timeout_in_millis": "50"})()
        late = built.call(get(built, "/a"))
    assert (late.status, json.loads(late.content)) == (504, {"message": "Endpoint request timed out"})


def test_what_answers_bit_by_bit_has_no_more_time(echo):
    built = made("/a", uri=f"{echo}/drips", integration={"timeout_in_millis": "300"})()
    assert built.call(get(built, "/a")).status == 504


@pytest.mark.parametrize("said", ["", "50"])
def test_a_function_that_answers_too_late_is_given_up(monkeypatch, said):
    ended = []

    async def invoke(arn, event):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(arn)

    if not said:
        monkeypatch.setattr(integrations, "SECONDS", 0.05)
    built = made("/a", kind="AWS_PROXY", uri=URI, integration={"timeout_in_millis": said} if said else {})()
    late = built.call(get(built, "/a"), invoke)
    assert (late.status, json.loads(late.content)) == (504, {"message": "Endpoint request timed out"})
    assert ended == [FUNCTION]


def test_mock_answers_what_its_templates_say():
    built = Built()
    template = {"request_templates": {"application/json": '{"statusCode": 201}'}}
    mocked = built.method("/a", kind="MOCK", integration=template)
    built.method("/empty", kind="MOCK", integration=template)
    built.backend.put_integration_response(
        built.api.id, mocked, "GET", "201", "201", {"application/json": '{"made": 1}'}, {}
    )
    built.deploy()
    assert built.call(get(built, "/a")) == integrations.Answer(
        201, {"Content-Type": "application/json"}, b'{"made": 1}'
    )
    assert built.call(get(built, "/empty")).status == 500


def test_a_function_gets_the_event_of_a_proxy():
    seen = []

    async def invoke(arn, event):
        seen.append((arn, event))
        return json.dumps({"statusCode": 201, "headers": {"X-A": 1}, "body": '{"ok": true}'}).encode()

    built = made("/units/{id}", "POST", kind="AWS_PROXY", uri=URI, request_models={"application/json": "Empty"})()
    built.api.stages["prod"].variables = {"k": "v"}
    (tool,) = built.tools().values()
    request = tool.request({"id": "a/b", "body": {"x": 1}})
    answer = built.call(
        Request("POST", request.url + "?q=1&q=2", request.headers | {"X-Trace": "t"}, request.content), invoke
    )
    assert (answer.status, answer.headers["x-a"], answer.content) == (201, "1", b'{"ok": true}')
    ((arn, event),) = seen
    assert arn == FUNCTION
    told = {name: event[name] for name in ("resource", "path", "httpMethod", "pathParameters", "stageVariables")}
    assert told == {
        **{"resource": "/units/{id}", "path": "/units/a%2Fb", "httpMethod": "POST"},
        **{"pathParameters": {"id": "a/b"}, "stageVariables": {"k": "v"}},
    }
    assert event["queryStringParameters"] == {"q": "2"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert event["headers"]["x-trace"] == "t" and event["multiValueHeaders"]["x-trace"] == ["t"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"x": 1}', False)
    assert event["requestContext"]["stage"] == "prod" and event["requestContext"]["resourcePath"] == "/units/{id}"


def test_a_function_that_cannot_be_called_is_an_error_of_the_api():
    async def invoke(arn, event):
        raise TargetFailed("Rate Exceeded.")

    built = made("/a", kind="AWS_PROXY", uri=URI)()
    assert built.call(get(built, "/a"), invoke).status == 500


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b"null",
        b"[]",
        b'"text"',
        b'{"errorMessage": "failed"}',
        b'{"statusCode": "many"}',
        b'{"statusCode": 99}',
        b'{"statusCode": 200, "body": {"a": 1}}',
        b'{"statusCode": 200, "headers": ["a"]}',
        b'{"statusCode": 200, "headers": {"a": {}}}',
        b'{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}',
        b'{"statusCode": 200, "body": "%", "isBase64Encoded": true}',
    ],
)
def test_a_malformed_answer_of_a_function_is_a_502(payload):
    answer = translated(payload)
    assert (answer.status, json.loads(answer.content)) == (502, {"message": "Internal server error"})


def test_answers_of_functions():
    several = {"statusCode": "200", "multiValueHeaders": {"A": ["1", "2"]}, "body": None}
    assert translated(json.dumps(several).encode()) == integrations.Answer(
        200, {"content-type": "application/json", "a": "1, 2"}, b""
    )
    encoded = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}
    assert translated(json.dumps(encoded).encode()).content == b"\x00\xff"


def test_a_key_must_be_enabled_and_in_a_plan_of_the_stage(echo):
    built = made("/a", uri=echo, api_key_required=True)()
    backend = built.backend
    keys = {name: backend.create_api_key({"name": name, "enabled": name != "off"}) for name in ("on", "off", "alone")}
    plan = backend.create_usage_plan({"name": built.api.id, "apiStages": [{"apiId": built.api.id, "stage": "prod"}]})
    other = backend.create_usage_plan({"name": "o", "apiStages": [{"apiId": built.api.id, "stage": "test"}]})
    backend.create_usage_plan_key(other.id, {"keyId": keys["alone"].id, "keyType": "API_KEY"})
    for name in ("on", "off"):
        backend.create_usage_plan_key(plan.id, {"keyId": keys[name].id, "keyType": "API_KEY"})
    assert built.call(get(built, "/a", **{"X-Api-Key": keys["on"].value})).status == 200
    for given in ({}, {"x-api-key": "wrong"}, *({"x-api-key": keys[name].value} for name in ("off", "alone"))):
        refused = built.call(get(built, "/a", **given))
        assert (refused.status, json.loads(refused.content)) == (403, {"message": "Forbidden"})


def test_a_signature_is_asked_for(echo):
    built = made("/a", uri=echo, auth="AWS_IAM")()
    assert built.call(get(built, "/a")).status == 403
    assert built.call(get(built, "/a", Authorization="AWS4-HMAC-SHA256 Credential=x")).status == 200


def test_authorizers_let_nobody_in():
    built = made("/a", auth="CUSTOM")()
    assert built.call(get(built, "/a")).status == 401


def test_paths_and_stages_that_are_not_there():
    built = Built()
    built.method("/a/{x}", kind="MOCK")
    assert built.call(get(built, "/a/b")).status == 403  # not deployed
    built.deploy()
    for path in ("/b", "/a", "/a/b/c"):
        refused = built.call(get(built, path))
        assert (refused.status, json.loads(refused.content)) == (403, {"message": "Missing Authentication Token"})


def test_a_path_without_labels_goes_first(echo):
    built = Built()
    built.method("/{x}", uri=echo + "/label")
    built.method("/own", "ANY", uri=echo + "/own", integration={"integration_method": "GET"})
    built.deploy()
    assert json.loads(built.call(get(built, "/own")).content)["path"] == "/own"
    assert json.loads(built.call(get(built, "/other")).content)["path"] == "/label"


def test_an_api_made_with_boto3_is_called(client, echo):
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="blood", endpointConfiguration={"types": ["REGIONAL"]})
    place = {"restApiId": api["id"], "httpMethod": "GET"}
    units = gateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="units")
    unit = gateway.create_resource(restApiId=api["id"], parentId=units["id"], pathPart="{unit}")
    place["resourceId"] = unit["id"]
    parameters = {"method.request.path.unit": True, "method.request.querystring.full": False}
    given = {"authorizationType": "NONE", "apiKeyRequired": True, "requestParameters": parameters}
    gateway.put_method(**place, **given, operationName="getUnit")
    gateway.put_integration(**place, type="HTTP_PROXY", integrationHttpMethod="GET", uri=f"{echo}/v1/{{unit}}")
    gateway.create_deployment(restApiId=api["id"], stageName="prod")
    key = gateway.create_api_key(name="k", enabled=True)
    plan = gateway.create_usage_plan(name="p", apiStages=[{"apiId": api["id"], "stage": "prod"}])
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    found = apigateway_backends[ACCOUNT]["us-west-2"].apis[api["id"]]
    (tool,) = operations(found, "prod", {"toolFilters": [{"filterPath": "/units/*", "methods": ["GET"]}]})
    assert tool.tool["inputSchema"]["required"] == ["unit"]
    request = tool.request({"unit": "7", "full": "yes"})
    assert asyncio.run(execute(found, "prod", request, None)).status == 403
    request.headers["x-api-key"] = key["value"]
    answer = asyncio.run(execute(found, "prod", request, None))
    assert json.loads(answer.content)["path"] == "/v1/7?full=yes"
