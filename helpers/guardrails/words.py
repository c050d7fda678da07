"""Words and phrases that may not stand in a text: whole words, in upper or lower case, disguised or not."""

import re
from collections.abc import Iterable, Iterator, Sequence

import ahocorasick

from helpers.guardrails.findings import Finding, distinct
from helpers.guardrails.normaliser import folded, plain_letters
from helpers.guardrails.views import View

SPACES = re.compile(r"\s{2,}|[^\S ]")
SHORTEST = 4  # letters of a word that is looked for inside spaced-out letters, which have no word boundaries


class Words:
    """Finds up to 10,000 words in one pass (Aho-Corasick)."""

    def __init__(self, words: Iterable[str]) -> None:
        words = list(words)
        self._plain = _automaton((_key(word), word) for word in words)
        self._letters = _automaton((_key(word).replace("l", "i"), word) for word in words)

    def find(self, views: Sequence[View]) -> list[Finding]:
        """Where the words stand, named as the policy spells them."""
        found = list[Finding]()
        for view in views:
            view = view.replaced(SPACES, " ") if SPACES.search(view.text) and not view.joined else view
            found += _matches(self._plain, view, _lower(view.text))
            letters = plain_letters(view)
            if letters is not None:  # 1 stands for i as well as for l
                found += _matches(self._letters, letters, _lower(letters.text).replace("l", "i"))
        return distinct(found)


def _key(word: str) -> str:
    return _lower(" ".join(folded(word).split()))


def _lower(text: str) -> str:
    """In lower case, of the same length."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _automaton(words: Iterable[tuple[str, str]]) -> ahocorasick.Automaton:
    by_key = dict[str, list[str]]()
    for key, word in words:
        by_key.setdefault(key, []).append(word)  # "Fome" and "fome" may have different rules
    by_key.pop("", None)
    automaton = ahocorasick.Automaton()
    for key, named in by_key.items():
        automaton.add_word(key, (named, len(key)))
    automaton.make_automaton()
    return automaton


def _matches(automaton: ahocorasick.Automaton, view: View, text: str) -> Iterator[Finding]:
    if not len(automaton):
        return
    joined = iter(view.joined)
    within = next(joined, None)
    for last, (named, length) in automaton.iter(text):
        start, end = last - length + 1, last + 1
        while within and within[1] < end:
            within = next(joined, None)
        in_spaced = within is not None and within[0] <= start and length >= SHORTEST
        if in_spaced or (_is_edge(text, start - 1, start) and _is_edge(text, end, end - 1)):
            yield from (Finding(*view.span(start, end), word) for word in named)


def _is_edge(text: str, outside: int, inside: int) -> bool:
    """Whether a word may end between the two: not where letters go on, but in scripts without spaces."""
    if not 0 <= outside < len(text) or not (text[outside].isalnum() or text[outside] == "_"):
        return True
    return not text[inside].isalnum() or _without_spaces(text[inside])


def _without_spaces(character: str) -> bool:
    """Thai, Lao, Khmer, Burmese, and the scripts of East Asia."""
    return "\u0e00" <= character < "\u0f00" or "\u1000" <= character < "\u10a0" or character >= "\u2e80"
