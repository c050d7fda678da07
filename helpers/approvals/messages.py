"""Messages of MCP's sampling as a Strands model takes them, and its reply as MCP has it."""

import base64
from collections.abc import Sequence
from typing import Any, cast

from mcp.server.validation import validate_tool_use_result_messages
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    CreateMessageRequestParams,
    CreateMessageResult,
    CreateMessageResultWithTools,
    EmbeddedResource,
    ImageContent,
    SamplingMessage,
    TextContent,
    TextResourceContents,
    ToolResultContent,
    ToolUseContent,
)
from strands.types.content import ContentBlock, Message, Messages
from strands.types.tools import ToolChoice, ToolChoiceAnyDict, ToolSpec

IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
STOP_REASONS = {
    "end_turn": "endTurn",
    "max_tokens": "maxTokens",
    "stop_sequence": "stopSequence",
    "tool_use": "toolUse",
}
Reply = CreateMessageResult | CreateMessageResultWithTools


def with_tools(params: CreateMessageRequestParams) -> bool:
    """Whether the reply may use tools, or says that it does not."""
    return params.tools is not None or params.tool_choice is not None


def to_strands(messages: Sequence[SamplingMessage]) -> Messages:
    """The messages; text, images, and what tools were used with which result.

    Raises:
        MCPError: there is none, one holds something else, or the result of a tool is not after its use.
    """
    if not messages:
        raise MCPError(INVALID_PARAMS, "There is no message to reply to. Send at least one.")
    try:
        validate_tool_use_result_messages(list(messages))
        return [{"role": each.role, "content": [to_block(one) for one in each.content_as_list]} for each in messages]
    except ValueError as error:
        raise MCPError(INVALID_PARAMS, f"The messages cannot be read: {error}.") from error


def tool_specs(params: CreateMessageRequestParams) -> list[ToolSpec]:
    """The tools that the model may use; those of the server, which is who runs them.

    Raises:
        MCPError: one has to be used, and there is none.
    """
    mode = params.tool_choice.mode if params.tool_choice else None
    if mode == "required" and not params.tools:
        raise MCPError(INVALID_PARAMS, "A tool is required, but there is none. Send `tools` with the request.")
    tools = () if mode == "none" else params.tools or ()
    return [
        {"name": tool.name, "description": tool.description or tool.name, "inputSchema": {"json": tool.input_schema}}
        for tool in tools
    ]


def tool_choice(params: CreateMessageRequestParams) -> ToolChoice | None:
    """What Strands calls the server's choice; None leaves it to the model, which is also Strands' default."""
    required: ToolChoiceAnyDict = {"any": {}}
    return required if params.tool_choice and params.tool_choice.mode == "required" else None


def to_mcp(message: Message, stop_reason: str, model: str, params: CreateMessageRequestParams) -> Reply:
    """The reply. Of a model's reasoning nothing is told.

    Raises:
        MCPError: it uses a tool that it was not given, or none though it had to.
    """
    blocks = [said for block in message["content"] if (said := _said(block)) is not None]
    if stop_reason == "max_tokens":  # the arguments of a tool may have been cut off
        blocks = [block for block in blocks if isinstance(block, TextContent)]
    used = {block.name for block in blocks if isinstance(block, ToolUseContent)}
    if used - {spec["name"] for spec in tool_specs(params)}:
        raise MCPError(INVALID_REQUEST, "The model used a tool that it was not given. Ask again, or offer no tools.")
    if tool_choice(params) and not used:
        raise MCPError(INVALID_REQUEST, "The model used no tool, though it had to. Ask again, or require none.")
    told: dict[str, Any] = {"model": model, "stop_reason": STOP_REASONS.get(stop_reason, stop_reason)}
    if with_tools(params):
        return CreateMessageResultWithTools(role="assistant", content=list(blocks) or [text_of("")], **told)
    text = "".join(block.text for block in blocks if isinstance(block, TextContent))
    return CreateMessageResult(role="assistant", content=text_of(text), **told)


def text_of(text: str) -> TextContent:
    """A block of text."""
    return TextContent(type="text", text=text)


def to_block(content: object) -> ContentBlock:
    """One block of what MCP and Strands both have.

    Raises:
        ValueError: it is of a kind that models do not take.
    """
    match content:
        case TextContent():
            return {"text": content.text}
        case ImageContent(mime_type=kind) if kind in IMAGES:
            data = base64.b64decode(content.data, validate=True)
            return cast(ContentBlock, {"image": {"format": IMAGES[kind], "source": {"bytes": data}}})
        case EmbeddedResource(resource=TextResourceContents() as resource):
            return {"text": resource.text}
        case ToolUseContent():
            return {"toolUse": {"toolUseId": content.id, "name": content.name, "input": content.input}}
        case ToolResultContent():
            return _result(content)
    what = getattr(content, "mime_type", None) or getattr(content, "type", "unknown")
    raise ValueError(f"this client takes text and images, not {what}")


def _result(content: ToolResultContent) -> ContentBlock:
    given: list[Any] = [to_block(one) for one in content.content]
    if not given:
        given = [{"text": ""} if content.structured_content is None else {"json": content.structured_content}]
    status: Any = "error" if content.is_error else "success"
    return {"toolResult": {"toolUseId": content.tool_use_id, "status": status, "content": given}}


def _said(block: ContentBlock) -> TextContent | ToolUseContent | None:
    if "text" in block:
        return text_of(block["text"])
    if "toolUse" in block:
        use = block["toolUse"]
        return ToolUseContent(type="tool_use", id=use["toolUseId"], name=use["name"], input=use["input"])
    return None
