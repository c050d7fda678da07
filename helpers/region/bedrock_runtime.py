"""Bedrock's data plane as actions of moto's service: a local model answers Converse, a local judge ApplyGuardrail."""

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from moto.bedrockruntime import urls
from moto.bedrockruntime.responses import BedrockRuntimeResponse
from moto.core.eventstream import EventStream, EventStreamEncoder
from moto.core.responses import ActionContext, ActionResult
from moto.core.serialize import EventStreamJSONSerializer

from helpers.guardrails.judge import Scope
from helpers.inference import endpoint
from helpers.region.checks import Checked
from helpers.region.converse import Events, Json, from_chat, to_chat, usage
from helpers.region.errors import ModelError, ValidationError
from helpers.region.guarded import Careful, Guarded, events
from helpers.region.guardrails import Judges, guardrails
from helpers.settings import settings

if TYPE_CHECKING:
    from openai import OpenAI

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

    judges = Judges()

    @classmethod
    def register(cls, judges: Judges) -> None:
        """Take the place of moto's."""
        cls.judges = judges
        urls.url_paths = {"{0}/.*$": cls.dispatch}

    def converse(self) -> ActionResult:
        """The whole answer at once."""
        guarded = self._guarded()
        return ActionResult(guarded.converse(self.params, _answered) if guarded else _answered(self.params))

    def converse_stream(self) -> ActionResult:
        """The answer as events; behind a guardrail it is judged as a whole before any of it is sent."""
        if guarded := self._guarded():
            return Streamed({"stream": events(guarded.converse(self.params, _answered))})
        started = time.perf_counter()
        chat = to_chat(self.params) | {"stream": True, "stream_options": {"include_usage": True}}
        return Streamed({"stream": _events(_ask(chat), started)})

    def apply_guardrail(self) -> ActionResult:
        """What a guardrail says of texts."""
        judge = self._judge(self.params)[0]
        scope: Scope = self.params.get("outputScope") or "INTERVENTIONS"
        return ActionResult(judge.apply(self.params["source"], self.params["content"], scope))

    def _guarded(self) -> Guarded | None:
        """The guardrail that a conversation asks for."""
        config = self.params.get("guardrailConfig")
        if not config:
            return None
        if not (config.get("guardrailIdentifier") and config.get("guardrailVersion")):
            raise ValidationError("guardrailConfig must have a guardrailIdentifier and a guardrailVersion.")
        judge, name = self._judge(config)
        return Guarded(judge, name, config.get("trace") or "disabled")

    def _judge(self, asked: Json) -> tuple[Careful, str]:
        """The judge of a version of a guardrail, and the guardrail's id."""
        found = guardrails(self.current_account, self.region).find(asked["guardrailIdentifier"])
        version = found.version(asked["guardrailVersion"])
        try:
            return Careful(self.judges.of(version)), found.id
        except Exception as error:
            raise ValidationError(f"This Region on a laptop cannot judge by {found.name}: {error}") from error


def _answered(params: Json) -> Json:
    started = time.perf_counter()
    answer = _ask(to_chat(params))
    milliseconds = round((time.perf_counter() - started) * 1000)
    return from_chat(answer.model_dump(), settings().chat_model, milliseconds)


def _events(pieces: Any, started: float) -> Iterator[Json]:  # noqa: ANN401 - the client's type of streams
    made = Events(settings().chat_model)
    try:
        yield from made.of(piece.model_dump() for piece in pieces)
    finally:
        pieces.close()
    milliseconds = round((time.perf_counter() - started) * 1000)
    yield {"metadata": {"usage": usage(made.usage), "metrics": {"latencyMs": milliseconds}}}


def _ask(chat: Json) -> Any:  # noqa: ANN401 - an answer or a stream
    import openai  # 0.7 s, which a Region that is asked for no model can do without

    try:
        return _client(endpoint("llamacpp")).chat.completions.create(model=settings().chat_model, **chat)
    except openai.BadRequestError as error:
        raise ValidationError(f"The local model refuses: {error.message}") from error
    except openai.APIError as error:
        raise ModelError(f"The local model failed: {error.message}") from error


@lru_cache(4)
def _client(url: str) -> "OpenAI":
    """Kept for the next call, with its connections."""
    from openai import OpenAI

    return OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
