"""An MCP server that is called where it was made, over MCP, without a network.

@served
def shop(stock, sold):
    server = MCPServer("shop")
    ...
    return server

shop({"GW-301": 18}, {}, calls=[("count", {"sku": "GW-301"})])
"""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Sequence
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

    def __call__(self, *arguments: object, calls: Calls, manager: Manager | None = None) -> Json:
        """What the server offers, and what came of the calls."""


def served(make: Callable[..., MCPServer]) -> Served:
    """The function that makes a server, as one that makes it, calls its tools and tells what came of that.

    `manager` answers what the server asks a person: from the question's words to `{"action": "accept", "content": {}}`.
    It returns `tools` (name, description, parameters) and `results` (is_error, data or text). The function itself
    stays as `make`.
    """

    @wraps(make)
    def use(*arguments: object, calls: Calls, manager: Manager | None = None) -> Json:
        server = make(*arguments)
        if not isinstance(server, MCPServer):
            raise TypeError(f"{make.__name__}() must return the MCPServer, not {type(server).__name__}")
        return _in_a_thread(_used(server, calls, manager))

    use.make = make  # type: ignore[attr-defined]
    return use  # type: ignore[return-value]


async def _used(server: MCPServer, calls: Calls, manager: Manager | None) -> Json:
    async with Client(server, mode="legacy", elicitation_callback=_asking(manager)) as client:
        tools = (await client.list_tools()).tools
        results = [_told(await client.call_tool(name, dict(given))) for name, given in calls]
    return {"tools": [_described(tool) for tool in tools], "results": results}


def _in_a_thread(work: Coroutine[Any, Any, Json]) -> Json:
    """What it returns, in a loop of its own: a cell of a notebook runs in one already. No thread is left behind."""
    before, done, failed = set(threading.enumerate()), list[Json](), list[BaseException]()

    def go() -> None:
        try:
            done.append(asyncio.run(work))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    thread.join()
    for left in set(threading.enumerate()) - before:
        left.join(1)
    if failed:
        raise failed[0]
    return done[0]


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
