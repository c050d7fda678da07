"""Tools of a site, served over MCP."""

import argparse

from mcp.server.mcpserver import MCPServer
from starlette.routing import Route

from helpers.apps import stateful
from helpers.apps.command import SECONDS, hosts
from helpers.apps.serving import guards, identity, listen, ping
from helpers.inference.http import PING


def serve_mcp(server: MCPServer, given: argparse.Namespace, question_seconds: float = SECONDS) -> None:
    """Serve the tools over MCP, at `/mcp`, until the program is ended; their questions wait so long for an answer."""
    name, key = identity(server.name)
    guarded = guards(name, key, hosts(given))
    app = stateful.application(server, guarded, host=given.host, question_seconds=question_seconds)
    app.routes.append(Route(PING, ping))
    listen(app, given)
