"""What a target was shown does not come back: in whatever way it is written, in one piece or in several."""

import asyncio
import json
from urllib.parse import quote

import pytest
from starlette.responses import JSONResponse, StreamingResponse

from helpers.region.gateway.masking import MASK, Mask
from helpers.region.gateway.reach import Answer
from tests.region.gateway.conftest import KEY, SESSIONS, STREAMS, Client, messages
from tests.region.gateway.upstreams import Odd, served

MODERN = "2026-07-28"
WRITTEN = {
    "as it is": KEY,
    "in PHP": KEY.replace("/", "\\/"),
    "in Java": KEY.replace("=", "\\u003d"),
    "in .NET": KEY.replace("+", "\\u002B"),
    "in an address": quote(KEY, safe=""),
    "in a path": quote(KEY),
    "in JSON of Java in JSON": KEY.replace("=", "\\\\u003d"),
    "in JSON of PHP in JSON": KEY.replace("/", "\\\\/"),
}


class Echo(Odd):
    """Says what it was shown, in its answer of a call or, if it `lists` so, of a list; `modern` has no sessions."""

    def __init__(self, how, lists=False, modern=False):
        super().__init__()
        self.how, self.lists, self.modern, self.shown = how, lists, modern, ""

    async def answer(self, request):
        self.shown = request.headers.get("authorization")
        return await super().answer(request)

    async def on_server_discover(self, message):
        found = {"supportedVersions": [MODERN], "capabilities": {"tools": {}}} if self.modern else {}
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": found})

    async def on_tools_list(self, message):
        return await (self.on_tools_call(message) if self.lists else super().on_tools_list(message))

    async def on_tools_call(self, message):
        said = f"you sent {self.shown}"
        result = {"content": [{"type": "text", "text": json.dumps({said: [said]})}], "structuredContent": {said: said}}
        told = {"error": {"code": -32000, "message": said}} if self.how == "error" else {"result": result}
        answer = {"jsonrpc": "2.0", "id": message["id"]} | told
        if self.how != "events":
            return JSONResponse(answer)
        progress = {"progressToken": 1, "progress": 1, "message": said}
        return StreamingResponse(
            _pieces({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}, answer),
            media_type="text/event-stream",
        )


async def _pieces(*events):
    """Each event in two pieces, the first of which ends in the midst of the key."""
    for each in events:
        data = f"data: {json.dumps(each)}\n\n".encode()
        cut = data.index(b"s3cret") + 3
        yield data[:cut]
        await asyncio.sleep(0)
        yield data[cut:]


@pytest.mark.parametrize("how", ["json", "events", "error"])
@pytest.mark.parametrize("mcp", [STREAMS, SESSIONS], ids=["streams", "whole answers"])
def test_an_mcp_server_s_answer_comes_without_the_key_that_it_was_shown(gateways, api_key, how, mcp):
    gateway, url = gateways.make(mcp)
    echo = Echo(how)
    with served(echo.app()) as behind:
        gateways.server(gateway, "echo", behind, credentialProviderConfigurations=api_key(credentialPrefix="Bearer"))
        client = Client(url)
        client.begin()
        told = messages(client.send("tools/call", {"name": "echo___t", "arguments": {}}))
    assert echo.shown == f"Bearer {KEY}" and len(told) == (2 if how == "events" and mcp is STREAMS else 1)
    for message in told:
        assert f"you sent {MASK}" in str(message) and "s3cret" not in str(message)


@pytest.mark.parametrize("how", ["json", "events"])
def test_without_sessions_it_comes_without_the_key_too(gateways, api_key, how):
    gateway, url = gateways.make({"supportedVersions": [MODERN]})
    echo = Echo(how, modern=True)
    about = {"protocolVersion": MODERN, "clientInfo": {"name": "t", "version": "1"}, "clientCapabilities": {}}
    meta = {f"io.modelcontextprotocol/{name}": value for name, value in about.items()}
    with served(echo.app()) as behind:
        gateways.server(gateway, "echo", behind, credentialProviderConfigurations=api_key())
        headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": "echo___t"}
        answer = Client(url).send("tools/call", {"name": "echo___t", "arguments": {}, "_meta": meta}, **headers)
    assert f"you sent {MASK}" in answer.text and "s3cret" not in answer.text
    assert echo.opened == 1, "the call needed no session; only to read the target was one begun"


def test_a_server_that_refuses_to_list_does_not_get_its_key_into_the_reasons(gateways, api_key):
    gateway, _ = gateways.make()
    with served(Echo("error", lists=True).app()) as behind:
        target = gateways.server(gateway, "echo", behind, credentialProviderConfigurations=api_key())
    (reason,) = target["statusReasons"]
    assert target["status"] == "FAILED" and reason.endswith(f"refused tools/list: you sent {MASK}")


def mask(*shown):
    return Mask.of("http://127.0.0.1/x", "http://127.0.0.1/x", dict(enumerate(shown)))


@pytest.mark.parametrize("how", WRITTEN)
def test_a_secret_is_found_in_whatever_way_it_is_written(how):
    found = mask(f"Bearer {KEY}")
    said = f"a {WRITTEN[how]} b"
    assert found.body(said.encode()) == b"a *** b" and found.text(said) == "a *** b"
    assert found.json({said: [said, 1, None]}) == {"a *** b": ["a *** b", 1, None]}


def test_what_is_short_or_was_in_the_address_already_is_no_secret():
    found = Mask.of("http://127.0.0.1/?site=hamburg", "http://127.0.0.1/?site=hamburg&key=abcdefg", {"a": "short"})
    assert found.text("hamburg abcdefg short") == "hamburg *** short"


def _streamed(found, pieces):
    async def said():
        for piece in pieces:
            yield piece

    async def collected():
        return [piece async for piece in found.pieces(said())]

    return asyncio.run(collected())


@pytest.mark.parametrize("how", WRITTEN)
def test_a_secret_is_found_wherever_a_stream_is_cut(how):
    found, said = mask(f"Bearer {KEY}"), f"s3 {WRITTEN[how]}! {WRITTEN[how]}".encode()
    for cut in range(len(said)):
        assert b"".join(_streamed(found, [said[:cut], said[cut:]])) == b"s3 ***! ***"
    assert b"".join(_streamed(found, [said[i : i + 1] for i in range(len(said))])) == b"s3 ***! ***"


def test_of_a_stream_only_the_beginning_of_a_secret_is_held_back():
    pieces = [b"data: one\n\n", b"a s3c", b"and", b" s3cr", b"et/key+with=signs.", b"s3"]
    assert _streamed(mask(KEY), pieces) == [b"data: one\n\n", b"a ", b"s3cand", b" ", b"***.", b"s3"]
    assert _streamed(mask(), pieces) == pieces


def test_json_that_is_nested_too_deeply_for_a_search_is_no_message(monkeypatch):
    def deep(self, said):
        raise RecursionError

    monkeypatch.setattr(Mask, "json", deep)
    with pytest.raises(ValueError, match="nested too deeply"):
        Answer(None, mask(KEY)).message(json.dumps({"a": KEY}).encode())
