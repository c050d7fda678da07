import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from helpers.region.gateway.dispatch import GENERIC
from helpers.region.gateway.resources import Gateway
from helpers.region.gateway.service import Gateways
from tests.region.gateway.conftest import Client, messages
from tests.region.gateway.upstreams import Odd, served, store
from tests.waiting import until

FAILURES = {
    "garbage": "cannot be read",
    "page": "which is not MCP",
    "500": "answered 500",
    "huge": "6,291,456 bytes",
    "huge event": "6,291,456 bytes",
}


@pytest.fixture
def odd():
    return Odd()


@pytest.fixture
def caller(gateways, odd, behind_url):
    """A client of a gateway with an odd target and a good one."""
    gateway, url = gateways.make()
    with served(odd.app()) as other:
        assert gateways.server(gateway, "odd", other)["status"] == "READY"
        gateways.server(gateway, "good", behind_url)
        client = Client(url)
        client.begin()
        yield client


@pytest.mark.parametrize("how", FAILURES)
def test_a_target_that_does_not_answer_as_it_should_is_told_and_harms_no_other(caller, odd, how):
    odd.how = how
    answer = caller.call("odd___t")["result"]
    assert answer["isError"] and FAILURES[how] in answer["content"][0]["text"]
    assert answer["_meta"]["debug"]["message"] == answer["content"][0]["text"]
    assert "secret" not in str(answer)
    assert caller.call("good___stock", sku="ab")["result"]["structuredContent"] == {"result": 2}
    odd.how = ""
    assert caller.call("odd___t")["result"]["content"][0]["text"] == "fine"


def test_an_answer_that_breaks_off_is_an_error_that_names_the_dependency(caller, odd):
    odd.how = "closes"
    *told, last = messages(caller.send("tools/call", {"name": "odd___t", "arguments": {}}))
    assert [each["method"] for each in told] == ["notifications/progress"]
    assert "DependencyFailedException" in last["error"]["message"]


def test_without_debug_no_reason_is_told(gateways, odd):
    gateway, url = gateways.make(exceptionLevel=None)
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other)
        client = Client(url)
        client.begin()
        odd.how = "500"
        answer = client.call("odd___t")["result"]
    assert answer == {"content": [{"type": "text", "text": GENERIC}], "isError": True}


@pytest.fixture
def hasty(region, address, tmp_path, monkeypatch):
    """Serves the same gateways with a small time limit; the address of one there, for its address here."""
    here = Gateway.base_url
    monkeypatch.setattr(Gateway, "base_url", here)  # as it is again after the test
    made = Gateways(tmp_path, region.keys, region.gateways.allowed, seconds=0.5)
    made.serve(address, "127.0.0.1")
    yield lambda url: url.replace(here, Gateway.base_url)
    made.stop()


def test_a_target_that_hangs_is_given_up_after_the_time_limit(caller, odd, hasty):
    client = Client(hasty(caller.url))
    client.begin()
    odd.how = "hang"
    answer = client.call("odd___t")["result"]
    assert answer["isError"] and "in time" in answer["content"][0]["text"]


def test_a_target_that_is_gone_leaves_its_tools_listed_and_the_others_working(gateways, odd, behind_url):
    gateway, url = gateways.make()
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other)
        gateways.server(gateway, "good", behind_url)
    client = Client(url)
    client.begin()
    assert "odd___t" in client.tools()
    answer = client.call("odd___t")["result"]
    assert answer["isError"] and "cannot be reached" in answer["content"][0]["text"]
    assert client.call("good___stock", sku="ab")["result"]["structuredContent"] == {"result": 2}


@pytest.mark.parametrize(
    ("tools", "reason"),
    [
        ([{"name": "t", "inputSchema": {"type": "object"}}] * 2, "2 tools with the name t"),
        ([{"name": "t t", "inputSchema": {"type": "object"}}], "'t t'"),
        ([{"name": "t", "inputSchema": {"type": "array"}}], "type object"),
        ([{"name": "t" * 255, "inputSchema": {"type": "object"}}], "longer than 256"),
        ([], "no tool"),
        ([{"name": f"t{i}", "inputSchema": {"type": "object"}} for i in range(1001)], "1001 tools"),
        (["no tool"], "no list of tools"),
    ],
)
def test_a_server_whose_tools_cannot_be_offered_fails_with_the_reason(gateways, tools, reason):
    gateway, url = gateways.make()
    with served(Odd(tools).app()) as other:
        target = gateways.server(gateway, "odd", other)
    assert target["status"] == "FAILED" and reason in target["statusReasons"][0]
    client = Client(url)
    client.begin()
    assert client.tools() == []


