"""Bedrock's Converse in the words of OpenAI's chat, and back: the local model stands in for one of cloud scale.

Text, tools and the form of an answer are mapped. What would change the answer and a small text model cannot do (images,
documents) is refused by name; what only concerns AWS's own machines (service tiers, latency) has no effect.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from helpers.region.errors import ValidationError

Json = dict[str, Any]

STOP_REASONS = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "content_filter": "content_filtered",
}
UNSUPPORTED = ("promptVariables", "additionalModelRequestFields")
LIMITS = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "stopSequences": "stop"}


def to_chat(params: Json) -> Json:
    """The chat request for a Converse request, without the model.

    Raises:
        ValidationError: it asks for something that the stand-in cannot do.
    """
    for name in UNSUPPORTED:
        if params.get(name):
            raise ValidationError(f"The local model that stands in for Bedrock's does not know {name}. Leave it out.")
    if not params.get("messages"):
        raise ValidationError("A conversation must have at least one message: stored prompts are not here.")
    messages = [_system(params["system"])] if params.get("system") else []
    for message in params["messages"]:
        messages += _messages(message["role"], message["content"])
    limits = params.get("inferenceConfig") or {}
    chat = {"messages": messages} | {LIMITS[name]: value for name, value in limits.items()}
    return chat | _tools(params.get("toolConfig") or {}) | _schema(params.get("outputConfig") or {})


def from_chat(answer: Json, model: str, milliseconds: int) -> Json:
    """The result of Converse for an answer."""
    choice = answer["choices"][0]
    message = choice["message"]
    content: list[Json] = [{"text": message["content"]}] if message.get("content") else []
    for call in message.get("tool_calls") or []:
        use = {"toolUseId": call["id"], "name": call["function"]["name"]}
        content.append({"toolUse": use | {"input": _arguments(call["function"]["arguments"])}})
    return {
        "output": {"message": {"role": "assistant", "content": content or [{"text": ""}]}},
        "stopReason": STOP_REASONS.get(choice["finish_reason"], "end_turn"),
        "usage": usage(answer["usage"]),
        "metrics": {"latencyMs": milliseconds},
        "additionalModelResponseFields": stand_in(model),
    }


class Events:
    """The events of ConverseStream, made from the pieces of a streamed answer as they come."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.block = -1  # the content block that is open, if `open`
        self.open: str | int | None = None  # "text", or the number of a tool call
        self.reason = "stop"
        self.usage: Json = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    def of(self, pieces: Iterable[Json]) -> Iterator[Json]:
        """All events up to the last but `metadata`."""
        yield {"messageStart": {"role": "assistant"}}
        for piece in pieces:
            self.usage = piece.get("usage") or self.usage
            for choice in piece["choices"]:
                self.reason = choice.get("finish_reason") or self.reason
                yield from self._delta(choice["delta"])
        yield from self._close()
        fields = {"additionalModelResponseFields": stand_in(self.model)}
        yield {"messageStop": {"stopReason": STOP_REASONS.get(self.reason, "end_turn")} | fields}

    def _delta(self, delta: Json) -> Iterator[Json]:
        if delta.get("content"):
            yield from self._begin("text", None)
            yield self._piece({"text": delta["content"]})
        for call in delta.get("tool_calls") or []:
            function = call["function"]
            yield from self._begin(call["index"], {"toolUseId": call.get("id"), "name": function.get("name")})
            if function.get("arguments"):
                yield self._piece({"toolUse": {"input": function["arguments"]}})

    def _begin(self, what: str | int, use: Json | None) -> Iterator[Json]:
        if self.open == what:
            return
        yield from self._close()
        self.open = what
        self.block += 1
        if use:
            yield {"contentBlockStart": {"contentBlockIndex": self.block, "start": {"toolUse": use}}}

    def _piece(self, delta: Json) -> Json:
        return {"contentBlockDelta": {"contentBlockIndex": self.block, "delta": delta}}

    def _close(self) -> Iterator[Json]:
        if self.open is not None:
            yield {"contentBlockStop": {"contentBlockIndex": self.block}}
        self.open = None


def usage(used: Json) -> Json:
    """Tokens, in Bedrock's words."""
    return {
        "inputTokens": used["prompt_tokens"],
        "outputTokens": used["completion_tokens"],
        "totalTokens": used["total_tokens"],
    }


def stand_in(model: str) -> Json:
    """What tells that no model of Bedrock's has answered, and which has."""
    return {"standIn": {"model": model, "note": "a local model answers for Bedrock in this Region on a laptop"}}


def _system(blocks: list[Json]) -> Json:
    return {"role": "system", "content": "\n".join(block["text"] for block in _known(blocks, "text"))}


def _messages(role: str, blocks: list[Json]) -> list[Json]:
    """One message of Converse; results of tools are messages by themselves in a chat."""
    blocks = _known(blocks, "text", "toolUse", "toolResult")
    results = [_result(block["toolResult"]) for block in blocks if "toolResult" in block]
    text = "\n".join(block["text"] for block in blocks if "text" in block)
    calls = [_call(block["toolUse"]) for block in blocks if "toolUse" in block]
    said = [{"role": role, "content": text} | ({"tool_calls": calls} if calls else {})] if text or calls else []
    return results + said


def _known(blocks: list[Json], *kinds: str) -> list[Json]:
    """The blocks, without marks for a cache, which changes no answer."""
    for block in blocks:
        if other := block.keys() - {*kinds, "cachePoint"}:
            raise ValidationError(f"The local model that stands in for Bedrock's cannot read {', '.join(other)}.")
    return [block for block in blocks if "cachePoint" not in block]


def _result(result: Json) -> Json:
    parts = _known(result["content"], "text", "json")
    said = [part["text"] if "text" in part else json.dumps(part["json"]) for part in parts]
    return {"role": "tool", "tool_call_id": result["toolUseId"], "content": "\n".join(said)}


def _call(use: Json) -> Json:
    function = {"name": use["name"], "arguments": json.dumps(use["input"])}
    return {"id": use["toolUseId"], "type": "function", "function": function}


def _tools(config: Json) -> Json:
    if not config:
        return {}
    specs = [tool["toolSpec"] for tool in _known(config["tools"], "toolSpec")]
    functions = [
        {"name": spec["name"], "description": spec.get("description", ""), "parameters": spec["inputSchema"]["json"]}
        for spec in specs
    ]
    choice = config.get("toolChoice") or {}
    if "tool" in choice:  # llama.cpp takes no name: so only that tool is offered, and one must be called
        functions = [function for function in functions if function["name"] == choice["tool"]["name"]]
    chat: Json = {"tools": [{"type": "function", "function": function} for function in functions]}
    return chat | ({"tool_choice": "required"} if choice.keys() & {"any", "tool"} else {})


def _schema(config: Json) -> Json:
    """The form that the answer must have: llama.cpp lets the model write nothing else."""
    if "textFormat" not in config:
        return {}
    given = config["textFormat"]["structure"]["jsonSchema"]
    try:
        schema = json.loads(given["schema"])
    except ValueError:
        raise ValidationError("The schema in outputConfig is not JSON.") from None
    definition = {"name": given.get("name", "answer"), "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": definition}}


def _arguments(text: str) -> Json:
    """Arguments as an object; what a model has garbled is handed over as it is, so that the tool's check speaks."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {"unreadable": text}
    return found if isinstance(found, dict) else {"unreadable": text}
