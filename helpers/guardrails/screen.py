"""Contents of messages as a judge lets them pass: as they are, masked, or not at all.

What cannot be judged does not pass: an image, a document, and anything while the judge fails.
"""

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from helpers.guardrails.judge import Json, Judge, Source, blocked, masked, masks, message, passed, texts
from helpers.guardrails.vault import Vault

UNCHECKED = "This could not be checked, so that it is not passed on."
KEPT = 1000  # decisions
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
PLAIN = {"n": "\n", "t": "\t", "r": "\r"}


class Withheld(Exception):
    """Something may not pass; the text is what may be said instead."""


@dataclass(frozen=True)
class Decision:
    """What became of something, without a word of it."""

    where: str  # input, output, or the tool whose result it is
    action: str  # passed, masked, blocked, unchecked
    by: str  # region, edge, nobody; empty if the judge does not tell


class Screen:
    """Puts contents before a judge."""

    def __init__(self, judge: Judge, vault: Vault, unchecked: str = UNCHECKED) -> None:
        """`unchecked` is said in place of what could not be judged."""
        self.judge, self.vault, self.unchecked = judge, vault, unchecked
        self.decisions: deque[Decision] = deque(maxlen=KEPT)

    async def blocks(
        self, source: Source, given: list[Any], where: str, context: list[Json] | None = None
    ) -> list[Any]:
        """Blocks of a message as they may pass; `given` is left as it is.

        Args:
            where: what the decision is kept under.
            context: sources and a query that an answer is held against, with their qualifiers.

        Raises:
            Withheld: they may not pass.
        """
        try:
            found = [reading(block) for block in given]
        except (KeyError, TypeError, ValueError):  # of a kind that has no text, or of a form that no block has
            raise self._unchecked(where) from None
        kept = iter(await self._texts(source, [text for text in found if text], where, context or []))
        try:
            made = [_with(block, next(kept), text) if text else block for block, text in zip(given, found, strict=True)]
        except ValueError:  # arguments of a tool are no JSON any more: a number was masked
            raise self._unchecked(where) from None
        return [block for block in made if block is not None]

    def _unchecked(self, where: str) -> Withheld:
        self.decisions.append(Decision(where, "unchecked", "nobody"))
        return Withheld(self.unchecked)

    async def _texts(self, source: Source, given: list[str], where: str, context: list[Json]) -> list[str]:
        if not given:
            return []
        try:
            report, kept = await asyncio.to_thread(passed, self.judge, source, [*context, *texts(*given)])
            action = "blocked" if blocked(report) else "masked" if masked(report) else "passed"
            by = report.get("judgedBy", {}).get("where", "")
            said = message(report)
        except Exception:  # a judge that crashed, or whose report is none, has let nothing pass
            action, by, said = "unchecked", "nobody", self.unchecked
        self.decisions.append(Decision(where, action, by))
        if action in ("blocked", "unchecked"):
            raise Withheld(said or self.unchecked)
        found = list(masks(report)) if action == "masked" else []
        return [self.vault.numbered(text, other, found) for text, other in zip(given, kept, strict=True)]


def reading(block: Json) -> str:
    """What there is to judge in a block; empty, if there is nothing to read.

    Raises:
        KeyError, TypeError, ValueError: it is of a kind that cannot be judged.
    """
    ((kind, value),) = block.items()
    return str(READERS[kind](value))


def _readable(value: object) -> str:
    """JSON as a text to be judged: what is escaped in it would hide words."""
    return ESCAPE.sub(lambda found: PLAIN.get(found[1], found[0]), json.dumps(value, ensure_ascii=False, default=str))


READERS: dict[str, Any] = {
    "text": str,
    "json": _readable,
    "guardContent": lambda value: value["text"]["text"],
    "toolUse": lambda value: _readable(value["input"]),
    "toolResult": lambda value: "\n".join(filter(None, map(reading, value["content"]))),
    "citationsContent": lambda value: "".join(part["text"] for part in value["content"]),
    "reasoningContent": lambda value: value["reasoningText"]["text"] if "reasoningText" in value else "",
    "cachePoint": lambda value: "",
}


def _with(block: Json, text: str, before: str) -> Json | None:
    """A block with what may pass of it.

    Raises:
        ValueError: it was JSON, and is none any more.
    """
    if text == before:
        return block
    if "reasoningContent" in block:
        return None  # its signature would no longer fit
    if "toolUse" in block:
        return {"toolUse": block["toolUse"] | {"input": json.loads(text, strict=False)}}
    if "toolResult" in block:
        return {"toolResult": block["toolResult"] | {"content": [{"text": text}]}}
    return {"text": text}
