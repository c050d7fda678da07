"""Targets that are functions, or are described by a document: what they get, what they answer, and how they fail."""

import asyncio
import json
from uuid import uuid4

import pytest
import yaml
from mcp.client.client import Client as McpClient
from starlette.responses import Response
from strands.tools.mcp import MCPClient

from helpers.region import signatures
from helpers.region.gateway.dispatch import GENERIC
from tests.region.gateway.conftest import KEY, SESSIONS, Client
from tests.region.gateway.shop import Shop
from tests.region.gateway.upstreams import served
from tests.region.gateway.upstreams import store as mcp_store
from tests.region.lambdas import create
from tests.region.pools import Made

ROLE = [{"credentialProviderType": "GATEWAY_IAM_ROLE"}]
SCHEMA = {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}
TOOLS = [{"name": "stock", "description": "How many there are.", "inputSchema": SCHEMA}]
ECHO = """
def handle(event, context):
    if event["sku"] == "broken": raise ValueError("no such shelf")
    return {"event": event, "custom": context.client_context.custom}
"""
STORE = """
openapi: 3.0.3
info: {title: Store, version: 1.0.0}
servers: [{url: SERVER/v1}]
paths:
  /items/{sku}:
    parameters: [{name: sku, in: path, required: true, schema: {type: string}}]
    get:
      operationId: get
      parameters:
        - {name: site, in: query, schema: {type: string}}
        - {name: X-Ward, in: header, schema: {type: string}}
      responses: {default: {description: ok}}
    put:
      operationId: put
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, properties: {units: {type: integer, minimum: 0}}, required: [units]}
      responses: {default: {description: ok}}
"""
SMITHY = "smithy.api#"
MODEL = {
    "smithy": "2.0",
    "shapes": {
        "store#Store": {
            "type": "service",
            "version": "1",
            "operations": [{"target": "store#GetItem"}],
            "traits": {"aws.protocols#restJson1": {}, "aws.auth#sigv4": {"name": "store"}},
        },
        "store#GetItem": {
            "type": "operation",
            "input": {"target": "store#GetItemInput"},
            "traits": {SMITHY + "http": {"method": "GET", "uri": "/items/{sku}"}},
        },
        "store#GetItemInput": {
            "type": "structure",
            "members": {
                "sku": {"target": SMITHY + "String", "traits": {SMITHY + "httpLabel": {}, SMITHY + "required": {}}}
            },
        },
    },
}


@pytest.fixture
def bucket(client):
    """Puts documents into S3; their addresses."""
    s3, name = client("s3"), f"documents-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

    def put(key, text):
        s3.put_object(Bucket=name, Key=key, Body=text if isinstance(text, bytes) else text.encode())
        return {"s3": {"uri": f"s3://{name}/{key}"}}

    return put


@pytest.fixture(scope="module")
def echo(client):
    return create(client, ECHO, Timeout=10)


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def shop_url(shop):
    with served(shop.app()) as url:
        yield url


def function(arn, schema=None):
    return {"mcp": {"lambda": {"lambdaArn": arn, "toolSchema": schema or {"inlinePayload": TOOLS}}}}


def store(url):
    return {"mcp": {"openApiSchema": {"inlinePayload": STORE.replace("SERVER", url)}}}


def begun(url, **headers):
    client = Client(url, **headers)
    client.begin()
    return client


def said(client, tool, **arguments):
    """What a tool says, and whether it failed."""
    answer = client.call(tool, **arguments)["result"]
    return answer["content"][0]["text"], answer["isError"]


def failed(target):
    assert target["status"] == "FAILED", target
    return "\n".join(target["statusReasons"])


def test_a_function_gets_the_arguments_as_its_event_and_the_rest_in_its_client_context(gateways, echo):
    gateway, url = gateways.make(SESSIONS)
    allowed = {"metadataConfiguration": {"allowedRequestHeaders": ["X-Ward", "traceparent", "X-Absent"]}}
    target = gateways.add(gateway, "hamburg", function(echo.arn), credentialProviderConfigurations=ROLE, **allowed)
    client = begun(url, **{"x-ward": "icu", "traceparent": "00-a-b-01", "x-other": "no"})
    told, wrong = said(client, "hamburg___stock", sku="lamp")
    told = json.loads(told)
    custom = told["custom"]
    assert told["event"] == {"sku": "lamp"} and not wrong
    assert custom.pop("bedrockAgentCoreAwsRequestId")
    assert custom == {
        "bedrockAgentCoreMessageVersion": "1.0",
        "bedrockAgentCoreMcpMessageId": str(client.number),
        "bedrockAgentCoreGatewayId": gateway,
        "bedrockAgentCoreTargetId": target["targetId"],
        "bedrockAgentCoreToolName": "hamburg___stock",
        "bedrockAgentCorePropagatedHeaders": {"X-Ward": "icu", "traceparent": "00-a-b-01"},
    }


