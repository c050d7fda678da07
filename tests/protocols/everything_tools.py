"""The tools of the server `everything` that ask nobody: kinds of content, progress, logs, errors, schemas, headers."""

import asyncio
from typing import Annotated, Any

import mcp_types as types
from mcp import MCPError
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"  # one, red
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
IMAGE = types.ImageContent(type="image", data=PIXEL, mime_type="image/png")
PAUSE = 0.05  # seconds between two messages, as the suite asks, so that they come one by one

SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def _embedded(uri: str, mime_type: str, text: str) -> types.EmbeddedResource:
    contents = types.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return types.EmbeddedResource(type="resource", resource=contents)


def test_simple_text() -> str:
    """A text."""
    return "This is a simple text response for testing."


def test_image_content() -> list[types.ImageContent]:
    """An image."""
    return [IMAGE]


def test_audio_content() -> list[types.AudioContent]:
    """A sound."""
    return [types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")]


def test_embedded_resource() -> list[types.EmbeddedResource]:
    """A resource."""
    return [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


def test_multiple_content_types() -> list[types.ContentBlock]:
    """A text, an image and a resource."""
    text = types.TextContent(type="text", text="Multiple content types test:")
    data = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return [text, IMAGE, data]


def test_error_handling() -> str:
    """An error, always."""
    raise ToolError("This tool intentionally returns an error for testing")


async def test_tool_with_logging(context: Context) -> str:
    """Three log messages, then an answer."""
    for step in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.info(step)
        await asyncio.sleep(PAUSE)
    return "Logged."


async def test_tool_with_progress(context: Context) -> str:
    """Progress 0, 50 and 100 of 100, then an answer."""
    for progress in (0, 50, 100):
        await context.report_progress(progress, 100)
        await asyncio.sleep(PAUSE)
    return "Progressed."


async def test_logging_tool(context: Context) -> str:
    """A log message, for requests that ask for logs."""
    await context.info("Only for requests with a log level")
    return "Logged."


async def test_reconnection(context: Context) -> str:
    """Closes the stream in the middle of the call; the answer waits for a client that comes again."""
    await asyncio.sleep(10 * PAUSE)  # the SDK sends the stream's first event beside the call; closed before, it is lost
    await context.close_sse_stream()
    await asyncio.sleep(2 * PAUSE)
    return "Reconnected."


async def test_missing_capability(context: Context) -> str:
    """An answer for clients that can sample, a refusal for others."""
    if (has := context.client_capabilities) is None or has.sampling is None:
        needed = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(code=types.MISSING_REQUIRED_CLIENT_CAPABILITY, message="Needs sampling", data=needed)
    return "You can sample."


async def test_trigger_tool_change(context: Context) -> str:
    """Tells subscribers that the list of tools changed."""
    await context.notify_tools_changed()
    return "Told."


async def test_trigger_prompt_change(context: Context) -> str:
    """Tells subscribers that the list of prompts changed."""
    await context.notify_prompts_changed()
    return "Told."


def test_header(label: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Label"})]) -> str:
    """An argument that is a header of the request too."""
    return label


def json_schema_2020_12_tool() -> str:
    """A tool whose schema has what is new in JSON Schema 2020-12."""
    return "Whatever was given."


TOOLS = [
    test_simple_text,
    test_image_content,
    test_audio_content,
    test_embedded_resource,
    test_multiple_content_types,
    test_error_handling,
    test_tool_with_logging,
    test_tool_with_progress,
    test_logging_tool,
    test_reconnection,
    test_missing_capability,
    test_trigger_tool_change,
    test_trigger_prompt_change,
    test_header,
    json_schema_2020_12_tool,
]


def tools(prefix: str) -> list[Tool]:
    """These tools, with a prefix to their names. No schema for answers: the suite's answers are content only."""
    made = [Tool.from_function(tool, name=prefix + tool.__name__, structured_output=False) for tool in TOOLS]
    made[-1] = made[-1].model_copy(update={"parameters": SCHEMA_2020_12})  # no annotation of Python gives this one
    return made
