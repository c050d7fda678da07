"""Finds classified values in what crosses a link, whatever carries them, without keeping them.

Sets of values (patient ids, names) are found by an Aho-Corasick automaton, patterns (account numbers) by regular
expressions. Case does not matter; `readings` undoes what is wrapped around a value. A text that comes in pieces, such
as an answer streamed token by token, is read across the seams. What is encrypted, or put in other words, is not found:
nobody could from outside.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import ahocorasick

from helpers.sites.readings import normal, opaque, readings

Finding = tuple[str, str]  # classification and value, kept in memory only
Given = Mapping[str, str | Iterable[str]]  # classification: a pattern, or values

LONGEST = 256  # characters of a value, and at least so many of earlier pieces are read again with the next
OFTEN = 1024
WRAPPED = 4  # times as long as itself may a value be in Base64 or with escapes


class Classified:
    """What is classified.

    Classified({"patient": ["P-1001", "Ada Byron"], "account": r"AC-[0-9]{5}"})

    Raises:
        ValueError: a pattern is empty or no regular expression; a value is empty or too long; there is no value.
    """

    def __init__(self, given: Given) -> None:
        self.names = list(given)
        self.seam = LONGEST
        self._patterns: list[tuple[str, re.Pattern[str]]] = []
        self._values = ahocorasick.Automaton()
        for name, what in given.items():
            if isinstance(what, str):
                self._add_pattern(name, what)
            else:
                self._add_values(name, what)
        self._values.make_automaton()
        self.find_again = lru_cache(OFTEN)(self.find)  # of short texts that come with every message: headers, names

    def find(self, text: str) -> set[Finding]:
        """The classified values in `text`, as it stands and with escapes undone."""
        return {(name, word) for name, word, _, _ in self._places("\n".join(readings(text)))}

    def redact(self, text: str) -> str:
        """`text` with every classified value replaced by what it is; for what the ledger keeps."""
        found = self.find_again(text) if len(text) < OFTEN else self.find(text)
        if not found:
            return text
        for layer in readings(text, levels=0):
            redacted = self._replaced(layer)
            if not self.find(redacted):
                return redacted
        return ", ".join(f"[{name}]" for name in sorted({name for name, _ in found}))  # it is wrapped too well

    def _add_pattern(self, name: str, pattern: str) -> None:
        try:
            self._patterns.append((name, re.compile(pattern, re.IGNORECASE | re.MULTILINE)))
        except re.error as error:
            raise ValueError(f"The pattern of {name!r} is no regular expression: {error}.") from error
        if not pattern:
            raise ValueError(f"The pattern of {name!r} is empty, so that nothing would ever be found.")

    def _add_values(self, name: str, values: Iterable[str]) -> None:
        words = [normal(str(value)).strip().lower() for value in values]
        if not words:
            raise ValueError(f"There is no value of {name!r}, so that nothing would ever be found.")
        for word in words:
            if not 0 < len(word) <= LONGEST:
                raise ValueError(f"A value of {name!r} is empty or longer than {LONGEST} characters.")
            others = self._values.get(word, (word, set()))[1]
            self._values.add_word(word, (word, others | {name}))
            self.seam = max(self.seam, WRAPPED * len(word))

    def _replaced(self, text: str) -> str:
        """`text` with names of classifications in place of values; values that overlap are replaced together."""
        kept, read = [], 0
        for start, stop, name in sorted((start, stop, name) for name, _, start, stop in self._places(text)):
            if start >= read:
                kept += [text[read:start], f"[{name}]"]
            read = max(read, stop)
        return "".join([*kept, text[read:]])

    def _places(self, text: str) -> Iterator[tuple[str, str, int, int]]:
        for name, pattern in self._patterns:
            for match in pattern.finditer(text):
                if match[0]:
                    yield name, match[0].lower(), match.start(), match.end()
        if not len(self._values):
            return
        lowered = text.lower()
        for last, (word, names) in self._values.iter(lowered):
            start = last + 1 - len(word)
            if _stands_alone(lowered, start, last + 1):
                yield from ((name, word, start, last + 1) for name in names)


def _stands_alone(text: str, start: int, stop: int) -> bool:
    """P-1001 is not in P-10011."""
    before, after = text[start - 1 : start], text[stop : stop + 1]
    return not (before.isalnum() and text[start].isalnum()) and not (after.isalnum() and text[stop - 1].isalnum())


class Reader:
    """Reads the texts of one message. Those of the same place follow one another, however long after."""

    def __init__(self, classified: Classified) -> None:
        self.classified = classified
        self.found: set[Finding] = set()
        self.unread = 0  # characters that are no text in any reading
        self._ends: dict[object, str] = {}
        self._new: list[str] = []

    def read(self, texts: Iterable[tuple[object, str]]) -> None:
        """Take `texts`, (place, text), each also joined to what was taken at the same place before.

        A text without a place (None) has nothing before it and nothing after.
        """
        for place, text in texts:
            self._new.append(text)
            if place is None:
                continue
            if before := self._ends.get(place, ""):
                self._new.append(before + text[: self.classified.seam])
            self._ends[place] = (before + text[-self.classified.seam :])[-self.classified.seam :]

    def read_head(self, texts: Iterable[str]) -> None:
        """Take the parts of a head, which are often the same as those before."""
        for text in texts:
            if len(text) < OFTEN:
                self.found |= self.classified.find_again(text)
            else:
                self._new.append(text)

    def look(self) -> None:
        """Look at what was taken; all at once, because that is faster."""
        if self._new:
            whole, self._new = "\n".join(self._new), []
            self.found |= self.classified.find(whole)
            self.unread += opaque(whole)

    @property
    def counts(self) -> dict[str, int]:
        """How many different values were found of each classification."""
        self.look()
        names = [name for name, _ in self.found]
        return {name: names.count(name) for name in sorted(set(names))}
