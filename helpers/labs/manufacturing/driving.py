"""A learner's MCP server, as a client sees it: what it offers, what it answers, and what it asks in between.

served = through_mcp(factory_server)
await served(["tannau", readings, hours_left], [{"tool": "machines", "arguments": {}}])
"""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mcp.client import Client, ClientRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequestParams, ElicitResult

Row = dict[str, Any]
Drive = Callable[..., Awaitable[Row]]


def through_mcp(make: Callable[..., MCPServer]) -> Drive:
    """What a check takes: a function that makes the server, calls its tools over a session, and tells what came of it.

    It takes the arguments for `make`, the calls, and the answers to what the server asks; without answers, the client
    cannot be asked.
    """

    async def drive(given: Sequence[Any], calls: Sequence[Row], answers: Sequence[Row] | None = None) -> Row:
        server = make(*given)
        if not isinstance(server, MCPServer):
            raise TypeError(f"{make.__name__} returned {type(server).__name__}, not the MCPServer")
        logging.disable(logging.ERROR)  # what a tool raises is told below
        person = Person(answers or [])
        callback = None if answers is None else person.answer
        async with Client(server, mode="legacy", elicitation_callback=callback) as client:
            tools = (await client.list_tools()).tools
            results = [await _called(client, call) for call in calls]
        return {"tools": sorted(tool.name for tool in tools), "results": results, "asked": person.asked}

    return drive


class Person:
    """Answers in the order of a script, and cancels when that is at its end."""

    def __init__(self, answers: Sequence[Row]) -> None:
        self._answers, self.asked = list(answers), list[Row]()

    async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """The next answer."""
        form = getattr(params, "requested_schema", {})
        self.asked.append({"message": params.message, "fields": sorted(form.get("properties", {}))})
        told = self._answers.pop(0) if self._answers else {"action": "cancel"}
        return ElicitResult(action=told["action"], content=told.get("content"))


async def _called(client: Client, call: Row) -> Row:
    """What came of one call: whether it failed, the text, and the structured content."""
    try:
        result = await client.call_tool(call["tool"], call["arguments"])
    except MCPError as error:  # of the protocol: a question that the client cannot answer
        return {"failed": True, "text": str(error), "data": None}
    text = "".join(getattr(block, "text", "") for block in result.content)
    return {"failed": bool(result.is_error), "text": text, "data": result.structured_content or _data(text)}


def _data(text: str) -> Any:  # noqa: ANN401
    """What a tool returned that tells no schema: JSON in its text."""
    try:
        return json.loads(text)
    except ValueError:
        return None
