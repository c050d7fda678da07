"""Finds classified values in what crosses a link, whatever carries them, without keeping them.

Sets of values (patient ids, names) are found by an Aho-Corasick automaton, patterns (account numbers) by regular
expressions. Case does not matter; percent escapes and Base64 are undone. A text that comes in pieces, such as an answer
streamed token by token, is read across the seams. What is encrypted, or put in other words, is not found: nobody
could from outside.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote_plus

import ahocorasick

Finding = tuple[str, str]  # classification and value, kept in memory only
Given = Mapping[str, str | Iterable[str]]  # classification: a pattern, or values

SEAM = 256  # characters of earlier pieces that are read again with the next; no value is longer
LEAST_BASE64 = 8  # shorter words are words
BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{LEAST_BASE64},}}={{0,2}}")


class Classified:
    """What is classified.

    Classified({"patient": ["P-1001", "Ada Byron"], "account": r"AC-[0-9]{5}"})

    Raises:
        ValueError: a pattern is no regular expression, or a value is empty or longer than 256 characters.
    """

    def __init__(self, given: Given) -> None:
        self.names = list(given)
        self._patterns: list[tuple[str, re.Pattern[str]]] = []
        self._values = ahocorasick.Automaton()
        for name, what in given.items():
            self._add(name, what)
        self._values.make_automaton()

    def _add(self, name: str, what: str | Iterable[str]) -> None:
        if isinstance(what, str):
            try:
                self._patterns.append((name, re.compile(what, re.IGNORECASE)))
            except re.error as error:
                raise ValueError(f"The pattern of {name!r} is no regular expression: {error}.") from error
            return
        for value in what:
            word = value.strip().lower()
            if not 0 < len(word) <= SEAM:
                raise ValueError(f"A value of {name!r} is empty or longer than {SEAM} characters.")
            others = self._values.get(word, (word, set()))[1]
            self._values.add_word(word, (word, others | {name}))

    def find(self, text: str) -> set[Finding]:
        """The classified values in `text`, as it stands and with escapes undone."""
        return {(name, word) for reading in _readings(text) for name, word, _, _ in self._places(reading)}

    def redact(self, text: str) -> str:
        """`text` with every classified value replaced by what it is; for what the ledger keeps."""
        readable = unquote_plus(text) if self.find(text) else text
        for name, _, start, stop in sorted(self._places(readable), key=lambda place: -place[2]):
            readable = f"{readable[:start]}[{name}]{readable[stop:]}"
        return readable

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


def _readings(text: str) -> Iterator[str]:
    yield text
    if "%" in text:
        yield unquote_plus(text)
    for word in BASE64.findall(text):
        if word in (word.lower(), word.upper()):
            continue  # a word, a hexadecimal number: Base64 has both cases
        try:
            decoded = base64.b64decode(word.replace("-", "+").replace("_", "/") + "==", validate=False)
            yield decoded.decode()
        except (binascii.Error, UnicodeDecodeError):
            continue


class Reader:
    """Reads the texts of one message; texts of the same place follow one another, however long after."""

    def __init__(self, classified: Classified) -> None:
        self.classified = classified
        self.found: set[Finding] = set()
        self._ends: dict[str, str] = {}

    def read(self, texts: Iterable[tuple[str, str]]) -> None:
        """Look at `texts`, (place, text), each joined to what was read at the same place before."""
        joined = []
        for place, text in texts:
            joined.append(self._ends.get(place, "") + text)
            self._ends[place] = joined[-1][-SEAM:]
        self.found |= self.classified.find("\n".join(joined))

    @property
    def counts(self) -> dict[str, int]:
        """How many different values were found of each classification."""
        names = [name for name, _ in self.found]
        return {name: names.count(name) for name in sorted(set(names))}
