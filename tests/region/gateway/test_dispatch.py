import base64
import json

import pytest
from mcp.server.mcpserver import MCPServer

from helpers.region.gateway import offers
from tests.region.gateway.conftest import SESSIONS, STREAMS, Client, messages, modern, response
from tests.region.gateway.upstreams import Odd, served


@pytest.fixture
def caller(gateways, behind_url):
    gateway, url = gateways.make()
    assert gateways.server(gateway, "hamburg", behind_url)["status"] == "READY"
    client = Client(url)
    client.begin()
    return client


def test_tools_have_the_name_of_their_target_before_theirs(caller, behind):
    assert set(caller.tools()) >= {"hamburg___stock", "hamburg___count", "hamburg___order"}
    answer = caller.call("hamburg___stock", sku="abc")
    assert answer["result"]["structuredContent"] == {"result": 3} and behind.calls[-1] == "abc"


def test_a_page_holds_the_tools_of_one_target(gateways, behind_url):
    gateway, url = gateways.make()
    for name in ("one", "two", "three"):
        gateways.server(gateway, name, behind_url)
    client = Client(url)
    client.begin()
    page = response(client.send("tools/list"))["result"]
    assert {tool["name"].partition("___")[0] for tool in page["tools"]} == {"one"} and page["nextCursor"]
    assert [name for name in client.tools() if name.endswith("stock")] == [
        "one___stock",
        "two___stock",
        "three___stock",
    ]
    assert response(client.send("tools/list", {"cursor": "bad"}))["error"]["code"] == -32602
    whole, url = gateways.make(STREAMS | {"disableMcpListToolsPagination": True})
    for name in ("one", "two"):
        gateways.server(whole, name, behind_url)
    client = Client(url)
    client.begin()
    page = response(client.send("tools/list"))["result"]
    assert len(page["tools"]) == 8 and "nextCursor" not in page


@pytest.fixture
def pages(gateways, behind_url):
    """Makes a gateway with so many targets, a page each: a client that lists, and what adds and deletes."""

    def make(count):
        gateway, url = gateways.make()
        targets = {}

        def add(name):
            targets[name] = gateways.server(gateway, name, behind_url)["targetId"]

        def delete(name):
            gateways.control.delete_gateway_target(gatewayIdentifier=gateway, targetId=targets[name])

        for number in range(count):
            add(f"t{number}")
        client = Client(url)
        client.begin()

        def page(cursor=None):
            """The targets of a page, and where the next one is."""
            found = response(client.send("tools/list", {"cursor": cursor} if cursor is not None else {}))
            if "error" in found:
                return found["error"]["code"], None
            names = {tool["name"].partition("___")[0] for tool in found["result"]["tools"]}
            return sorted(names), found["result"].get("nextCursor")

        return client, page, add, delete

    return make


@pytest.mark.parametrize("deleted", ["t0", "t1", "t2"])
def test_between_two_pages_targets_come_and_go_and_none_is_left_out_or_comes_twice(pages, deleted):
    _, page, add, delete = pages(3)
    first, cursor = page()
    second, cursor = page(cursor)
    assert (first, second) == (["t0"], ["t1"])
    delete(deleted)
    add("t3")
    rest = []
    while cursor:
        found, cursor = page(cursor)
        rest += found
    assert rest == [name for name in ("t2", "t3") if name != deleted]


def test_a_cursor_after_which_nothing_comes_any_more_ends_the_list(pages):
    _, page, _, delete = pages(2)
    _, cursor = page()
    delete("t1")
    assert page(cursor) == ([], None)


def test_a_cursor_that_is_none_of_the_gateway_s_is_refused(pages):
    client, page, *_ = pages(2)
    _, cursor = page()
    _, other, *_ = pages(1)
    assert other(cursor) == (-32602, None), "it is another gateway's"
    old = base64.urlsafe_b64encode(b"target:1").decode()
    for garbage in ("", "bad", "é", old, cursor[:20], 7, ["x"], {}):
        assert page(garbage) == (-32602, None), garbage
    for method in ("prompts/list", "resources/list", "resources/templates/list"):
        assert response(client.send(method, {"cursor": cursor}))["error"]["code"] == -32602, "they have one page"
    assert page(cursor)[0] == ["t1"]


