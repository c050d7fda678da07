"""What was masked, for a local reader: numbered placeholders such as {NAME-1}, and the texts behind them.

A vault is in memory only and for one session. What leaves the boundary is text with placeholders; `reveal` is for
whoever reads inside. One text has one placeholder throughout, so that a model can still tell two people apart.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NoReturn

from helpers.guardrails.errors import VaultLeaves

TOKEN = re.compile(r"\{[^{}]{1,110}-\d+\}")
BRACES = str.maketrans("{}", "__")


class Vault:
    """Placeholders and what they stand for."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._count: dict[str, int] = defaultdict(int)

    def token(self, kind: str, value: str) -> str:
        """The placeholder of a text: {NAME-1} for the first of the kind NAME."""
        kind = kind.translate(BRACES)
        if (kind, value) not in self._tokens:
            self._count[kind] += 1
            token = f"{{{kind}-{self._count[kind]}}}"
            self._tokens[kind, value], self._values[token] = token, value
        return self._tokens[kind, value]

    def reveal(self, text: str) -> str:
        """`text` with what was masked; only for a reader inside the boundary."""
        return TOKEN.sub(lambda found: self._values.get(found[0], found[0]), text)

    def argument(self, given: str) -> str:
        """As `reveal`; also of a placeholder without its braces, which small models leave out of a tool's arguments."""
        return self._values.get(f"{{{given.strip()}}}") or self.reveal(given)

    def numbered(self, original: str, masked: str, found: Iterable[tuple[str, str]]) -> str:
        """`masked` with numbered placeholders for those of a guardrail, {NAME}, which have no number.

        What stands behind each is read from `original`, beside the text that both have in common; `found` helps where
        that is not enough. If the two do not fit together, `masked` is given back: it is masked, and stays so.
        Takes time in proportion to their length.
        """
        values: dict[str, set[str]] = defaultdict(set)
        for kind, value in found:
            values[kind].add(value)
        if not values:
            return masked
        pattern = "|".join(re.escape(f"{{{kind}}}") for kind in values)
        parts = re.split(f"({pattern})", masked)
        behind = _behind(original, parts, values)
        if behind is None:
            return masked
        tokens = [
            self.token(mask[1:-1], value) if value != mask else mask
            for mask, value in zip(parts[1::2], behind, strict=True)
        ]
        return "".join(text + token for text, token in zip(parts[::2], [*tokens, ""], strict=True))

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Vault of {len(self)} values"

    def __reduce__(self) -> NoReturn:
        raise VaultLeaves("A vault stays in the memory of its process. Store or send texts with placeholders instead.")


def _behind(original: str, parts: list[str], values: dict[str, set[str]]) -> list[str] | None:
    """The text behind each mask; `parts` are common text and masks in turn. None, if they do not fit."""
    behind: list[str] = []
    at = len(parts[0])
    if not original.startswith(parts[0]):
        return None
    for mask, after in zip(parts[1::2], parts[2::2], strict=True):
        last = len(behind) == len(parts) // 2 - 1
        value = _value(original, at, mask, after, values[mask[1:-1]], last)
        if value is None or not original.startswith(after, at + len(value)):
            return None
        behind.append(value)
        at += len(value) + len(after)
    return behind if at == len(original) else None


def _value(original: str, at: int, mask: str, after: str, known: set[str], last: bool) -> str | None:
    """What stands at `at`: one of the known values, or all up to the text that follows."""
    for length in sorted({len(value) for value in known}, reverse=True):
        value = original[at : at + length]
        if value in known and original.startswith(after, at + length):
            return value
    if original.startswith(mask, at):
        return mask  # it is text of its author
    if last:
        return original[at : len(original) - len(after)]
    end = original.find(after, at) if after else -1
    return original[at:end] if end >= 0 else None
