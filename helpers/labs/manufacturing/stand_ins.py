"""Who plays along on the learner's side: a model and a tracer in the hands of the judge."""

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Tracer
from strands.models import Model


class Inspector(Model):
    """A model from a script. `decide` gets the prompt, and says text, seconds to wait first, and whether to fail."""

    def __init__(self, decide: Callable[..., Any]) -> None:
        self._decide = decide

    def update_config(self, **_: Any) -> None:  # noqa: ANN401
        """There is nothing to set."""

    def get_config(self) -> dict[str, Any]:
        """The name, which is nobody's."""
        return {"model_id": "scripted"}

    def structured_output(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401
        """Not asked for in this lab."""
        raise TypeError("this model answers in text; ask the agent, not for structured output")

    async def stream(self, messages: Any, *_: Any, **__: Any) -> AsyncIterable[Any]:  # noqa: ANN401
        """One answer."""
        texts = [block.get("text", "") for message in messages for block in message["content"]]
        told = self._decide(" ".join(texts))
        await asyncio.sleep(told["seconds"])
        if told["fails"]:
            raise ConnectionError("the model of the site does not answer")
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"delta": {"text": told["text"]}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


class _Telling(SpanProcessor):
    """Tells of each span when it ends."""

    def __init__(self, tell: Callable[..., Any]) -> None:
        self._tell = tell

    def on_end(self, span: ReadableSpan) -> None:
        assert span.context
        told = {
            "name": span.name,
            "trace_id": f"{span.context.trace_id:032x}",
            "span_id": f"{span.context.span_id:016x}",
            "parent_id": f"{span.parent.span_id:016x}" if span.parent else "",
            "status": span.status.status_code.name,
            "attributes": {key: str(value) for key, value in (span.attributes or {}).items()},
        }
        self._tell(told)


def tracer(tell: Callable[..., Any]) -> Tracer:
    """A tracer whose spans go to the judge."""
    provider = TracerProvider()
    provider.add_span_processor(_Telling(tell))
    return provider.get_tracer("factory")
