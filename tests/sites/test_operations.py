"""A request is named in the terms of its protocol."""

import json

import pytest

from helpers.sites.operations import CARD, Operation, operation, parsed
from tests.sites.wire import Read, post


def call(method, **params):
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def named(body, method="POST", path="/", **headers):
    found = operation(method, path, headers, body)
    return found.protocol, found.name


REVISION_0 = "message/send message/stream tasks/get tasks/cancel tasks/resubscribe tasks/pushNotificationConfig/set"
REVISION_1 = "SendMessage SendStreamingMessage GetTask ListTasks CancelTask SubscribeToTask GetExtendedAgentCard"


@pytest.mark.parametrize("method", [*REVISION_0.split(), *REVISION_1.split(), "agent/getAuthenticatedExtendedCard"])
def test_the_methods_of_both_revisions_of_a2a_are_known(method):
    assert named(call(method)) == ("A2A", method)


def test_an_agent_card_is_a2a_wherever_it_lies():
    assert named(None, "GET", CARD) == ("A2A", f"GET {CARD}")
    assert named(None, "GET", f"/agents/pharmacy{CARD}?v=1") == ("A2A", f"GET {CARD}")


@pytest.mark.parametrize(
    "method", ["initialize", "ping", "tools/list", "notifications/initialized", "elicitation/create"]
)
def test_the_methods_of_mcp_are_known_without_its_headers(method):
    assert named(call(method)) == ("MCP", method)


@pytest.mark.parametrize(
    "method, params, name",
    [
        ("tools/call", {"name": "stock"}, "tools/call stock"),
        ("prompts/get", {"name": "summary"}, "prompts/get summary"),
        ("resources/read", {"uri": "file:///a"}, "resources/read file:///a"),
        ("tools/call", {"name": 7}, "tools/call"),
        ("tools/call", {}, "tools/call"),
        ("tools/list", {"name": "x"}, "tools/list"),
    ],
)
def test_a_call_of_mcp_is_named_with_what_it_calls(method, params, name):
    assert named(call(method, **params)) == ("MCP", name)
    assert named(call(method, **params), **{"mcp-session-id": "1"}) == ("MCP", name)


def test_the_headers_of_mcp_decide_where_a_method_could_be_of_either():
    assert named(call("tasks/get")) == ("A2A", "tasks/get")
    assert named(call("tasks/get"), **{"mcp-protocol-version": "2025-11-25"}) == ("MCP", "tasks/get")
    assert named(None, "GET", "/mcp?x=1", **{"mcp-session-id": "1"}) == ("MCP", "GET /mcp")
    assert named(None, "DELETE", "/mcp", **{"mcp-session-id": "1"}) == ("MCP", "DELETE /mcp")


def test_the_answer_of_a_client_to_its_server_is_mcp():
    answer = {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert named(answer, path="/mcp", **{"mcp-session-id": "1"}) == ("MCP", "answer")
    assert named(answer)[0] == "HTTP"


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/metrics", "/v1/logs", "/collector/v1/traces?x=1"])
def test_telemetry_is_otlp(path):
    assert named(None, path=path) == ("OTLP", f"POST {path.split('?')[0]}")


def test_a_batch_is_named_with_all_its_calls():
    batch = [call("tools/list"), call("tools/call", name="stock"), {"jsonrpc": "2.0", "result": 1}]
    assert named(batch) == ("HTTP", "POST /"), "with an answer in it, it is of no protocol that is known"
    assert named(batch[:2]) == ("MCP", "tools/list, tools/call stock")
    assert named([call("message/send"), call("tools/list")]) == ("HTTP", "POST /")


NO_CALLS = [
    *(None, 1, "text", [], {}, [1, None]),
    *({"method": "message/send"}, {"jsonrpc": "1.0", "method": "message/send"}, {"jsonrpc": [], "method": "ping"}),
    *({"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "method": 7}, {"jsonrpc": "2.0", "method": {"a": 1}}),
    *(call("unknown/method"), {"jsonrpc": "2.0", "method": "unknown", "params": 7}),
]


@pytest.mark.parametrize("body", NO_CALLS)
def test_anything_else_is_http(body):
    assert named(body, path="/chat?q=1") == ("HTTP", "POST /chat?q=1")


@pytest.mark.parametrize("params", [None, 7, "x", [1], {"name": None}, {"name": ["x"]}])
def test_a_call_with_odd_parameters_is_named_without_them(params):
    assert operation("POST", "/", {}, {"jsonrpc": "2.0", "method": "tools/call", "params": params}) == Operation(
        "MCP", "tools/call"
    )


def test_json_is_parsed_and_what_is_none_is_none():
    assert parsed(b'{"a": [1, 2.5, true]}') == {"a": [1, "2.5", True]}
    for body in b"", b"{", b"text", b"\xff", b"[" * 10**6, b'{"a": ' + b"1" * 5000 + b"}":
        assert parsed(body) is None


def test_a_key_that_comes_again_is_kept():
    assert parsed(b'{"a": 1, "a": 2}') == {"a": 2, "(keys that came again)": [1, 2]}


@pytest.mark.parametrize("name", ["record_P-1001", "record of Ada Byron", "\ud800 of P-1001", "x" * 10_000 + " P-1001"])
def test_the_name_of_a_tool_is_written_down_without_what_is_classified(name):
    crossing = Read().asks(post(json.dumps(call("tools/call", name=name)).encode())).only
    assert crossing.protocol == "MCP" and crossing.operation.startswith("tools/call ")
    assert "1001" not in crossing.operation and "Ada" not in crossing.operation and len(crossing.operation) <= 300
    assert crossing.classified == {"patient": 1}
    crossing.operation.encode()
