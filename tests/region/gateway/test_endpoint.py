import asyncio
import json
import socket
import threading

import httpx
import pytest
from mcp import ClientSession
from mcp.client.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult
from strands.tools.mcp import MCPClient

from helpers.region.gateway.service import _listener
from tests.region.gateway.conftest import SESSIONS, STREAMS, Client, messages, modern, response
from tests.region.gateway.upstreams import Odd, served
from tests.waiting import until

BOTH = STREAMS | {"supportedVersions": ["2025-11-25", "2026-07-28"]}
MODERN = {"supportedVersions": ["2026-07-28"]}


@pytest.fixture
def at(gateways, behind_url):
    """The address of a gateway with one target, for a configuration."""

    def make(mcp=STREAMS, **given):
        gateway, url = gateways.make(mcp, **given)
        assert gateways.server(gateway, "hamburg", behind_url)["status"] == "READY"
        return url

    return make


def test_a_session_begins_with_initialize_and_its_id_has_to_be_sent(at):
    client = Client(at())
    assert client.send("tools/list").status_code == 400
    told = client.begin()
    assert (
        told["capabilities"]["tools"] == {"listChanged": True}
        and {"prompts", "resources"} <= told["capabilities"].keys()
    )
    assert client.send("tools/list").status_code == 200
    assert client.send("tools/list", **{"mcp-session-id": "none"}).status_code == 404
    assert client.http.delete(client.url, headers=client.headers).status_code == 204
    assert client.send("tools/list").status_code == 404


def test_without_sessions_no_id_is_given_and_none_is_asked_for(at):
    client = Client(at({"supportedVersions": ["2025-11-25"]}))
    client.begin()
    assert "mcp-session-id" not in client.headers
    assert client.call("hamburg___stock", sku="ab")["result"]["structuredContent"] == {"result": 2}
    assert client.http.get(client.url, headers=client.headers).status_code == 405
    assert client.http.delete(client.url, headers=client.headers).status_code == 405


def test_a_session_ends_after_its_time_whether_it_is_used_or_not(at, region):
    client = Client(at())
    client.begin()
    known = region.gateways.endpoint.sessions.known
    session = known[client.headers["mcp-session-id"]]
    assert client.call("hamburg___stock", sku="a")["result"] and session.upstreams
    session.expires = 0
    assert client.send("tools/list").status_code == 404
    until(lambda: session.id not in known and not session.upstreams)


@pytest.mark.parametrize(
    ("listed", "offered", "agreed"),
    [
        (["2025-11-25"], "2025-11-25", "2025-11-25"),
        (["2025-11-25", "2025-03-26"], "2025-03-26", "2025-03-26"),
        (["2025-06-18"], "2025-11-25", "2025-06-18"),
        (["2025-11-25", "2026-07-28"], "1999-01-01", "2025-11-25"),
    ],
)
def test_initialize_agrees_on_a_version_that_is_listed(at, listed, offered, agreed):
    client = Client(at(SESSIONS | {"supportedVersions": listed}))
    assert client.begin(offered)["protocolVersion"] == agreed
    refused = client.send("tools/list", **{"mcp-protocol-version": "2024-11-05"})
    assert refused.status_code == 400 and refused.json()["error"]["code"] == -32022
    assert refused.json()["error"]["data"] == {"supported": listed, "requested": "2024-11-05"}


def test_without_sessions_a_request_that_says_no_version_has_the_protocols_default(at):
    for listed, status in ((["2025-11-25"], 400), (["2025-11-25", "2025-03-26"], 200)):
        client = Client(at({"supportedVersions": listed}))
        assert client.send("tools/list").status_code == status
        client.begin()
        assert client.send("tools/list").status_code == 200, "one that begins says it"
    refused = Client(at({"supportedVersions": ["2025-11-25"]})).send("tools/list").json()["error"]
    assert refused["code"] == -32022
    assert refused["data"] == {"supported": ["2025-11-25"], "requested": "2025-03-26"}


def test_a_session_goes_on_in_the_version_that_was_agreed_upon(at):
    client = Client(at(STREAMS | {"supportedVersions": ["2025-11-25", "2025-06-18"]}))
    client.begin("2025-06-18")
    other = {"mcp-protocol-version": "2025-11-25"}
    listened = client.http.get(client.url, headers=client.headers | other)
    deleted = client.http.delete(client.url, headers=client.headers | other)
    for refused in (client.send("tools/list", **other), listened, deleted):
        assert refused.status_code == 400 and refused.json()["error"]["code"] == -32022
        assert "Another version than this session's, 2025-06-18" in refused.json()["error"]["message"]
    assert client.send("tools/list").status_code == 200
    del client.headers["mcp-protocol-version"]
    assert client.send("tools/list").status_code == 200, "who says none means the session's"


def test_a_gateway_that_does_not_list_the_stateless_version_refuses_it(at):
    refused = modern(Client(at()), "server/discover")
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == -32022
    assert refused.json()["error"]["data"]["supported"] == ["2025-11-25"]


