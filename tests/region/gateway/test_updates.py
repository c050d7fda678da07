"""Targets that are changed or deleted while clients have sessions: whatever goes wrong, they settle and tell it."""

import contextlib
import json

import pytest

from tests.region.gateway.conftest import Client
from tests.region.gateway.upstreams import Odd, served

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