def test_changed_tools_are_known_once_the_target_is_synchronised(gateways, odd):
    gateway, url = gateways.make()
    place = {"gatewayIdentifier": gateway}
    with served(odd.app()) as other:
        target = gateways.server(gateway, "odd", other)["targetId"]
        client = Client(url)
        client.begin()
        odd.tools = [{"name": "u", "inputSchema": {"type": "object"}}]
        assert client.tools() == ["odd___t"]
        gateways.control.synchronize_gateway_targets(**place, targetIdList=[target])
        assert gateways.settled(gateway, target)["status"] == "READY" and client.tools() == ["odd___u"]
        odd.tools = []
        gateways.control.synchronize_gateway_targets(**place, targetIdList=[target])
        assert gateways.settled(gateway, target)["status"] == "SYNCHRONIZE_UNSUCCESSFUL"
        assert client.tools() == ["odd___u"]
    again = gateways.control.update_gateway_target(
        **place, targetId=target, targetConfiguration={"mcp": {"mcpServer": {"endpoint": f"{other}/mcp"}}}
    )
    assert again["status"] == "UPDATING"
    found = gateways.settled(gateway, target)
    assert found["status"] == "UPDATE_UNSUCCESSFUL" and "cannot be reached" in found["statusReasons"][0]


def test_a_server_that_is_away_or_elsewhere_fails_with_the_reason(gateways):
    gateway, _ = gateways.make()
    found = gateways.server(gateway, "away", "http://127.0.0.1:1")
    assert found["status"] == "FAILED" and "cannot be reached" in found["statusReasons"][0]
    found = gateways.server(gateway, "elsewhere", "https://mcp.example.com")
    assert found["status"] == "FAILED" and "this machine only" in found["statusReasons"][0]


def test_a_client_that_goes_away_frees_the_call(caller, odd, region):
    odd.how = "hang"
    sessions = region.gateways.endpoint.sessions
    session = sessions.known[caller.headers["mcp-session-id"]]
    with pytest.raises(httpx.ReadTimeout):
        caller.http.post(
            caller.url,
            json={"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "odd___t", "arguments": {}}},
            headers=caller.headers,
            timeout=0.5,
        )
    until(lambda: not session.running)


def test_two_hundred_clients_at_once_all_get_their_own_answer(gateways, behind_url):
    gateway, url = gateways.make()
    gateways.server(gateway, "hamburg", behind_url)

    def one(number):
        client = Client(url)
        client.begin()
        return client.call("hamburg___stock", sku="x" * number)["result"]["structuredContent"]["result"]

    with ThreadPoolExecutor(200) as pool:
        assert list(pool.map(one, range(1, 201))) == list(range(1, 201))


def test_a_target_that_is_deleted_in_the_midst_of_a_call_harms_nobody(gateways, behind_url, odd):
    gateway, url = gateways.make()
    with served(odd.app()) as other:
        target = gateways.server(gateway, "odd", other)["targetId"]
        gateways.server(gateway, "good", behind_url)
        client = Client(url)
        client.begin()
        odd.how = "hang"
        thread = threading.Thread(target=lambda: client.call("odd___t"), daemon=True)
        thread.start()
        until(lambda: odd.calls)
        gateways.control.delete_gateway_target(gatewayIdentifier=gateway, targetId=target)
        second = Client(url)
        second.begin()
        assert not [name for name in second.tools() if name.startswith("odd")]
        assert second.call("good___stock", sku="ab")["result"]["structuredContent"] == {"result": 2}
    thread.join(15)
    assert not thread.is_alive()


def test_nothing_that_callers_or_targets_say_is_logged(caller, odd, caplog):
    caplog.set_level(0)
    odd.how = "500"
    caller.call("odd___t", password="hunter2")
    assert "hunter2" not in caplog.text and "secret detail" not in caplog.text


def test_calls_use_the_connections_to_a_server_again(gateways):
    server, clients = store().streamable_http_app(), []

    async def noted(scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "POST":
            clients.append(scope["client"])
        await server(scope, receive, send)

    gateway, url = gateways.make()
    with served(noted) as address:
        gateways.server(gateway, "good", address)
        client = Client(url)
        client.begin()
        client.call("good___stock", sku="ab")
        known = set(clients)
        del clients[:]
        for _ in range(5):
            client.call("good___stock", sku="ab")
    assert len(clients) == 5 and set(clients) <= known


def test_a_server_that_leaves_its_answer_open_holds_no_client_up(caller, odd):
    odd.how = "stays open"
    for _ in range(3):
        assert caller.call("odd___t")["result"]["content"][0]["text"] == "fine"


def test_a_live_target_that_lists_nonsense_takes_no_tools_of_others_away(gateways, odd, behind_url):
    gateway, url = gateways.make()
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other, listingMode="DYNAMIC")
        gateways.server(gateway, "good", behind_url)
        client = Client(url)
        client.begin()
        odd.tools = [{"name": "two words"}]
        assert "good___stock" in client.tools() and not [name for name in client.tools() if name.startswith("odd")]


@pytest.mark.parametrize("request_id", [77, [1], {"a": 1}, None])
def test_to_cancel_what_does_not_run_is_taken_note_of(caller, request_id):
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}}
    assert caller.post(message).status_code == 202