def test_a_gateway_that_lists_only_the_stateless_version_refuses_initialize(at):
    client = Client(at(MODERN))
    refused = client.send("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})
    assert refused.status_code == 400 and refused.json()["error"]["data"]["supported"] == ["2026-07-28"]


def test_without_sessions_each_request_says_all_about_itself(at):
    client = Client(at(BOTH))
    found = modern(client, "server/discover").json()["result"]
    assert found["supportedVersions"] == BOTH["supportedVersions"] and found["resultType"] == "complete"
    listed = modern(client, "tools/list")
    assert "mcp-session-id" not in listed.headers and response(listed)["result"]["ttlMs"] == 0
    called = modern(client, "tools/call", {"name": "hamburg___stock", "arguments": {"sku": "abc"}})
    assert response(called)["result"]["structuredContent"] == {"result": 3}
    wrong = modern(client, "tools/call", {"name": "hamburg___stock", "arguments": {}}, **{"mcp-name": "other"})
    assert wrong.status_code == 400 and wrong.json()["error"]["code"] == -32020
    assert modern(client, "tools/list", **{"mcp-method": "ping"}).json()["error"]["code"] == -32020
    none = modern(client, "no/method")
    assert none.status_code == 404 and none.json()["error"]["code"] == -32601
    bare = client.send("tools/list", {}, **{"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"})
    assert bare.status_code == 400 and bare.json()["error"]["code"] == -32602


def test_a_stateless_call_reaches_a_server_that_has_sessions_only(gateways):
    gateway, url = gateways.make(BOTH)
    with served(Odd().app()) as other:
        gateways.server(gateway, "odd", other)
        called = modern(Client(url), "tools/call", {"name": "odd___t", "arguments": {}})
    assert response(called)["result"]["content"][0]["text"] == "fine"


@pytest.mark.parametrize("mcp", [STREAMS, BOTH, MODERN, SESSIONS], ids=["sessions", "both", "stateless", "buffered"])
def test_the_sdk_and_strands_connect_whatever_is_listed(at, mcp):
    url = at(mcp)
    with MCPClient(url=url) as strands:
        assert "hamburg___stock" in [tool.tool_name for tool in strands.list_tools_sync()]
        assert strands.call_tool_sync("1", "hamburg___stock", {"sku": "abcd"})["structuredContent"] == {"result": 4}

    async def sdk():
        async with McpClient(url) as client:
            return await client.call_tool("hamburg___stock", {"sku": "abcde"})

    assert asyncio.run(sdk()).structured_content == {"result": 5}


@pytest.mark.parametrize("mcp", [STREAMS, BOTH])
def test_a_server_asks_the_user_through_the_gateway(at, mcp):
    async def approve(context, params):
        assert params.message == "Order 3?"
        return ElicitResult(action="accept", content={"approve": True})

    async def ask():
        async with (
            streamable_http_client(at(mcp)) as (read, write, *_),
            ClientSession(read, write, elicitation_callback=approve) as session,
        ):
            await session.initialize()
            return await session.call_tool("hamburg___order", {"units": 3})

    assert asyncio.run(ask()).content[0].text == "accept approve=True"


def test_without_a_stream_or_the_capability_a_server_cannot_ask(at):
    for mcp, able in ((SESSIONS, {"elicitation": {}}), (STREAMS, {})):
        client = Client(at(mcp))
        client.begin(capabilities=able)
        assert "cannot answer elicitation/create" in str(client.call("hamburg___order", units=1))


def test_an_answer_that_nobody_waits_for_is_refused(at):
    client = Client(at())
    client.begin()
    refused = client.post({"jsonrpc": "2.0", "id": "none", "result": {}})
    assert refused.status_code == 400 and refused.json()["error"]["code"] == -32600


def test_one_session_with_the_server_stands_behind_each_session(gateways):
    gateway, url = gateways.make()
    odd = Odd()
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other)
        opened = odd.opened
        for sessions in (1, 2):
            client = Client(url)
            client.begin()
            for _ in range(3):
                assert client.call("odd___t")["result"]
            assert odd.opened == opened + sessions


def test_without_sessions_each_version_has_a_session_with_the_server_of_its_own(gateways):
    gateway, url = gateways.make({"supportedVersions": ["2025-06-18", "2025-11-25", "2026-07-28"]})
    odd = Odd()
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other)
        odd.offered.clear()
        assert response(modern(Client(url), "tools/call", {"name": "odd___t", "arguments": {}}))["result"]
        for version in ("2025-11-25", "2025-06-18", "2025-06-18"):
            client = Client(url)
            client.begin(version)
            assert client.call("odd___t")["result"]
    assert odd.offered == ["2025-11-25", "2025-11-25", "2025-06-18"], "the first stands for a stateless client"


def test_without_sessions_what_an_identity_shares_ends_when_it_is_not_used_any_more(at, region):
    client = Client(at({"supportedVersions": ["2025-11-25"]}))
    client.begin()
    client.call("hamburg___stock", sku="a")
    shared = region.gateways.endpoint.sessions.shared
    whose, session = next(each for each in shared.items() if each[0][0] == client.url.split("/")[-2])
    before = session.expires
    client.call("hamburg___stock", sku="a")
    assert shared[whose] is session and session.expires > before and session.upstreams
    session.expires = 0
    until(lambda: whose not in shared and not session.upstreams)


