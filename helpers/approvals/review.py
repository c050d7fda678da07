"""A person sees, and may change, what a model is asked in a server's name, and what it replied."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from mcp.shared.exceptions import MCPError
from mcp_types import CreateMessageRequestParams, SamplingMessage, TextContent

from helpers.approvals.desk import Occasion
from helpers.approvals.forms import faults
from helpers.approvals.messages import Reply, text_of
from helpers.approvals.question import Answer, Approver, Question

REJECTED = -1  # the code that MCP's specification has for it
SHORT = 300  # characters of a text that is not the one to be changed


class Review:
    """Both looks at one request, until `deadline`; the occasion is told who had the last word, and what changed."""

    def __init__(self, approver: Approver, occasion: Occasion, deadline: float) -> None:
        self.approver, self.occasion = approver, occasion
        self.about = replace(occasion.question, deadline=deadline)

    async def prompt(self, params: CreateMessageRequestParams) -> CreateMessageRequestParams:
        """The request as the person wants it: with the text of the last message as it stands, or changed.

        Raises:
            MCPError: the person does not want it, or did not answer as the form has it.
        """
        earlier, last = params.messages[:-1], params.messages[-1]
        lines = [
            f"{self.about.server or 'A server'} wants a model to reply{_for(self.about)}.",
            *([f"System prompt: {_short(params.system_prompt)}"] if params.system_prompt else ()),
            *(f"{message.role}: {_shown(message.content_as_list)}" for message in earlier),
            *([f"Tools: {_short(', '.join(tool.name for tool in params.tools))}"] if params.tools else ()),
        ]
        text = _text(last.content_as_list)
        rest = [block for block in last.content_as_list if not isinstance(block, TextContent)]
        if rest:
            lines.append(f"{last.role}: {_shown(rest)}")
        new = await self._ask("prompt", lines, text)
        if new == text:
            return params
        changed = SamplingMessage(role=last.role, content=[text_of(new or ""), *rest])
        return params.model_copy(update={"messages": [*earlier, changed]})

    async def reply(self, reply: Reply) -> Reply:
        """The reply as the person wants it.

        Raises:
            MCPError: as `prompt` does.
        """
        blocks = reply.content if isinstance(reply.content, list) else [reply.content]
        rest = [block for block in blocks if not isinstance(block, TextContent)]
        lines = [f"{reply.model} replied{_for(self.about)}. This goes to {self.about.server or 'the server'}."]
        if rest:
            lines.append(f"It uses: {_shown(rest)}")
        text = _text(blocks)
        new = await self._ask("reply", lines, text)
        if new == text:
            return reply
        content = [text_of(new or ""), *rest] if isinstance(reply.content, list) else text_of(new or "")
        return reply.model_copy(update={"content": content})

    async def _ask(self, field: str, lines: Iterable[str], text: str | None) -> str | None:
        """The text that the person leaves in the field; without a text there is no field, but still a question."""
        fields = {} if text is None else {field: {"type": "string", "title": field.capitalize(), "default": text}}
        schema: dict[str, Any] = {"type": "object", "properties": fields}
        question = replace(self.about, id=uuid4().hex, message="\n".join(lines), schema=schema)
        answer = await self.approver.answer(question)
        if not isinstance(answer, Answer) or answer.action != "accept":
            raise MCPError(REJECTED, "User rejected sampling request")
        if faults(schema, answer.content):
            raise MCPError(REJECTED, f"The {field} was not reviewed as the form has it. Ask again.")
        self.occasion.reviewed_by = answer.by
        new: str | None = answer.content.get(field, text) if fields else text
        if new != text:
            self.occasion.changed.append(field)
        return new


def _for(about: Question) -> str:
    return f" in the course of {about.tool}" if about.tool else ""


def _text(blocks: Iterable[object]) -> str | None:
    """All the text; None if there is none, but tools or images."""
    texts = [block.text for block in blocks if isinstance(block, TextContent)]
    return "\n".join(texts) if texts else None


def _shown(blocks: Iterable[Any]) -> str:
    """What a message holds, in short: what is no text as JSON, and data only as a number of bytes."""
    shown = []
    for block in blocks:
        if isinstance(block, TextContent):
            shown.append(_short(block.text))
        elif hasattr(block, "mime_type"):
            shown.append(f"[{_short(block.mime_type)}, {len(block.data) * 3 // 4:,} bytes]")
        else:
            told = block.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"meta"})
            shown.append(_short(json.dumps(told, ensure_ascii=False)))
    return " ".join(shown)


def _short(text: str) -> str:
    """On one line, so that no text can look like one of the others; what is cut off is said."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT else f"{line[:SHORT]}… ({len(line):,} characters)"
