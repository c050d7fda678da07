"""Bedrock's Converse and ConverseStream as actions of moto's service, answered by the local model endpoint."""

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import openai
from moto.bedrockruntime.responses import BedrockRuntimeResponse
from moto.core.eventstream import EventStream, EventStreamEncoder
from moto.core.responses import ActionContext, ActionResult
from moto.core.serialize import EventStreamJSONSerializer

from helpers.inference import endpoint
from helpers.region.checks import Checked
from helpers.region.converse import Events, Json, from_chat, to_chat, usage
from helpers.region.errors import ModelError, ValidationError
from helpers.settings import settings

EVENTS = "application/vnd.amazon.eventstream"


class Streamed(ActionResult):  # type: ignore[misc]
    """A result whose events are sent as they come; moto's own collects them first."""

    def execute_result(self, context: ActionContext) -> Any:  # noqa: ANN401 - moto's type
        operation = context.operation_model
        stream = EventStream(self.result, operation.output_shape, EventStreamJSONSerializer(operation))
        encoded = (EventStreamEncoder().encode_event(event) for event in stream)
        return 200, {"Content-Type": EVENTS}, encoded


class BedrockRuntime(Checked, BedrockRuntimeResponse):  # type: ignore[misc]
    """The actions. Which model a request names makes no difference: the local one answers, and says so."""

    def converse(self) -> ActionResult:
        """The whole answer at once."""
        started = time.perf_counter()
        answer = _ask(to_chat(self.params))
        milliseconds = round((time.perf_counter() - started) * 1000)
        return ActionResult(from_chat(answer.model_dump(), settings().chat_model, milliseconds))

    def converse_stream(self) -> ActionResult:
        """The answer as events."""
        started = time.perf_counter()
        chat = to_chat(self.params) | {"stream": True, "stream_options": {"include_usage": True}}
        return Streamed({"stream": _events(_ask(chat), started)})


def _events(pieces: Any, started: float) -> Iterator[Json]:  # noqa: ANN401 - the client's type of streams
    events = Events(settings().chat_model)
    try:
        yield from events.of(piece.model_dump() for piece in pieces)
    finally:
        pieces.close()
    milliseconds = round((time.perf_counter() - started) * 1000)
    yield {"metadata": {"usage": usage(events.usage), "metrics": {"latencyMs": milliseconds}}}


def _ask(chat: Json) -> Any:  # noqa: ANN401 - an answer or a stream
    try:
        return _client(endpoint("llamacpp")).chat.completions.create(model=settings().chat_model, **chat)
    except openai.BadRequestError as error:
        raise ValidationError(f"The local model refuses: {error.message}") from error
    except openai.APIError as error:
        raise ModelError(f"The local model failed: {error.message}") from error


@lru_cache(4)
def _client(url: str) -> openai.OpenAI:
    """Kept for the next call, with its connections."""
    return openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