def test_a_server_that_forgot_its_session_is_asked_again_unseen(gateways):
    gateway, url = gateways.make()
    odd = Odd()
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other)
        client = Client(url)
        client.begin()
        odd.opened, odd.how = 0, "forgets"
        assert client.call("odd___t")["result"]["content"][0]["text"] == "fine"
        assert odd.opened == 2


def test_a_cancelled_call_is_cancelled_at_the_server(at, behind):
    client = Client(at())
    client.begin()
    behind.calls.clear()
    call = {"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": {"name": "hamburg___wait", "arguments": {}}}
    thread = threading.Thread(target=lambda: client.post(call), daemon=True)
    thread.start()

    def cancelled():
        client.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}})
        return "cancelled" in behind.calls

    until(cancelled)
    thread.join(10)
    assert not thread.is_alive()


def test_clients_that_listen_are_told_of_other_tools_and_of_nothing_else(gateways, behind_url):
    gateway, url = gateways.make()
    odd, changed = Odd(), {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    client = Client(url)
    client.begin()
    with served(odd.app()) as other, client.http.stream("GET", url, headers=client.headers) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": open"
        heard = (json.loads(line[6:]) for line in lines if line.startswith("data: "))
        target = {"gatewayIdentifier": gateway, "targetId": gateways.server(gateway, "odd", other)["targetId"]}
        assert next(heard) == changed

        def synchronise():
            gateways.control.synchronize_gateway_targets(gatewayIdentifier=gateway, targetIdList=[target["targetId"]])
            assert gateways.settled(gateway, target["targetId"])["status"] == "READY"

        synchronise()
        odd.tools.append({"name": "new", "inputSchema": {"type": "object"}})
        synchronise()
        assert next(heard) == changed
        gateways.control.delete_gateway_target(**target)
        assert next(heard) == changed
        client.http.delete(url, headers=client.headers)
        assert list(heard) == [], "nothing was said of what had not changed"


@pytest.mark.parametrize(
    ("mcp", "told"), [(STREAMS, True), (SESSIONS, False), ({"supportedVersions": ["2025-11-25"]}, False)]
)
def test_a_gateway_promises_to_tell_of_other_tools_where_clients_can_listen(at, mcp, told):
    client = Client(at(mcp))
    assert client.begin()["capabilities"]["tools"] == {"listChanged": told}
    with client.http.stream("GET", client.url, headers=client.headers) as stream:
        assert stream.status_code == (200 if told else 405)


def test_without_sessions_no_gateway_promises_to_tell_of_other_tools(at):
    told = modern(Client(at(BOTH)), "server/discover").json()["result"]
    assert told["capabilities"]["tools"] == {"listChanged": False}


def test_what_is_no_message_is_refused(at):
    client = Client(at())
    client.begin()
    send = client.http.post
    headers = client.headers | {"content-type": "application/json"}
    for body, code in (
        (b"{", -32700),
        (b"[]", -32700),
        (b"{}", -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600),
    ):
        refused = send(client.url, content=body, headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert send(client.url, content=b"{}", headers=headers | {"content-type": "text/plain"}).status_code == 415
    assert send(client.url, json={}, headers=headers | {"accept": "text/html"}).status_code == 406
    assert send(client.url, content=b"x" * (6 * 2**20 + 1), headers=headers).status_code == 413
    assert send(client.url, content=b"[" * 100_000, headers=headers).status_code == 400
    assert client.http.put(client.url, headers=headers).status_code == 405
    assert send(client.url.replace("/mcp", "x/mcp"), json={}, headers=headers).status_code == 404


def test_other_hosts_and_origins_are_refused(at):
    client = Client(at())
    client.begin()
    for header, value in (("host", "evil.example"), ("origin", "https://evil.example")):
        assert client.send("tools/list", **{header: value}).status_code == 403
    assert client.send("tools/list", origin="http://localhost:8888").status_code == 200


def test_a_stream_shows_its_messages_as_they_come(at):
    client = Client(at())
    client.begin(capabilities={"elicitation": {}})
    call = {
        "jsonrpc": "2.0",
        "id": 5,
        "method": "tools/call",
        "params": {"name": "hamburg___order", "arguments": {"units": 2}},
    }
    with client.http.stream("POST", client.url, json=call, headers=client.headers) as stream:
        told = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        question = next(told)
        assert question["method"] == "elicitation/create"
        answer = {"action": "decline"}
        taken = httpx.post(
            client.url, json={"jsonrpc": "2.0", "id": question["id"], "result": answer}, headers=client.headers
        )
        assert taken.status_code == 202
        assert next(told)["result"]["content"][0]["text"] == "decline None"
    assert messages(client.send("ping"))[-1]["result"] == {}


def test_a_port_that_is_taken_is_left_to_who_has_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _listener("127.0.0.1", port) as other:
            assert other.getsockname()[1] != port
    with _listener("127.0.0.1", port) as same:
        assert same.getsockname()[1] == port
