"""The MCP SDK's own client towards a program at site b, as programs of a reach it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

T = TypeVar("T")


def talk(network: Any, program: Any, work: Callable[[Client], Awaitable[T]], mode: str = "auto") -> T:
    """What `work` makes of a client that is connected; in `mode` legacy as up to version 2025-11-25, with a session."""
    headers = {"Authorization": f"Bearer {network.issuer.token('a', program.identity)}"}

    async def connected() -> T:
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            transport = streamable_http_client(f"{program.url_from('a')}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                return await work(client)

    return asyncio.run(connected())


def call(network: Any, program: Any, name: str, **arguments: Any) -> Any:
    """The structured content of a tool's answer; of one that failed, its text as an error."""
    answer = talk(network, program, lambda client: client.call_tool(name, arguments))
    if answer.is_error:
        raise ToolFailed(answer.content[0].text)
    content = answer.structured_content
    return content["result"] if set(content) == {"result"} else content


class ToolFailed(Exception):
    """A tool answered with an error."""
