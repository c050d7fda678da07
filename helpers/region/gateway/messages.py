"""Messages of JSON-RPC as MCP uses them, and how they are refused; as JSON and as events of a stream."""

import json
from collections.abc import AsyncIterator
from typing import Any

from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS

Json = dict[str, Any]

UNAUTHORIZED = -32001
INVALID = -32602  # parameters
NOT_FOUND = -32002  # a resource
MOST = 6 * 2**20  # bytes of a message, either way: AgentCore Gateway's quota
TOO_LARGE = f"A message has at most {MOST:,} bytes."
TOO_DEEP = "The JSON is nested too deeply."


class Refused(Exception):
    """A request that is answered with an error of JSON-RPC."""

    def __init__(
        self, code: int, message: str, status: int | None = None, data: Json | None = None, **headers: str
    ) -> None:
        """`status` is HTTP's, where the protocol's version does not say it; `headers` have `_` for `-`."""
        super().__init__(message)
        self.code, self.message, self.data, self.given = code, message, data, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def status(self, modern: bool) -> int:
        """HTTP's status, unless it was given."""
        return self.given or status(self.code, modern)

    def answer(self, to: Any) -> Json:  # noqa: ANN401 - an id
        """The message, for the request with the id `to`."""
        return error(to, self.code, self.message, self.data)


def status(code: int, modern: bool) -> int:
    """HTTP's status of an error: with sessions it is an answer like others, without it has one of its own."""
    return ERROR_CODE_HTTP_STATUS.get(code, 200) if modern else 200


def result(to: Any, value: Json) -> Json:  # noqa: ANN401 - an id
    """A message that answers the request with the id `to`."""
    return {"jsonrpc": "2.0", "id": to, "result": value}


def error(to: Any, code: int, message: str, data: Json | None = None) -> Json:  # noqa: ANN401 - an id
    """A message that refuses the request with the id `to`."""
    return {"jsonrpc": "2.0", "id": to, "error": {"code": code, "message": message} | ({"data": data} if data else {})}


def text(words: str, failed: bool = False, **more: Any) -> Json:  # noqa: ANN401 - members of a result
    """The result of a tool that says something."""
    return {"content": [{"type": "text", "text": words}], "isError": failed, **more}


def encode(message: Json) -> bytes:
    """A message as JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def event(message: Json) -> bytes:
    """A message as an event of a stream."""
    return b"event: message\ndata: " + encode(message) + b"\n\n"


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The messages of a stream of events, each as soon as it is there, as JSON.

    Raises:
        ValueError: one is larger than `MOST`.
    """
    rest = b""
    async for piece in pieces:
        rest = (rest + piece).replace(b"\r\n", b"\n")
        *whole, rest = rest.split(b"\n\n")
        for block in whole:
            if data := _data(block):
                yield data
        if len(rest) > MOST:
            raise ValueError(TOO_LARGE)


def _data(block: bytes) -> bytes:
    lines = (line.removeprefix(b"data:") for line in block.split(b"\n") if line.startswith(b"data:"))
    return b"\n".join(line.removeprefix(b" ") for line in lines)


def decode(data: bytes) -> Json:
    """A message from its JSON.

    Raises:
        ValueError: it is no JSON object, or nested too deeply to be one of MCP.
    """
    try:
        message = json.loads(data)
    except RecursionError as found:
        raise ValueError(TOO_DEEP) from found
    if not isinstance(message, dict):
        raise ValueError("A message is one JSON object.")
    return message
