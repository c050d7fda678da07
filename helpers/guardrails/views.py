"""A text as a check reads it, each character of which knows where in the original it comes from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import Match, Pattern

Piece = tuple[int, int, str]  # from, to, and what stands there instead


@dataclass(frozen=True)
class View:
    """`starts` and `ends` hold the original's offsets of each character; None says that they are its own.

    `joined` are ranges of this view that were spaced out: words in them have lost their boundaries.
    """

    text: str
    original: str
    starts: list[int] | None = None
    ends: list[int] | None = None
    joined: tuple[tuple[int, int], ...] = field(default=(), compare=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that characters `start` to `end` of this view come from; `end` is past the last."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], max(self.ends[start:end], default=self.starts[start])

    def rewritten(self, pieces: Iterable[Piece]) -> "View":
        """This view with each piece replaced; every character of a replacement stands for the whole piece.

        Pieces are in order and do not overlap. Takes time in proportion to the view's length.
        """
        texts, starts, ends, at = list[str](), list[int](), list[int](), 0
        changed = False
        for start, end, text in pieces:
            changed = True
            self._copy(at, start, texts, starts, ends)
            first, last = self.span(start, end)
            texts.append(text)
            starts.extend([first] * len(text))
            ends.extend([last] * len(text))
            at = end
        if not changed:
            return self
        self._copy(at, len(self.text), texts, starts, ends)
        return View("".join(texts), self.original, starts, ends)

    def replaced(self, pattern: Pattern[str], text: str) -> "View":
        """This view with every match of `pattern` replaced by `text`."""
        return self.rewritten((*match.span(), text) for match in pattern.finditer(self.text))

    def _copy(self, start: int, end: int, texts: list[str], starts: list[int], ends: list[int]) -> None:
        texts.append(self.text[start:end])
        if self.starts is None or self.ends is None:
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
        else:
            starts.extend(self.starts[start:end])
            ends.extend(self.ends[start:end])


def each_character(match: Match[str], folded: dict[str, str]) -> Iterator[Piece]:
    """The characters of a match, each with what it is folded to."""
    for at, character in enumerate(match.group(), match.start()):
        if (text := folded[character]) != character:
            yield at, at + 1, text
