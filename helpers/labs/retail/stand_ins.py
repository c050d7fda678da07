"""Who plays along on the learner's side, as the judge decides: managers, stores, tools, a model from a script."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from strands import tool
from strands.models import Model
from strands.types.tools import AgentTool

from helpers.approvals.question import Answer, Question
from helpers.sites.ledger import Ledger

SILENCE = 2  # seconds, longer than anybody may wait in the lab; what comes then is too late

LATE = 999_999  # pieces, that a silent store tells too late


class Manager:
    """An approver, as `helpers.approvals` has them."""

    def __init__(self, store: str, decide: Callable[..., Any]) -> None:
        self._store, self._decide = store, decide

    async def answer(self, question: Question) -> Answer:
        """What the judge has decided; too late, if that is silence."""
        told = self._decide(self._store, question.message)
        if told["action"] == "silence":
            await asyncio.sleep(SILENCE)
            return Answer("accept", {"quantity": 1}, by="too late")
        return Answer(told["action"], told.get("content", {}), by=told["by"])


class Shops:
    """Stores that are asked for their stock. None answers before all have been asked, if `together`."""

    def __init__(self, answers: dict[str, Any], together: int = 0) -> None:
        self._answers = answers  # a number, "cut" or "silent"
        self._left, self._all = together, asyncio.Event()

    async def __call__(self, store: str) -> int:
        """The stock of a store, now.

        Raises:
            ConnectionError: the link is cut.
        """
        self._left -= 1
        if self._left <= 0:
            self._all.set()
        await self._all.wait()
        answer = self._answers[store]
        if answer == "cut":
            raise ConnectionError(f"{store} cannot be reached")
        if answer == "silent":
            await asyncio.sleep(SILENCE)
            return LATE
        return int(answer)


class Scripted(Model):
    """A model that says what `turn` decides from the names of the tools and the texts that it was given."""

    def __init__(self, turn: Callable[..., Any]) -> None:
        self._turn = turn

    def update_config(self, **_: Any) -> None:  # noqa: ANN401
        """It has none."""

    def get_config(self) -> dict[str, Any]:
        """It has none."""
        return {}

    def structured_output(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401
        """Not in the script."""
        raise NotImplementedError

    async def stream(
        self,
        messages: Any,  # noqa: ANN401
        tool_specs: Any = None,  # noqa: ANN401
        system_prompt: str | None = None,
        **_: Any,  # noqa: ANN401
    ) -> AsyncIterator[Any]:
        """One turn: a call of a tool, or a text."""
        names = [spec["name"] for spec in tool_specs or []]
        texts = [json.dumps(block) for message in messages for block in message["content"]]
        said = self._turn(names, texts, system_prompt or "")
        yield {"messageStart": {"role": "assistant"}}
        for event in _use(len(messages), *said["call"]) if "call" in said else _text(said["text"]):
            yield event
        yield {"messageStop": {"stopReason": "tool_use" if "call" in said else "end_turn"}}


def remote_tool(name: str, work: Callable[..., Any]) -> AgentTool:
    """A tool of a store, as the gateway names it."""

    @tool(name=name, description=f"{name.partition('___')[2]} of the store {name.partition('___')[0]}")
    def remote(sku: str) -> str:
        return str(work(name, sku))

    return remote


def ledger(path: str) -> Ledger:
    """A ledger that the judge has written."""
    return Ledger(Path(path))


def _text(words: str) -> Iterator[Any]:
    yield {"contentBlockStart": {"start": {}}}
    yield {"contentBlockDelta": {"delta": {"text": words}}}
    yield {"contentBlockStop": {}}


def _use(number: int, name: str, arguments: dict[str, Any]) -> Iterator[Any]:
    yield {"contentBlockStart": {"start": {"toolUse": {"toolUseId": f"use-{number}", "name": name}}}}
    yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(arguments)}}}}
    yield {"contentBlockStop": {}}
