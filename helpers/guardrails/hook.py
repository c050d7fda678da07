"""A judge around an agent of Strands: on what it is asked, what its tools give, and what it says.

    guard = GuardrailHook(router)
    agent = Agent(model, tools=[...], hooks=[guard])
    print(guard.reveal(str(agent("Where is Ada Byron?"))))  # the local reader sees names; model and history never do

What is blocked is replaced before it is in the history, and the agent answers with the policy's blocked message; what
is masked has numbered placeholders from then on. An answer is held back until it is whole and judged: its stream begins
afterwards, so that no word of it can come too early. What tools stream in the meantime is left out: nobody judges it.
The span of a model's call has the answer as the model gave it, which `helpers.tracing` does not pass on.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from strands.hooks import AgentInitializedEvent, BeforeInvocationEvent, HookProvider, HookRegistry
from strands.middleware import (
    ExecuteToolContext,
    ExecuteToolStage,
    InvokeModelContext,
    InvokeModelStage,
    ModelStopReason,
    ToolResultEvent,
    TypedEvent,
)

from helpers.guardrails.errors import NotGuarded
from helpers.guardrails.judge import Json, Judge
from helpers.guardrails.screen import UNCHECKED, Decision, Screen, Withheld, reading
from helpers.guardrails.vault import Vault

INTERVENED = "guardrail_intervened"
WITHHELD = "[withheld by the guardrail]"
NOTHING = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}


@dataclass
class Turn:
    """What happened since an agent was asked."""

    refusal: str | None = None  # what it says in place of an answer
    question: str = ""
    sources: list[str] = field(default_factory=list)


class GuardrailHook(HookProvider):
    """Puts what goes into a model, and comes out of it, before a judge; one for each session, whose vault it has."""

    def __init__(
        self,
        judge: Judge,
        *,
        vault: Vault | None = None,
        inside: Collection[str] = (),
        grounding: bool = False,
        go_on: bool = False,
        unchecked: str = UNCHECKED,
    ) -> None:
        """Anything that the judge fails on is withheld.

        Args:
            inside: names of tools that run inside the boundary, and so are given what stands behind placeholders.
            grounding: hold answers against what tools gave, by the policy's contextual grounding.
            go_on: when a tool's result is blocked, let the model go on without it; else the agent refuses.
            unchecked: what is said in place of what could not be judged.
        """
        self.vault = vault or Vault()
        self.inside, self.grounding, self.go_on = frozenset(inside), grounding, go_on
        self._screen = Screen(judge, self.vault, unchecked)
        self._turns: WeakKeyDictionary[Any, Turn] = WeakKeyDictionary()

    @property
    def decisions(self) -> list[Decision]:
        """What became of what was judged, oldest first."""
        return list(self._screen.decisions)

    def reveal(self, text: str) -> str:
        """`text` with what was masked, for a reader inside the boundary."""
        return self.vault.reveal(text)

    def register_hooks(self, registry: HookRegistry, **_: Any) -> None:  # noqa: ANN401 - Strands' signature
        """Strands calls this."""
        registry.add_callback(AgentInitializedEvent, self._initialized)
        registry.add_callback(BeforeInvocationEvent, self._asked)

    def _initialized(self, event: AgentInitializedEvent[Any]) -> None:
        self._install(event.agent)

    def _install(self, agent: Any) -> None:  # noqa: ANN401 - an agent of any kind
        """Stand around its model and its tools; hooks may have been added after it was made."""
        if agent not in self._turns:
            agent.add_middleware(InvokeModelStage, self._model)
            agent.add_middleware(ExecuteToolStage, self._tool)
        self._turns[agent] = Turn()

    async def _asked(self, event: BeforeInvocationEvent) -> None:
        """Judge what the agent is asked, before it is in the history."""
        if event.messages is None:
            raise NotGuarded(
                "structured_output() asks the model past all hooks. Give structured_output_model to the agent's call."
            )
        self._install(event.agent)
        turn = self._turns[event.agent]
        try:
            event.messages = [
                message | {"content": await self._screen.blocks("INPUT", message["content"], "input")}
                for message in event.messages
            ]
            turn.question = _said(event.messages)
        except Withheld as withheld:
            turn.refusal = str(withheld)
            event.messages = [message | {"content": [{"text": WITHHELD}]} for message in event.messages]

    async def _model(self, context: InvokeModelContext, next_fn: Any) -> AsyncIterator[TypedEvent]:  # noqa: ANN401
        """Hold the answer back until it is judged."""
        turn = self._turns[context.agent]
        if turn.refusal is not None:
            for event in _refusing(turn.refusal, None):
                yield event
            return
        held: list[TypedEvent] = []
        stop: ModelStopReason | None = None
        async for event in next_fn(context):
            if isinstance(event, ModelStopReason):
                stop = event
            else:
                held.append(event)
        assert stop, "a model's call ends with a reason"
        for event in await self._judged(held, stop, turn):
            yield event

    async def _judged(self, held: list[TypedEvent], stop: ModelStopReason, turn: Turn) -> list[TypedEvent]:
        """The events of an answer as it may pass."""
        before = stop.message["content"]
        try:
            content = await self._screen.blocks("OUTPUT", before, "output", self._grounds(turn, before))
        except Withheld as withheld:
            return _refusing(str(withheld), stop)
        if content == before:
            return [*held, stop]
        return [*_streamed(content), _stop(stop.stop_reason, content, stop)]

    def _grounds(self, turn: Turn, answer: list[Any]) -> list[Json]:
        """What an answer is held against; nothing, before its tools have run."""
        if not self.grounding or not turn.sources or any("toolUse" in block for block in answer):
            return []
        sources = [{"text": {"text": text, "qualifiers": ["grounding_source"]}} for text in turn.sources]
        return [*sources, {"text": {"text": turn.question, "qualifiers": ["query"]}}]

    async def _tool(self, context: ExecuteToolContext, next_fn: Any) -> AsyncIterator[TypedEvent]:  # noqa: ANN401
        """Judge what a tool gives, before the model and the history have it."""
        name = context.tool_use["name"]
        if name in self.inside:
            context = context.replace(tool_use=context.tool_use | {"input": self._revealed(context.tool_use["input"])})
        async for event in next_fn(context):
            if isinstance(event, ToolResultEvent):
                yield await self._result(context.agent, name, event)
            elif "tool_stream_event" not in event:
                yield event

    async def _result(self, agent: Any, name: str, event: ToolResultEvent) -> ToolResultEvent:  # noqa: ANN401
        result, turn = event.tool_result, self._turns[agent]
        try:
            content = await self._screen.blocks("INPUT", result["content"], name)
        except Withheld as withheld:
            if not self.go_on:
                turn.refusal = str(withheld)
            said: Any = [{"text": str(withheld)}]
            return ToolResultEvent({"toolUseId": result["toolUseId"], "status": "error", "content": said})
        turn.sources += filter(None, map(reading, content))
        same = content == result["content"]
        return event if same else ToolResultEvent(result | {"content": content})

    def _revealed(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, str):
            return self.vault.argument(value)
        if isinstance(value, dict):
            return {key: self._revealed(inner) for key, inner in value.items()}
        return [self._revealed(inner) for inner in value] if isinstance(value, list) else value


def _said(messages: list[Any]) -> str:
    return "\n".join(block["text"] for message in messages for block in message["content"] if "text" in block)


def _refusing(refusal: str, stop: ModelStopReason | None) -> list[TypedEvent]:
    """The events of an answer that is only a refusal."""
    content = [{"text": refusal}]
    return [*_streamed(content), _stop(INTERVENED, content, stop)]


def _streamed(content: list[Any]) -> list[TypedEvent]:
    """The text of an answer, all at once, in both forms that readers of a stream look for."""
    deltas = [{"text": block["text"]} for block in content if "text" in block]
    made = [
        ({"event": {"contentBlockDelta": {"delta": delta}}}, {"data": delta["text"], "delta": delta})
        for delta in deltas
    ]
    return [TypedEvent(event) for pair in made for event in pair]


def _stop(reason: Any, content: list[Any], stop: ModelStopReason | None) -> ModelStopReason:  # noqa: ANN401
    usage: Any = stop.usage if stop else dict(NOTHING)
    metrics: Any = stop.metrics if stop else {"latencyMs": 0}
    return ModelStopReason(
        stop_reason=reason, message={"role": "assistant", "content": content}, usage=usage, metrics=metrics
    )
