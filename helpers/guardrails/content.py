"""What ApplyGuardrail is given: blocks of text, which of them are judged, and which an answer is judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from helpers.guardrails.errors import ContentInvalid
from helpers.guardrails.normaliser import views
from helpers.guardrails.views import View

QUALIFIERS = frozenset({"grounding_source", "query", "guard_content"})
LONGEST = 4_000_000  # characters of all blocks


@dataclass(frozen=True)
class Block:
    """One text with its qualifiers."""

    text: str
    qualifiers: frozenset[str] = frozenset()

    @property
    def guarded(self) -> bool:
        """Whether it is judged: what only grounds an answer, or asks for it, is not."""
        return not self.qualifiers or "guard_content" in self.qualifiers

    @cached_property
    def views(self) -> list[View]:
        """The text with disguises undone."""
        return views(self.text)


def blocks(content: object) -> list[Block]:
    """The blocks of `content`, a list as boto3 takes it.

    Raises:
        ContentInvalid: it is none, or has an image, or is too long.
    """
    if not isinstance(content, Sequence) or isinstance(content, str | bytes) or not content:
        raise ContentInvalid('The content is no list of blocks. Give [{"text": {"text": "..."}}].')
    found = [_block(number, each) for number, each in enumerate(content)]
    if (length := sum(len(block.text) for block in found)) > LONGEST:
        raise ContentInvalid(f"The content has {length:,} characters, more than {LONGEST:,}. Send it in parts.")
    return found


def _block(number: int, given: object) -> Block:
    if isinstance(given, Mapping) and "image" in given:
        raise ContentInvalid(f"content[{number}] is an image, which the edge cannot judge. Ask the Region.")
    text = given.get("text") if isinstance(given, Mapping) else None
    if not isinstance(text, Mapping) or not isinstance(text.get("text"), str):
        raise ContentInvalid(f'content[{number}] has no text. Give {{"text": {{"text": "..."}}}}.')
    qualifiers = frozenset(text.get("qualifiers") or ())
    if unknown := qualifiers - QUALIFIERS:
        raise ContentInvalid(f"content[{number}] has the qualifiers {sorted(unknown)}. Use {sorted(QUALIFIERS)}.")
    return Block(text["text"], qualifiers)