def test_unknown_tools_and_bad_arguments_are_told(caller):
    for name in ("stock", "berlin___stock", "hamburg___none", "", None, 7):
        error = response(caller.send("tools/call", {"name": name}))["error"]
        assert error["code"] == -32602 and "Unknown tool" in error["message"]
    assert response(caller.send("tools/call", {"name": "hamburg___stock", "arguments": [1]}))["error"]["code"] == -32602
    answer = caller.call("hamburg___stock", wrong=1)
    assert answer["result"]["isError"] and "sku" in answer["result"]["content"][0]["text"]
    answer = caller.call("hamburg___stock", sku="none")["result"]
    assert answer["isError"] and "no such article" in answer["content"][0]["text"]


def test_prompts_and_resources_are_passed_on(caller):
    prompts = response(caller.send("prompts/list"))["result"]["prompts"]
    assert [prompt["name"] for prompt in prompts] == ["hamburg___note"]
    asked = {"name": "hamburg___note", "arguments": {"article": "lamps"}}
    assert response(caller.send("prompts/get", asked))["result"]["messages"][0]["content"]["text"] == "Reorder lamps."
    resources = response(caller.send("resources/list"))["result"]["resources"]
    assert [resource["uri"] for resource in resources] == ["store://articles"]
    templates = response(caller.send("resources/templates/list"))["result"]["resourceTemplates"]
    assert [template["uriTemplate"] for template in templates] == ["store://articles/{name}"]
    for uri, said in (("store://articles", "lamp, chair"), ("store://articles/lamp", "the lamp")):
        assert response(caller.send("resources/read", {"uri": uri}))["result"]["contents"][0]["text"] == said
    assert response(caller.send("resources/read", {"uri": "store://none/at/all"}))["error"]["code"] == -32002
    assert response(caller.send("prompts/get", {"name": "hamburg___none"}))["error"]["code"] == -32602


def test_of_two_resources_with_one_address_the_lower_number_wins(gateways, behind_url):
    gateway, url = gateways.make()
    with served(Odd().app()) as other:
        gateways.server(gateway, "odd", other, resourcePriority=1)
        gateways.server(gateway, "later", behind_url, resourcePriority=20)
        gateways.server(gateway, "first", behind_url, resourcePriority=10)
        client = Client(url)
        client.begin()
        assert len(response(client.send("resources/list"))["result"]["resources"]) == 1
        assert response(client.send("resources/read", {"uri": "store://articles"}))["result"]


def test_progress_comes_only_where_it_may_stream(gateways, behind_url):
    for mcp, expected in ((STREAMS, 3), (SESSIONS, 0)):
        gateway, url = gateways.make(mcp)
        gateways.server(gateway, "hamburg", behind_url)
        client = Client(url)
        client.begin()
        asked = {"name": "hamburg___count", "arguments": {"to": 3}, "_meta": {"progressToken": "p"}}
        told = messages(client.send("tools/call", asked))
        assert [each["params"]["progress"] for each in told[:-1]] == [1, 2, 3][:expected]
        assert told[-1]["result"]["content"][0]["text"] == "counted to 3"
        client.headers["accept"] = "application/json"
        assert len(messages(client.send("tools/call", asked))) == 1


def test_an_unknown_method_is_none(caller):
    for method in ("completion/complete", "logging/setLevel", "resources/subscribe", "server/discover", "x"):
        assert response(caller.send(method))["error"]["code"] == -32601
    assert response(caller.send("ping"))["result"] == {}


def test_a_target_listed_live_shows_what_it_has_now(gateways):
    gateway, url = gateways.make()
    odd = Odd()
    with served(odd.app()) as other:
        gateways.server(gateway, "live", other, listingMode="DYNAMIC")
        gateways.server(gateway, "kept", other)
        client = Client(url)
        client.begin()
        odd.tools.append({"name": "new", "inputSchema": {"type": "object"}})
        assert client.tools() == ["live___t", "live___new", "kept___t"]
        assert client.call("live___new")["result"]["content"][0]["text"] == "fine"
        assert client.call("kept___new")["error"]["code"] == -32602