def test_a_function_that_fails_is_told_under_debug_alone(gateways, echo):
    for level, reason in (("DEBUG", "no such shelf"), (None, GENERIC)):
        gateway, url = gateways.make(SESSIONS, exceptionLevel=level)
        gateways.add(gateway, "hamburg", function(echo.arn), credentialProviderConfigurations=ROLE)
        told, wrong = said(begun(url), "hamburg___stock", sku="broken")
        assert wrong and reason in told and ("shelf" in told) == (level == "DEBUG")


def test_a_function_that_takes_too_long_is_told(gateways, client):
    slow = create(client, "import time\ndef handle(event, context): time.sleep(3600)", Timeout=1)
    gateway, url = gateways.make(SESSIONS)
    gateways.add(gateway, "slow", function(slow.arn), credentialProviderConfigurations=ROLE)
    told, wrong = said(begun(url), "slow___stock", sku="lamp")
    assert wrong and "timed out after 1.00 seconds" in told


def test_a_function_that_is_deleted_later_is_told(gateways, client):
    gone = create(client, ECHO)
    gateway, url = gateways.make(SESSIONS)
    gateways.add(gateway, "gone", function(gone.arn), credentialProviderConfigurations=ROLE)
    client("lambda").delete_function(FunctionName=gone.name)
    told, wrong = said(begun(url), "gone___stock", sku="lamp")
    assert wrong and "404" in told and "Function not found" in told


def test_arguments_that_are_not_as_the_schema_says_are_told_before_the_function_is_called(gateways, echo):
    gateway, url = gateways.make(SESSIONS, exceptionLevel=None)
    gateways.add(gateway, "hamburg", function(echo.arn), credentialProviderConfigurations=ROLE)
    client = begun(url)
    for arguments, fault in (({}, "'sku' is a required property"), ({"sku": 7}, "sku: 7 is not of type 'string'")):
        assert said(client, "hamburg___stock", **arguments) == (f"Invalid arguments: {fault}", True)


SHELF = """
def handle(event, context):
    return {"none": None, "list": [3], "other": {"units": "three"}}.get(event["sku"], {"units": 3, "sku": event["sku"]})
"""
UNITS = {"type": "object", "properties": {"units": {"type": "integer"}}, "required": ["units"]}


@pytest.mark.parametrize("mcp", [SESSIONS, {"supportedVersions": ["2026-07-28"]}], ids=["sessions", "stateless"])
def test_a_function_whose_tool_has_an_output_schema_answers_with_structured_content(gateways, client, mcp):
    shelf = create(client, SHELF, Timeout=10)
    gateway, url = gateways.make(mcp)
    schema = {"inlinePayload": [*TOOLS, TOOLS[0] | {"name": "units", "outputSchema": UNITS}]}
    gateways.add(gateway, "hamburg", function(shelf.arn, schema), credentialProviderConfigurations=ROLE)

    async def call(tool, *articles):
        async with McpClient(url) as sdk:
            return [await sdk.call_tool(f"hamburg___{tool}", {"sku": sku}) for sku in articles]

    good, none, several, other = asyncio.run(call("units", "lamp", "none", "list", "other"))
    assert good.structured_content == json.loads(good.content[0].text) == {"units": 3, "sku": "lamp"}
    for answer, fault in ((none, "None is not of type 'object'"), (several, "[3] is not"), (other, "units: 'three'")):
        assert answer.is_error and answer.structured_content is None
        assert fault in answer.content[0].text and "Change the function, or the schema" in answer.content[0].text
    (plain,) = asyncio.run(call("stock", "lamp"))
    assert plain.structured_content is None and not plain.is_error


def test_the_tools_of_a_function_may_be_in_s3(gateways, echo, bucket):
    gateway, url = gateways.make(SESSIONS)
    given = function(echo.arn, bucket("tools/é.json", json.dumps(TOOLS)))
    assert gateways.add(gateway, "hamburg", given, credentialProviderConfigurations=ROLE)["status"] == "READY"
    assert begun(url).tools() == ["hamburg___stock"]


def tool(schema, **changed):
    return json.dumps([TOOLS[0] | {"inputSchema": schema} | changed])


