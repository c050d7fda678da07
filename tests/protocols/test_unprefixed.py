"""The go-between of the conformance suite changes names and nothing else."""

import asyncio

import httpx
import mcp_types as types
import pytest
from mcp import Client

from tests.protocols.running import running
from tests.protocols.unprefixed import Unprefixed

PREFIX = "everything___"
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Content-Type": "application/json",
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture(scope="module")
def urls():
    """The server with the prefix, and the go-between before it."""
    with (
        running("tests.protocols.everything", "--prefix", PREFIX) as url,
        running("tests.protocols.unprefixed", url, PREFIX) as unprefixed,
    ):
        yield url, unprefixed


def post(url, method, headers=(), **params):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": META}}
    return httpx.post(url, json=body, headers=HEADERS | {"Mcp-Method": method} | dict(headers))


@pytest.mark.parametrize("what", ["tools", "prompts"])
def test_names_in_lists_lose_the_prefix_and_nothing_else_changes(urls, what):
    with_prefix, without = (post(url, f"{what}/list").json()["result"] for url in urls)
    assert all(one["name"].startswith(PREFIX) for one in with_prefix[what])
    for one in with_prefix[what]:
        one["name"] = one["name"].removeprefix(PREFIX)
    assert without == with_prefix


def test_a_call_gets_the_prefix_in_its_body_and_its_header(urls):
    answer = post(urls[1], "tools/call", {"Mcp-Name": "test_simple_text"}, name="test_simple_text")
    assert answer.status_code == 200 and "simple text" in answer.text
    refused = post(urls[1], "tools/call", {"Mcp-Name": "other"}, name="test_simple_text")
    assert refused.status_code == 400 and refused.json()["error"]["code"] == -32020
    assert post(urls[1], "tools/call", name="test_simple_text").status_code == 400, "a missing header stays missing"


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("POST", {"Host": "evil.example.com"}, b"{}"),
        ("POST", {"Origin": "http://evil.example.com"}, b"{}"),
        ("POST", {"Accept": "text/html"}, b"{}"),
        ("POST", {"MCP-Protocol-Version": "2025-11-25"}, b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'),
        ("POST", {"Mcp-Session-Id": "none", "MCP-Protocol-Version": "2025-11-25"}, b'{"jsonrpc": "2.0", "id": 1}'),
        ("POST", {"MCP-Protocol-Version": "2025-11-25"}, b'[{"method": "tools/call", "params": {"name": 1}}]'),
        ("POST", {}, b"{ no JSON"),
        ("GET", {}, b""),
        ("PUT", {}, b""),
        ("DELETE", {"Mcp-Session-Id": "none", "MCP-Protocol-Version": "2025-11-25"}, b""),
    ],
)
def test_a_refusal_arrives_as_the_server_gave_it(urls, method, headers, body):
    answers = [httpx.request(method, url, content=body, headers=HEADERS | headers) for url in urls]
    assert answers[0].is_client_error
    assert answers[0].status_code == answers[1].status_code and answers[0].content == answers[1].content
    # When, how long and which session: the only things that may differ from one answer to the next.
    given = [{key: value for key, value in answer.headers.items() if key not in OWN} for answer in answers]
    assert given[0] == given[1]


OWN = {"date", "content-length", "transfer-encoding", "mcp-session-id"}


def test_a_stream_goes_through_piece_by_piece(urls):
    asked = []

    async def fill(context, params):
        asked.append(params.message)  # while the call is open: kept back, it would never come
        return types.ElicitResult(action="accept", content={"username": "ada", "email": "ada@example.com"})

    async def call():
        async with asyncio.timeout(20), Client(urls[1], mode="legacy", elicitation_callback=fill) as client:
            return await client.call_tool("test_elicitation", {"message": "Who is there?"})

    assert "ada@example.com" in asyncio.run(call()).content[0].text
    assert asked == ["Who is there?"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"method": "tools/call"}', b'{"params": {"name": "x"}}'])
def test_what_is_no_call_goes_through_byte_by_byte(body):
    headers = [(b"mcp-name", b"x")]
    assert Unprefixed("http://unused", PREFIX).prefixed(headers, body) == (headers, body)


@pytest.mark.parametrize("text", [b"", b": ping", b'{"result":  {"content": []}}', b'{"params": {"tools": []}}'])
def test_an_answer_without_lists_goes_through_byte_by_byte(text):
    assert Unprefixed("http://unused", PREFIX).unprefixed(text) == text
