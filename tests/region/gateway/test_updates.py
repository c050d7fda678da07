"""Targets that are changed or deleted while clients have sessions: whatever goes wrong, they settle and tell it."""

import asyncio
import contextlib
import json
import threading
from uuid import uuid4

import pytest
import yaml

from helpers.region.gateway import catalogue
from helpers.region.gateway.service import backend
from tests.region.gateway.conftest import Client
from tests.region.gateway.shop import Shop
from tests.region.gateway.test_kinds import STORE
from tests.region.gateway.upstreams import Odd, served
from tests.waiting import until

CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


@pytest.fixture
def odd():
    return Odd()


@pytest.fixture
def odd_url(odd):
    with served(odd.app()) as url:
        yield url


@contextlib.contextmanager
def listening(client):
    """A client's stream; asked, it gives the next message."""
    with client.http.stream("GET", client.url, headers=client.headers) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": open"
        yield lambda: next(json.loads(line[6:]) for line in lines if line.startswith("data: "))


@pytest.fixture
def target(gateways, odd_url, api_key):
    """A target with a session open and its credential provider gone; what names it, how it is made, and the client."""
    gateway, url = gateways.make()
    key = api_key()
    made = gateways.server(gateway, "odd", odd_url, credentialProviderConfigurations=key)
    client = Client(url)
    client.begin()
    assert client.call("odd___t")["result"]["content"][0]["text"] == "fine"
    arn = key[0]["credentialProvider"]["apiKeyCredentialProvider"]["providerArn"]
    gateways.control.delete_api_key_credential_provider(name=arn.rpartition("/")[2])
    configuration = {"mcp": {"mcpServer": {"endpoint": f"{odd_url}/mcp"}}}
    place = {"gatewayIdentifier": gateway, "targetId": made["targetId"]}
    return place, {"targetConfiguration": configuration, "credentialProviderConfigurations": key}, client


def test_an_update_ends_though_the_credentials_are_gone_with_which_sessions_would_be_ended(gateways, target):
    place, given, _ = target
    gateways.control.update_gateway_target(**place, **given)
    found = gateways.settled(*place.values())
    assert found["status"] == "UPDATE_UNSUCCESSFUL" and "credential provider" in found["statusReasons"][0]


def test_clients_are_told_of_a_deleted_target_though_its_credentials_are_gone(gateways, target):
    place, _, client = target
    with listening(client) as heard:
        gateways.control.delete_gateway_target(**place)
        assert heard() == CHANGED
    assert client.tools() == []


def test_a_target_settles_whatever_goes_wrong_when_its_sessions_are_ended(gateways, odd, odd_url, region, monkeypatch):
    async def broken(target_id):
        raise RuntimeError

    gateway, url = gateways.make()
    place = {"gatewayIdentifier": gateway, "targetId": gateways.server(gateway, "odd", odd_url)["targetId"]}
    client = Client(url)
    client.begin()
    monkeypatch.setattr(region.gateways.reader.sessions, "drop", broken)
    with listening(client) as heard:
        odd.tools = [{"name": "u", "inputSchema": {"type": "object"}}]
        given = {"targetConfiguration": {"mcp": {"mcpServer": {"endpoint": f"{odd_url}/mcp"}}}}
        gateways.control.update_gateway_target(**place, **given)
        assert gateways.settled(*place.values())["status"] == "READY" and heard() == CHANGED
        gateways.control.delete_gateway_target(**place)
        assert heard() == CHANGED


def test_a_target_whose_catalogue_cannot_be_kept_fails(gateways, odd_url, region, monkeypatch, tmp_path):
    (tmp_path / "taken").touch()
    monkeypatch.setattr(region.gateways.reader, "folder", tmp_path / "taken")
    gateway, _ = gateways.make()
    found = gateways.server(gateway, "odd", odd_url)
    assert found["status"] == "FAILED" and found["statusReasons"] == ["Internal error while the target was read."]
    monkeypatch.undo()


@pytest.fixture
def shop_url():
    with served(Shop().app()) as url:
        yield url


