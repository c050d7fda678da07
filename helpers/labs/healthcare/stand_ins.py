"""Who plays along on the learner's side: a model whose turns the judge decides, agents with it, documents, a ledger."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from strands import Agent
from strands.models import Model
from strands.types.content import Messages
from strands.types.tools import ToolSpec

from helpers.knowledge.search import Passage
from helpers.sites.ledger import Ledger

_one_at_a_time = threading.Lock()  # agents of a graph may ask at once, but there is one judge

Turn = Callable[[str, Any, Any], dict[str, Any]]


class Script(Model):
    """A model without weights: `turn` gets system prompt, messages and tools, and says what comes next.

    Script(lambda system, messages, tools: {"text": "yes"})

    A turn is {"text": ...} or {"call": [tool, arguments]}; "silence" says how many seconds it takes.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def update_config(self, **model_config: object) -> None:
        """There is nothing to configure."""

    def get_config(self) -> dict[str, Any]:
        """Nothing is configured."""
        return {}

    def structured_output(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as Strands declares it
        """Not for scripts."""
        raise TypeError("A scripted model fills in no forms.")

    async def stream(
        self,
        messages: Messages,
        tool_specs: list[ToolSpec] | None = None,
        system_prompt: str | None = None,
        **options: object,
    ) -> AsyncIterator[Any]:
        """The events of the next turn."""
        turn = await asyncio.to_thread(self._ask, system_prompt or "", messages, tool_specs or [])
        await asyncio.sleep(turn.get("silence", 0))
        yield {"messageStart": {"role": "assistant"}}
        for event in _use(len(messages), *turn["call"]) if "call" in turn else _said(turn["text"]):
            yield event
        yield {"messageStop": {"stopReason": "tool_use" if "call" in turn else "end_turn"}}

    def _ask(self, system: str, messages: Messages, tools: list[ToolSpec]) -> dict[str, Any]:
        with _one_at_a_time:
            return self._turn(system, messages, tools)


def agent(name: str, turn: Turn) -> Agent:
    """An agent of that name, without tools, whose model's turns are decided elsewhere."""
    return Agent(Script(turn), name=name, system_prompt=f"You are the {name} agent.", callback_handler=None)


def node(name: str, turn: Turn) -> Agent:
    """The same, for a check: that it fails is planned, so Strands does not log it."""
    logging.getLogger("strands").setLevel(logging.CRITICAL)
    return agent(name, turn)


class Documents:
    """What `KnowledgeBase` is to a learner: a search. The judge finds, and says [path, text] for each passage."""

    def __init__(self, find: Callable[..., Iterable[Any]]) -> None:
        self._find = find

    def search(self, question: str, k: int = 5, mode: str = "fused", where: Any = None) -> list[Passage]:  # noqa: ANN401
        """The `k` best passages, as `KnowledgeBase.search` returns them."""
        found = self._find(question, k, where)
        return [Passage(path, path, "What to give", None, 0, len(text), text, {}, 0.03, 0.5) for path, text in found]


def ledger(path: str) -> Ledger:
    """The ledger of that file."""
    return Ledger(Path(path))


def _said(text: str) -> Iterator[dict[str, Any]]:
    yield {"contentBlockStart": {"start": {}}}
    yield {"contentBlockDelta": {"delta": {"text": text}}}
    yield {"contentBlockStop": {}}


def _use(number: int, name: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"contentBlockStart": {"start": {"toolUse": {"toolUseId": f"t{number}", "name": name}}}}
    yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(arguments)}}}}
    yield {"contentBlockStop": {}}
