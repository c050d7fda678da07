"""An MCP server as a runtime, for tests: one tool, and how often it was called in this session."""

import os

import uvicorn
from mcp.server.mcpserver import MCPServer

from helpers.apps.command import parser

server = MCPServer("counter")
calls: list[int] = []


@server.tool()
def count(step: int) -> str:
    """Count on."""
    calls.append(step)
    return f"{sum(calls)} in process {os.getpid()}"


if __name__ == "__main__":
    given = parser(__doc__, agent=False).parse_args()
    app = server.streamable_http_app(stateless_http=True, host=given.host)
    uvicorn.run(app, host=given.host, port=given.port, timeout_graceful_shutdown=1)