NOT_TOOLS = {
    "no JSON": ("{", "no JSON"),
    "no text": (b"\xff\xfe", "cannot be read"),
    "no list": ("{}", "no list of tools"),
    "too deep": ("[" * 100_000, "nested too deeply"),
    "no object": (tool({"type": "array"}), "type object"),
    "enum": (tool({"type": "object", "properties": {"a": {"type": "string", "enum": ["b"]}}}), "properties.a: enum"),
    "oneOf": (tool({"type": "object", "properties": {"a": {"oneOf": []}}}), "properties.a: oneOf"),
    "kind": (tool({"type": "object", "properties": {"a": {"type": "date"}}}), "properties.a: the type 'date'"),
    "items": (tool({"type": "object", "properties": {"a": {"type": "array", "items": {}}}}), "properties.a.items: the"),
    "properties": (tool({"type": "object", "properties": ["a"]}), "properties"),
    "required": (tool({"type": "object", "required": "a"}), "required"),
    "no description": (tool(SCHEMA, description=None), "description"),
    "result": (tool(SCHEMA, outputSchema={"type": "string", "format": "date"}), "outputSchema: format"),
    "no result object": (tool(SCHEMA, outputSchema={"type": "array"}), "outputSchema has to be of the type object"),
    "no result schema": (tool(SCHEMA, outputSchema=["units"]), "outputSchema is no object"),
}


@pytest.mark.parametrize("how", NOT_TOOLS)
def test_what_is_no_schema_of_tools_fails_with_the_reason(gateways, echo, bucket, how):
    text, reason = NOT_TOOLS[how]
    gateway, _ = gateways.make(SESSIONS)
    given = function(echo.arn, bucket("tools.json", text))
    assert reason in failed(gateways.add(gateway, "hamburg", given, credentialProviderConfigurations=ROLE))


def test_a_function_or_document_that_is_not_there_fails_with_the_reason(gateways, echo, client):
    gateway, url = gateways.make(SESSIONS)
    away = {"s3": {"uri": "s3://no-bucket-of-mine/tools.json"}}
    for name, given, reason in (
        ("function", function(echo.arn + "x"), "There is no function"),
        ("schema", function(echo.arn, away), "s3://no-bucket-of-mine/tools.json cannot be read (404)"),
        ("model", {"mcp": {"smithyModel": away}}, "cannot be read (404)"),
    ):
        assert reason in failed(gateways.add(gateway, name, given, credentialProviderConfigurations=ROLE))
    assert begun(url).tools() == []


def test_arguments_go_into_path_query_header_and_body(gateways, shop, shop_url):
    gateway, url = gateways.make(SESSIONS)
    allowed = {"metadataConfiguration": {"allowedRequestHeaders": ["X-Trace"]}}
    assert gateways.add(gateway, "rest", store(shop_url), **allowed)["status"] == "READY"
    client = begun(url, **{"x-trace": "t1", "x-other": "no"})
    assert client.tools() == ["rest___get", "rest___put"]
    told, wrong = said(client, "rest___get", sku="a/b ü", site="Hafen & Co", **{"X-Ward": "icu"})
    assert json.loads(told)["sku"] == "lamp" and not wrong
    assert (shop.last.method, shop.last.path) == ("GET", "/v1/items/a%2Fb%20%C3%BC")
    assert shop.last.query == "site=Hafen%20%26%20Co"
    assert (shop.last.headers["x-ward"], shop.last.headers["x-trace"]) == ("icu", "t1")
    assert not {"x-other", "mcp-session-id", "authorization", "cookie"} & shop.last.headers.keys()
    said(client, "rest___put", sku="lamp", units=3)
    assert (shop.last.method, json.loads(shop.last.body)) == ("PUT", {"units": 3})
    before = len(shop.seen)
    assert said(client, "rest___put", sku="lamp", units=-1)[1]
    assert said(client, "rest___get", sku="..")[1]
    assert said(client, "rest___get", sku="lamp", other=1)[1]
    assert len(shop.seen) == before, "what is not valid is not sent"


