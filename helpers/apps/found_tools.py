"""The tools of a gateway that fit a question, for an agent of Strands: found by the gateway's search.

Strands' MCP client lists all tools; this lists none, asks for those that fit, and calls them through that client.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from mcp_types import Tool
from strands.tools import ToolProvider
from strands.tools.mcp import MCPAgentTool, MCPClient
from strands.types.tools import AgentTool

SEARCH = "x_amz_bedrock_agentcore_search"


class NoSearch(Exception):
    """The gateway did not say which tools fit."""


class FoundTools(ToolProvider):
    """At most `most` tools of the gateway behind `client`, which has to be connected as long as they are used."""

    def __init__(self, client: MCPClient, question: str, most: int = 5) -> None:
        self.client, self.question, self.most = client, question, most

    async def load_tools(self, **_: Any) -> Sequence[AgentTool]:  # noqa: ANN401 - as Strands has it
        """Search.

        Raises:
            NoSearch: the gateway has no search, or it failed.
        """
        answer = await self.client.call_tool_async(str(uuid4()), SEARCH, {"query": self.question})
        if answer["status"] != "success":
            said = " ".join(part.get("text", "") for part in answer["content"])
            raise NoSearch(f"{said} A gateway has a search if it is created with searchType SEMANTIC.")
        found = answer["structuredContent"]["tools"][: self.most]
        return [MCPAgentTool(Tool.model_validate(tool), self.client) for tool in found]

    def add_consumer(self, consumer_id: Any, **_: Any) -> None:  # noqa: ANN401
        """Nothing: the client is its owner's."""

    def remove_consumer(self, consumer_id: Any, **_: Any) -> None:  # noqa: ANN401
        """Nothing: the client is its owner's."""
