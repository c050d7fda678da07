"""An MCP server that is called where it was made, over MCP, without a network.

    @served
    def shop(stock, sold):
        server = MCPServer("shop")
        ...
        return server

    await shop({"GW-301": 18}, {}, calls=[("count", {"sku": "GW-301"})])
"""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Protocol

from mcp.client import Client, ClientRequestContext
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent, Tool

Json = dict[str, Any]
Calls = Sequence[tuple[str, Json]]
Manager = Callable[[str], Json]


class Served(Protocol):
    """What a decorated function has become."""

    make: Callable[..., MCPServer]

    async def __call__(self, *arguments: object, calls: Calls, manager: Manager | None = None) -> Json:
        """What the server offers, and what came of the calls."""


def served(make: Callable[..., MCPServer]) -> Served:
    """The function that makes a server, as one that makes it, calls its tools and tells what came of that.

    `manager` answers what the server asks a person: from the question's words to `{"action": "accept", "content": {}}`.
    It returns `tools` (name, description, parameters) and `results` (is_error, data or text). The function itself
    stays as `make`.
    """

    @wraps(make)
    async def use(*arguments: object, calls: Calls, manager: Manager | None = None) -> Json:
        server = make(*arguments)
        if not isinstance(server, MCPServer):
            raise TypeError(f"{make.__name__}() must return the MCPServer, not {type(server).__name__}")
        async with Client(server, mode="legacy", elicitation_callback=_asking(manager)) as client:
            tools = (await client.list_tools()).tools
            results = [_told(await client.call_tool(name, dict(given))) for name, given in calls]
        return {"tools": [_described(tool) for tool in tools], "results": results}

    use.make = make  # type: ignore[attr-defined]
    return use  # type: ignore[return-value]


def _asking(manager: Manager | None) -> Any:  # noqa: ANN401 - a callback of the SDK, or none
    if manager is None:
        return None

    async def ask(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        said = manager(params.message)
        return ElicitResult(action=said["action"], content=said.get("content"))

    return ask


def _described(tool: Tool) -> Json:
    return {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": sorted(tool.input_schema.get("properties", {})),
    }


def _told(result: CallToolResult) -> Json:
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    return {"is_error": bool(result.is_error), "text": text, "data": _data(result, text)}


def _data(result: CallToolResult, text: str) -> Any:  # noqa: ANN401 - JSON
    """What a tool returned: as data, or read from its text when it does not say what it returns."""
    told = result.structured_content
    if told is not None:
        return told["result"] if set(told) == {"result"} else told
    try:
        return json.loads(text)
    except ValueError:
        return None