@pytest.mark.parametrize(
    ("place", "header"),
    [
        ({}, ("authorization", KEY)),
        ({"credentialParameterName": "X-Api-Key", "credentialPrefix": "Key"}, ("x-api-key", f"Key {KEY}")),
        ({"credentialParameterName": "key", "credentialLocation": "QUERY_PARAMETER"}, None),
    ],
)
@pytest.mark.parametrize("how", ["", "404"])
def test_an_api_key_is_shown_to_the_server_and_to_nobody_else(
    gateways, shop, shop_url, api_key, place, header, how, caplog
):
    caplog.set_level(0)
    gateway, url = gateways.make(SESSIONS)
    gateways.add(gateway, "rest", store(shop_url), credentialProviderConfigurations=api_key(**place))
    shop.how = how
    answer = begun(url).call("rest___get", sku="lamp", site="icu")["result"]
    assert answer["isError"] == bool(how)
    if header:
        assert shop.last.headers[header[0]] == header[1] and "key" not in shop.last.query
    else:
        assert shop.last.query == "site=icu&key=s3cret%2Fkey%2Bwith%3Dsigns"
        assert "authorization" not in shop.last.headers
    told = answer["content"][0]["text"]
    assert "site=icu" in told and "***" in told, "the server repeats what it was shown"
    for secret in (KEY, "s3cret%2Fkey", "s3cret/key"):
        assert secret not in f"{answer}{caplog.text}"


def test_a_wrong_api_key_is_shown_once(gateways, shop, shop_url, api_key):
    gateway, url = gateways.make(SESSIONS)
    gateways.add(gateway, "rest", store(shop_url), credentialProviderConfigurations=api_key())
    shop.refuses = 5
    told, wrong = said(begun(url), "rest___get", sku="lamp")
    assert wrong and "answered 401" in told and KEY not in told and len(shop.seen) == 1


@pytest.fixture
def oauth(gateways, client):
    """What a target says that is shown a token of a user pool."""
    pool = Made(client("cognito-idp"))
    config = {"oauthDiscovery": {"discoveryUrl": pool.discovery}, "clientId": pool.login[0]}
    made = gateways.control.create_oauth2_credential_provider(
        name=pool.domain,
        credentialProviderVendor="CustomOauth2",
        oauth2ProviderConfigInput={"customOauth2ProviderConfig": config | {"clientSecret": pool.login[1]}},
    )
    given = {"providerArn": made["credentialProviderArn"], "scopes": ["store/read"]}
    return [{"credentialProviderType": "OAUTH", "credentialProvider": {"oauthCredentialProvider": given}}]


@pytest.mark.parametrize(("refuses", "sent"), [(0, 1), (1, 2), (9, 2)])
def test_a_token_that_is_refused_is_renewed_once_and_not_for_ever(
    gateways, shop, shop_url, oauth, refuses, sent, caplog
):
    caplog.set_level(0)
    gateway, url = gateways.make(SESSIONS)
    gateways.add(gateway, "rest", store(shop_url), credentialProviderConfigurations=oauth)
    shop.refuses = refuses
    told, wrong = said(begun(url), "rest___get", sku="lamp")
    assert wrong == (refuses > 1)
    tokens = [seen.headers["authorization"] for seen in shop.seen]
    assert len(tokens) == len(set(tokens)) == sent and all(each.startswith("Bearer ") for each in tokens)
    for token in tokens:
        assert token.removeprefix("Bearer ") not in f"{told}{caplog.text}"


class Guard:
    """Before an MCP server: `refuses` is how many requests it answers with 401; the tokens that it was shown."""

    def __init__(self, app):
        self.app, self.refuses, self.tokens = app, 0, []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.tokens.append(dict(scope["headers"]).get(b"authorization", b"").decode())
            if self.refuses:
                self.refuses -= 1
                return await Response(status_code=401)(scope, receive, send)
        return await self.app(scope, receive, send)


@pytest.mark.parametrize("mcp", [SESSIONS, {"supportedVersions": ["2026-07-28"]}], ids=["sessions", "stateless"])
@pytest.mark.parametrize("refuses", [1, 9])
def test_an_mcp_server_that_refuses_a_token_is_shown_another_once(gateways, oauth, mcp, refuses):
    gateway, url = gateways.make(mcp)
    guard = Guard(mcp_store().streamable_http_app())
    with served(guard) as behind:
        gateways.server(gateway, "hamburg", behind, credentialProviderConfigurations=oauth)
        with MCPClient(url=url) as strands:
            strands.call_tool_sync("0", "hamburg___stock", {"sku": "ab"})
            guard.tokens.clear()
            guard.refuses = refuses
            answer = strands.call_tool_sync("1", "hamburg___stock", {"sku": "ab"})
            assert answer["status"] == ("success" if refuses == 1 else "error")
            assert len(guard.tokens) == len(set(guard.tokens)) == 2 and all(guard.tokens)
            guard.refuses = 0