@pytest.fixture
def document(client, shop_url):
    """A document in S3; what deletes it."""
    s3, place = client("s3"), {"Bucket": f"documents-{uuid4().hex[:8]}", "Key": "store.yaml"}
    s3.create_bucket(Bucket=place["Bucket"], CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(**place, Body=STORE.replace("SERVER", shop_url).encode())
    configuration = {"mcp": {"openApiSchema": {"s3": {"uri": "s3://{Bucket}/{Key}".format(**place)}}}}
    return configuration, lambda: s3.delete_object(**place)


def said(client):
    """What the shop says, or why it does not."""
    answer = client.call("rest___get", sku="lamp")["result"]
    return answer["content"][0]["text"], answer["isError"]


def test_a_target_that_was_not_read_since_the_region_began_says_so(gateways, document, region):
    configuration, delete = document
    gateway, url = gateways.make()
    place = gateway, gateways.add(gateway, "rest", configuration)["targetId"]
    client, target = Client(url), backend().gateway_targets[place]
    client.begin()
    region.gateways.reader.remember(target)  # as when a Region begins
    assert client.tools() == ["rest___get", "rest___put"]
    told, wrong = said(client)
    assert wrong and "not read yet" in told and "Repeat the call" in told
    delete()
    target.status = "CREATING"
    region.gateways.read(target)
    assert gateways.settled(*place)["status"] == "FAILED"
    told, wrong = said(client)
    assert wrong and "not read yet" in told and "cannot be read (404)" in told


def test_a_change_that_is_refused_leaves_the_operations_as_they_were(gateways, shop_url, monkeypatch):
    gateway, url = gateways.make()
    made = gateways.add(
        gateway, "rest", {"mcp": {"openApiSchema": {"inlinePayload": STORE.replace("SERVER", shop_url)}}}
    )
    client = Client(url)
    client.begin()
    tools = client.tools()
    monkeypatch.setattr(catalogue, "MOST_TOOLS", 2)
    changed = yaml.safe_load(STORE.replace("SERVER", shop_url))
    for name in "abc":
        changed["paths"][f"/{name}"] = {"get": {"operationId": name, "responses": {"default": {"description": "ok"}}}}
    del changed["paths"]["/items/{sku}"]
    gateways.control.update_gateway_target(
        gatewayIdentifier=gateway,
        targetId=made["targetId"],
        targetConfiguration={"mcp": {"openApiSchema": {"inlinePayload": json.dumps(changed)}}},
    )
    found = gateways.settled(gateway, made["targetId"])
    assert found["status"] == "UPDATE_UNSUCCESSFUL" and "3 tools" in found["statusReasons"][0]
    assert client.tools() == tools and not said(client)[1]


def test_a_call_of_an_api_that_is_deleted_is_told(gateways, client):
    rest = client("apigateway")
    api = rest.create_rest_api(name="shop")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    rest.put_method(**place, authorizationType="NONE", operationName="get")
    rest.put_integration(**place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    rest.create_deployment(restApiId=api["id"], stageName="prod")
    tools = {"toolFilters": [{"filterPath": "/", "methods": ["GET"]}]}
    given = {"restApiId": api["id"], "stage": "prod", "apiGatewayToolConfiguration": tools}
    gateway, url = gateways.make()
    assert gateways.add(gateway, "api", {"mcp": {"apiGateway": given}})["status"] == "READY"
    rest.delete_rest_api(restApiId=api["id"])
    caller = Client(url)
    caller.begin()
    answer = caller.call("api___get")["result"]
    assert answer["isError"] and f"There is no REST API {api['id']}" in answer["content"][0]["text"]


class Slow(Odd):
    """Lists its tools when it may."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    async def on_tools_list(self, message):
        await asyncio.to_thread(self.gate.wait, 25)
        return await super().on_tools_list(message)


@pytest.mark.parametrize("fails", [False, True])
def test_a_target_that_is_renamed_is_called_by_its_new_name_at_once_even_if_its_change_fails(gateways, fails):
    gateway, url = gateways.make()
    odd = Slow()
    with served(odd.app()) as behind:
        place = {"gatewayIdentifier": gateway, "targetId": gateways.server(gateway, "old", behind)["targetId"]}
        client = Client(url)
        client.begin()
        assert client.tools() == ["old___t"]
        odd.gate.clear()
        configuration = {"mcp": {"mcpServer": {"endpoint": f"{behind}/mcp"}}}
        with listening(client) as heard:
            gateways.control.update_gateway_target(**place, name="new", targetConfiguration=configuration)
            until(lambda: client.tools() == ["new___t"])
            assert client.call("new___t")["result"]["content"][0]["text"] == "fine"
            odd.tools = [] if fails else odd.tools
            odd.gate.set()
            assert heard() == CHANGED
        assert gateways.settled(*place.values())["status"] == ("UPDATE_UNSUCCESSFUL" if fails else "READY")
        assert client.tools() == ["new___t"]
        assert client.call("new___t")["result"]["content"][0]["text"] == "fine"
        assert "Unknown tool" in client.call("old___t")["error"]["message"]