def asking(gateway_url, stateless):
    """Sends requests in a session or without one; the result, or the code of an error."""
    client = Client(gateway_url)
    if not stateless:
        client.begin()

    def ask(method, **params):
        answer = response(modern(client, method, params) if stateless else client.send(method, params))
        return answer.get("result") or answer["error"]["code"]

    return ask


@pytest.mark.parametrize("stateless", [False, True], ids=["sessions", "stateless"])
def test_prompts_and_resources_of_a_target_listed_live_are_those_that_it_has_now(gateways, stateless):
    server = MCPServer("shelf")
    server.tool("full")(lambda: "full")
    gateway, url = gateways.make(STREAMS | {"supportedVersions": ["2025-11-25", "2026-07-28"]})
    with served(server.streamable_http_app()) as other:
        gateways.server(gateway, "live", other, listingMode="DYNAMIC")
        kept, kept_url = gateways.make(STREAMS | {"supportedVersions": ["2025-11-25", "2026-07-28"]})
        gateways.server(kept, "live", other)
        server.prompt("note")(lambda: "Reorder.")
        server.resource("shelf://top", name="top")(lambda: "lamp")
        server.resource("shelf://row/{n}", name="row")(lambda n: f"row {n}")
        live, old = asking(url, stateless), asking(kept_url, stateless)
        assert [each["name"] for each in live("prompts/list")["prompts"]] == ["live___note"]
        assert [each["uri"] for each in live("resources/list")["resources"]] == ["shelf://top"]
        templates = live("resources/templates/list")["resourceTemplates"]
        assert [each["uriTemplate"] for each in templates] == ["shelf://row/{n}"]
        assert live("prompts/get", name="live___note")["messages"][0]["content"]["text"] == "Reorder."
        for uri, text in (("shelf://top", "lamp"), ("shelf://row/7", "row 7")):
            assert live("resources/read", uri=uri)["contents"][0]["text"] == text
            assert old("resources/read", uri=uri) == (-32602 if stateless else -32002)
        assert not old("prompts/list")["prompts"] and not old("resources/list")["resources"]
        assert old("prompts/get", name="live___note") == -32602
        assert isinstance(live("prompts/get", name="live___other"), int), "the server refuses it"
        assert live("resources/read", uri="shelf://none") == (-32602 if stateless else -32002)


def test_a_gateway_with_a_live_target_says_that_it_may_have_prompts_and_resources(gateways):
    gateway, url = gateways.make()
    with served(Odd().app()) as other:
        gateways.server(gateway, "kept", other)
        assert not {"prompts", "resources"} & Client(url).begin()["capabilities"].keys()
        gateways.server(gateway, "live", other, listingMode="DYNAMIC")
        assert {"prompts", "resources"} <= Client(url).begin()["capabilities"].keys()


@pytest.mark.parametrize("how", ["away", "hangs"])
def test_a_live_target_that_does_not_answer_takes_nothing_of_others_away(gateways, behind_url, monkeypatch, how):
    monkeypatch.setattr(offers, "SECONDS", 0.3)
    gateway, url = gateways.make()
    odd = Odd()
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other, listingMode="DYNAMIC")
        gateways.server(gateway, "good", behind_url)
        odd.lists = how
        client = Client(url)
        client.begin()
        assert {name.partition("___")[0] for name in client.tools()} == {"good"}
        assert len(response(client.send("prompts/list"))["result"]["prompts"]) == 1
        read = response(client.send("resources/read", {"uri": "store://articles"}))
        assert read["result"]["contents"][0]["text"] == "lamp, chair"


def test_tools_that_are_given_are_not_asked_for(gateways, behind_url):
    gateway, url = gateways.make()
    tools = json.dumps({"tools": [{"name": "stock", "description": "d", "inputSchema": {"type": "object"}}]})
    server = {"endpoint": f"{behind_url}/mcp", "mcpToolSchema": {"inlinePayload": tools}}
    assert gateways.add(gateway, "given", {"mcp": {"mcpServer": server}})["status"] == "READY"
    client = Client(url)
    client.begin()
    assert client.tools() == ["given___stock"]
    assert client.call("given___stock", sku="abc")["result"]["structuredContent"] == {"result": 3}
    server["mcpToolSchema"] = {"inlinePayload": "{"}
    assert "no JSON" in gateways.add(gateway, "bad", {"mcp": {"mcpServer": server}})["statusReasons"][0]
