"""One answer of any model: Strands' model classes speak to Ollama, llama.cpp, vLLM and Bedrock; here they are asked."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import ollama
from strands.models import Model
from strands.models.bedrock import BedrockModel
from strands.models.llamacpp import LlamaCppModel
from strands.models.ollama import OllamaModel
from strands.models.openai import OpenAIModel
from strands.types.content import Messages
from strands.types.tools import ToolSpec

from helpers.evaluation.cases import Case, Turn
from helpers.evaluation.errors import ModelUnknown
from helpers.evaluation.scoring import Call, Reply
from helpers.inference import endpoint
from helpers.settings import settings

MAX_TOKENS = 400
SERVERS = "ollama:NAME, llamacpp:NAME, vllm:NAME or bedrock:MODEL-ID"


@dataclass(frozen=True)
class Evaluated:
    """A model, and what makes its answers what they are: a run goes on only with the same."""

    model: Model
    about: Mapping[str, Any] = field(default_factory=dict)

    def configuration(self) -> dict[str, Any]:
        """Class and settings of the model with `about`; addresses are left out, for a port says nothing."""
        known = {"class": type(self.model).__name__, **cast(dict[str, Any], self.model.get_config()), **self.about}
        read: dict[str, Any] = json.loads(json.dumps(known, default=str, sort_keys=True))
        return read


def model_at(name: str = "", max_tokens: int = MAX_TOKENS) -> Evaluated:
    """The model that `name` says, with temperature 0; the kit's chat model on its Ollama server if none.

        model_at("llamacpp:qwen2.5-coder:1.5b")

    Ollama tells weights, template and parameters, so that a run does not go on with others.

    Raises:
        ModelUnknown: the name does not begin with a server, or Ollama does not have the model.
        EndpointFailed: the kit's endpoint does not start.
    """
    server, _, model = (name or f"ollama:{settings().chat_model}").partition(":")
    if not model:
        raise ModelUnknown(f"{name!r} does not say which server has the model. Write {SERVERS}.")
    params = {"temperature": 0, "max_tokens": max_tokens}
    match server:
        case "ollama":
            host = endpoint("ollama")
            made: Model = OllamaModel(host, model_id=model, temperature=0, max_tokens=max_tokens)
            return Evaluated(made, _told_by_ollama(host, model))
        case "llamacpp":
            made = LlamaCppModel(base_url=endpoint("llamacpp"), model_id=model, params=cast(Any, params))
        case "vllm":
            client = {"base_url": f"{endpoint('vllm')}/v1", "api_key": "none"}
            made = OpenAIModel(client_args=client, model_id=model, params=params)
        case "bedrock":
            made = BedrockModel(model_id=model, temperature=0, max_tokens=max_tokens)
        case _:
            raise ModelUnknown(f"There is no server {server!r} here. Write {SERVERS}.")
    return Evaluated(made)


def _told_by_ollama(host: str, model: str) -> dict[str, str]:
    client = ollama.Client(host)
    try:
        shown = client.show(model)
    except ollama.ResponseError as error:
        raise ModelUnknown(
            f"The server has no model {model!r} ({error.error}). See which it has: ollama list, or "
            "python -m helpers.inference list"
        ) from error
    weights = next((each.digest for each in client.list().models if each.model == model), None)
    return {
        "weights": (weights or "")[:12],
        "template": _fingerprint(shown.template or ""),
        "parameters": _fingerprint(shown.parameters or ""),
    }


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


async def ask(model: Model, case: Case, messages: Messages) -> Reply:
    """The model's answer to `messages`, with the tools and the system prompt of `case`.

    Raises:
        Exception: whatever the model's class raises.
    """
    specs = [
        ToolSpec(name=tool.name, description=tool.description or tool.name, inputSchema={"json": tool.schema_})
        for tool in case.tools
    ]
    started = time.perf_counter()
    texts: list[str] = []
    calls: list[tuple[str, list[str]]] = []
    usage: Mapping[str, int] = {}
    async for event in model.stream(messages, specs, case.system or None):
        if use := event.get("contentBlockStart", {}).get("start", {}).get("toolUse"):
            calls.append((use["name"], []))
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        texts.append(delta.get("text") or "")
        if part := delta.get("toolUse", {}).get("input"):
            calls[-1][1].append(part)
        usage = cast(Mapping[str, int], event.get("metadata", {}).get("usage") or usage)
    return Reply(
        calls=[_call(name, "".join(parts)) for name, parts in calls],
        text="".join(texts),
        seconds=round(time.perf_counter() - started, 3),
        tokens_in=usage.get("inputTokens"),
        tokens_out=usage.get("outputTokens"),
    )


def _call(name: str, raw: str) -> Call:
    try:
        arguments = json.loads(raw or "{}")
    except ValueError:
        arguments = None
    return Call(name=name, arguments=arguments if isinstance(arguments, dict) else None, raw=raw)


def continued(messages: Messages, turn: Turn, reply: Reply, order: list[int]) -> Messages:
    """The conversation with the model's own right answer, and what the tools say to its calls.

    `order` gives, for each expected call of `turn`, the call of `reply` that it is.
    """
    blocks: list[Any] = [{"text": reply.text}] if reply.text.strip() else []
    ids = [f"call_{len(messages)}_{number}" for number in range(len(reply.calls))]
    for id_, call in zip(ids, reply.calls, strict=True):
        blocks.append({"toolUse": {"toolUseId": id_, "name": call.name, "input": call.arguments}})
    said: Messages = [{"role": "assistant", "content": blocks or [{"text": "."}]}]
    results: dict[int, str] = dict(zip(order, turn.results, strict=False))
    answers: list[Any] = [
        {"toolResult": {"toolUseId": id_, "status": "success", "content": [{"text": results.get(number, "done")}]}}
        for number, id_ in enumerate(ids)
    ]
    if answers:
        said.append({"role": "user", "content": answers})
    return [*messages, *said]


def asked(messages: Messages, question: str | None) -> Messages:
    """The conversation with one more question; after results it stands in the same message, as Bedrock wants it."""
    if question is None:
        return messages
    block: Any = {"text": question}
    if messages and messages[-1]["role"] == "user":
        return [*messages[:-1], {"role": "user", "content": [*messages[-1]["content"], block]}]
    return [*messages, {"role": "user", "content": [block]}]