@pytest.mark.parametrize(
    ("how", "detail"),
    [("404", "answered 404"), ("500", "no such shelf"), ("redirect", "answered 307"), ("huge", "6,291,456 bytes")],
)
def test_a_server_that_does_not_answer_well_is_told_under_debug_alone(gateways, shop, shop_url, how, detail):
    shop.how = how
    for level, reason in (("DEBUG", detail), (None, GENERIC)):
        gateway, url = gateways.make(SESSIONS, exceptionLevel=level)
        gateways.add(gateway, "rest", store(shop_url))
        told, wrong = said(begun(url), "rest___get", sku="lamp")
        assert wrong and reason in told and (detail in told) == (level == "DEBUG")
    assert all(seen.path.startswith("/v1/items") for seen in shop.seen), "a redirect is not followed"


def test_a_server_that_says_nothing_and_one_that_is_away(gateways, shop, shop_url):
    gateway, url = gateways.make(SESSIONS)
    gateways.add(gateway, "rest", store(shop_url))
    gateways.add(gateway, "away", store("http://127.0.0.1:1"))
    shop.how, client = "empty", begun(url)
    assert said(client, "rest___get", sku="lamp") == ("", False)
    assert said(client, "away___get", sku="lamp") == ("The target cannot be reached.", True)


def test_a_document_may_be_in_s3(gateways, shop, shop_url, bucket):
    gateway, url = gateways.make(SESSIONS)
    place = bucket("store.yaml", STORE.replace("SERVER", shop_url))
    target = gateways.add(gateway, "rest", {"mcp": {"openApiSchema": place}})
    assert target["status"] == "READY" and target["targetConfiguration"]["mcp"]["openApiSchema"] == place
    assert not said(begun(url), "rest___get", sku="lamp")[1]


def test_a_document_of_which_no_tools_can_be_made_fails_with_all_reasons(gateways, bucket):
    gateway, _ = gateways.make(SESSIONS)
    document = yaml.safe_load(STORE.replace("SERVER", "https://store.example.com"))
    reason = failed(gateways.add(gateway, "far", {"mcp": {"openApiSchema": {"inlinePayload": json.dumps(document)}}}))
    assert "this machine only" in reason and "https://store.example.com" in reason
    item = document["paths"]["/items/{sku}"]
    del item["get"]["operationId"]
    item["put"]["requestBody"]["content"]["application/json"]["schema"] = {"oneOf": [{"type": "object"}]}
    reason = failed(gateways.add(gateway, "bad", {"mcp": {"openApiSchema": {"inlinePayload": json.dumps(document)}}}))
    assert "operationId" in reason and "oneOf" in reason
    for name, text in (("text", "no: [document"), ("old", 'swagger: "2.0"'), ("large", b" " * (10 * 2**20 + 1))):
        assert failed(gateways.add(gateway, name, {"mcp": {"openApiSchema": bucket(name, text)}}))


def test_a_smithy_model_in_s3_becomes_tools_for_which_the_role_signs(gateways, shop, shop_url, bucket):
    model = json.loads(json.dumps(MODEL))
    endpoint = {"conditions": [], "endpoint": {"url": shop_url}, "type": "endpoint"}
    rules = {"version": "1.0", "parameters": {}, "rules": [endpoint]}
    model["shapes"]["store#Store"]["traits"]["smithy.rules#endpointRuleSet"] = rules
    gateway, url = gateways.make(SESSIONS)
    place = {"mcp": {"smithyModel": bucket("model.json", json.dumps(model))}}
    target = gateways.add(gateway, "store", place, credentialProviderConfigurations=ROLE)
    assert target["status"] == "READY", target["statusReasons"]
    told, wrong = said(begun(url), "store___GetItem", sku="lamp")
    assert not wrong and json.loads(told)["sku"] == "lamp" and shop.last.path == "/items/lamp"
    assert "/us-west-2/store/aws4_request" in shop.last.headers["authorization"]


def test_what_the_role_signs_is_what_is_sent(gateways, shop, shop_url, region):
    gateway, url = gateways.make(SESSIONS)
    service = {"credentialProvider": {"iamCredentialProvider": {"service": "execute-api"}}}
    gateways.add(gateway, "rest", store(shop_url), credentialProviderConfigurations=[ROLE[0] | service])
    said(begun(url), "rest___get", sku="arn:aws:x/y@z", site="a:b/c ~*'()")
    signed = signatures.read(shop.last.headers, "")
    assert signed.service == "execute-api"
    place = f"{shop_url}{shop.last.path}?{shop.last.query}"
    signatures.check(signed, "GET", place, shop.last.headers, shop.last.body, region.keys)
