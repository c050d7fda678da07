"""The MCP server behind the gateway of `bench.approvals`: tools that ask a person, ask a model, and ask nobody."""

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Resolve, Sample
from mcp_types import CreateMessageResult, SamplingMessage, TextContent
from pydantic import BaseModel

from bench.upstream import serve
from helpers.apps import stateful
from helpers.apps.command import parser


class Sure(BaseModel):
    """The form."""

    sure: bool


async def approve(context: Context) -> str:
    """Ask a person."""
    return (await context.elicit("Are you sure?", schema=Sure)).action


def message() -> Sample:
    """What a model is asked."""
    return Sample([SamplingMessage(role="user", content=TextContent(type="text", text="Hello."))], max_tokens=10)


def sample(reply: Annotated[CreateMessageResult, Resolve(message)]) -> str:
    """Ask a model."""
    return reply.model


def plain() -> str:
    """Ask nobody."""
    return "plain"


def main() -> None:
    """Serve it."""
    given = parser(__doc__ or "", agent=False).parse_args()
    server = MCPServer("bench")
    for tool in (approve, sample, plain):
        server.add_tool(tool)
    serve(stateful.application(server, [], host=given.host), given)


if __name__ == "__main__":
    main()
