"""Between a judge that knows tools and prompts by fixed names and a gateway that puts its target's name before them.

python -m tests.protocols.unprefixed http://127.0.0.1:9000/my-gateway/mcp everything___

Puts the prefix to the names that are called and takes it from those that are listed. All else goes through as it came,
statuses, headers and broken requests too, and streams line by line: what is judged is the gateway.
"""

import argparse
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

CALLS = {"tools/call", "prompts/get"}
LISTS = ("tools", "prompts")
# Of the connection, not of the message; the length changes with the names, and bodies are passed on unpacked.
HOP = {b"connection", b"content-encoding", b"content-length", b"keep-alive", b"transfer-encoding"}
Headers = list[tuple[bytes, bytes]]


class Unprefixed:
    """Passes requests on to `url`."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url, self.prefix = url, prefix
        self.client = httpx.AsyncClient(timeout=None, trust_env=False)

    async def __call__(self, request: Request) -> StreamingResponse:
        headers, body = self.prefixed(_end_to_end(request.headers.raw), await request.body())
        # Not by the client's own `request`, which would add headers of its own.
        asked = httpx.Request(request.method, self.url, headers=headers, content=body)
        answer = await self.client.send(asked, stream=True)
        response = StreamingResponse(self.pieces(answer), answer.status_code)
        response.raw_headers = _end_to_end(answer.headers.raw)
        return response

    def prefixed(self, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        """A call by the name that the gateway knows; `Mcp-Name` says it once more."""
        message = _parsed(body)
        if not isinstance(message, dict) or message.get("method") not in CALLS:
            return headers, body
        params = message.get("params")
        if not isinstance(params, dict) or not isinstance(params.get("name"), str):
            return headers, body
        params["name"] = self.prefix + params["name"]
        named = [(key, self.prefix.encode() + value if key == b"mcp-name" else value) for key, value in headers]
        return named, json.dumps(message).encode()

    async def pieces(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """Lines of a stream as they come; another answer at once."""
        try:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                yield self.unprefixed(await answer.aread())
                return
            rest = b""
            async for piece in answer.aiter_bytes():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    head, colon, data = line.partition(b"data: ")
                    yield (head + colon + self.unprefixed(data) if colon and not head else line) + b"\n"
            yield rest
        finally:
            await answer.aclose()

    def unprefixed(self, text: bytes) -> bytes:
        """Lists with the names that the judge knows."""
        message = _parsed(text)
        result = message.get("result") if isinstance(message, dict) else None
        lists = [result[name] for name in LISTS if name in result] if isinstance(result, dict) else []
        for one in (one for many in lists for one in many):
            one["name"] = one["name"].removeprefix(self.prefix)
        return json.dumps(message).encode() if lists else text


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _end_to_end(headers: Headers) -> Headers:
    return [(key, value) for key, value in headers if key.lower() not in HOP]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.protocols.unprefixed", description=__doc__)
    parser.add_argument("url", help="address of the gateway")
    parser.add_argument("prefix", help="what it puts before names")
    given = parser.parse_args()
    pass_on = Unprefixed(given.url, given.prefix)
    app = Starlette(routes=[Route("/mcp", pass_on.__call__, methods=["GET", "POST", "PUT", "DELETE"])])
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    config = uvicorn.Config(app, http="h11", log_level="warning", timeout_graceful_shutdown=1, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
