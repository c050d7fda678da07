"""A model that replies from a script, and servers that want its reply."""

import asyncio
from typing import Annotated, TypedDict, Unpack

from mcp.client import Client
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.resolve import Resolve, Sample
from mcp_types import (
    CreateMessageResult,
    CreateMessageResultWithTools,
    SamplingCapability,
    SamplingMessage,
    SamplingToolsCapability,
    TextContent,
    Tool,
)

from tests.scripted_model import ScriptedModel, text, use

TOOLS = SamplingCapability(tools=SamplingToolsCapability())
PRICE = Tool(name="price", description="The price of an article.", input_schema={"type": "object", "properties": {}})


class Scripted(ScriptedModel):
    """Replies with its lines in their order, then with the last; a line is text, the use of a tool, or an error."""

    class Config(TypedDict, total=False):
        model_id: str
        max_tokens: int
        temperature: float
        stop_sequences: list[str]

    def __init__(self, *lines, stop="end_turn", **config):
        self.lines, self.stop, self.config = list(lines) or ["good"], stop, dict(config)
        self.asked = []  # messages, system prompt, tools, choice and configuration of each request

    def update_config(self, **model_config: Unpack[Config]):
        self.config.update(model_config)

    def get_config(self):
        return self.config

    async def stream(self, messages, tool_specs=None, system_prompt=None, *, tool_choice=None, **options):
        self.asked.append((messages, system_prompt, tool_specs, tool_choice, dict(self.config)))
        line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if isinstance(line, Exception):
            raise line
        if line is None:
            await asyncio.Event().wait()
        yield {"messageStart": {"role": "assistant"}}
        for event in text(line) if isinstance(line, str) else use("use-1", *line):
            yield event
        yield {"messageStop": {"stopReason": self.stop}}


def said(text, role="user"):
    """A message."""
    return SamplingMessage(role=role, content=TextContent(type="text", text=text))


def server(*messages, **options):
    """A server whose tool `describe` wants a model's reply to the messages; `got` has what it was given."""
    shop = MCPServer("shop")
    shop.got = []

    def wanted() -> Sample:
        return Sample(list(messages) or [said("Describe a spade.")], **{"max_tokens": 50, **options})

    Kind = CreateMessageResultWithTools if "tools" in options else CreateMessageResult

    @shop.tool()
    def describe(reply: Annotated[Kind, Resolve(wanted)]) -> str:
        """Describe an article."""
        shop.got.append(reply)
        return "described"

    return shop


def describe(shop, desk, era, call=None):
    """Call its tool."""

    async def called():
        async with Client(
            shop, mode=era, sampling_callback=desk.sample, sampling_capabilities=TOOLS, elicitation_callback=desk.elicit
        ) as client:
            if call is None:
                return await client.call_tool("describe")
            async with desk.running(call):
                return await client.call_tool("describe")

    return asyncio.run(called())
