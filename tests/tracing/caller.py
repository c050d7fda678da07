"""A traced program that asks a peer over A2A and a tool over MCP, in one span.

python -m tests.tracing.caller PEER TOKEN INVENTORY TOKEN
"""

import asyncio
import sys

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach
from opentelemetry.trace import get_tracer
from strands.agent.a2a_agent import A2AAgent
from strands.tools.mcp import MCPClient

from helpers.apps.command import run
from helpers.apps.peers import peer

ARTICLE = {"sku": "GT-201", "store": "falkenried"}


async def with_a_session(url: str, token: str) -> None:
    """The same tool in MCP 2025-11-25, which Strands' client does not speak where it need not."""
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client,
        streamable_http_client(url, http_client=client) as (read, write),
        ClientSession(read, write) as session,
    ):
        begun = await session.initialize()
        with get_tracer("caller").start_as_current_span(f"by {begun.protocol_version}"):
            await session.call_tool("stock", ARTICLE)


def main() -> None:
    peer_url, peer_token, url, token = sys.argv[1:]
    attach(set_baggage("session.id", "s-1"))
    with get_tracer("caller").start_as_current_span("question") as question:
        config = peer(peer_url, peer_token)
        print(A2AAgent(peer_url, client_config=config)("echo P-1001").message["content"])
        with MCPClient(url=f"{url}/mcp", headers={"Authorization": f"Bearer {token}"}) as tools:
            print(tools.call_tool_sync("1", "stock", ARTICLE)["status"])
        asyncio.run(with_a_session(f"{url}/mcp", token))
    print(f"trace {question.get_span_context().trace_id:032x}")


if __name__ == "__main__":
    run(main)
