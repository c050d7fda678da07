"""The MCP server behind the gateway of `bench.gateway`, asked directly, too; `--tools` says how many it has."""

import argparse

import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from helpers.apps.command import parser


def stock(sku: str, store: str, units: int = 1) -> str:
    """The stock of an article in a store: how many pieces there are, on which shelf, and when more will come."""
    return f"{units} of {sku} in {store}"


def main() -> None:
    """Serve it."""
    arguments = parser(__doc__ or "", agent=False)
    arguments.add_argument("--tools", type=int, default=1)
    given = arguments.parse_args()
    server = MCPServer("bench")
    for number in range(given.tools):
        server.add_tool(stock, name=f"stock-{number}")
    serve(server.streamable_http_app(host=given.host), given)


def serve(app: Starlette, given: argparse.Namespace) -> None:
    """Serve an MCP server, and say that it is well."""
    app.routes.append(Route("/ping", lambda _: JSONResponse({"status": "Healthy"})))
    uvicorn.run(app, host=given.host, port=given.port, log_level="error", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
