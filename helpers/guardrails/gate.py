"""Which sentences are worth the embedding model: a millisecond for an answer, where the model takes some hundred.

A sentence's vector is the weighted sum of vectors that its words have on their own (`words.npz`, made from the kit's
embedding model by `tools/guardrail_words.py`). What is far from all examples by it goes no further; a sentence in
another script, or with mostly words that are not known, always does. Of a long sentence that passes, the stretch
nearest to an example goes on. On the even half of the labelled texts it lets 40 of 41 that are to be found pass, and
keeps back nine of ten sentences of the hospital's documents. (To send on only the most suspicious sentences of a text
would be quicker still, but hid one in seven of those 40, each put into an answer of 500 tokens.)
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from helpers.guardrails.embedding import Vectors

WORDS = Path(__file__).with_name("words.npz")
HARMLESS = "HARMLESS"  # the class that all others are held against
WORD = re.compile(r"[^\W\d_]+")
NEAR = 0.25  # least score that passes
UNKNOWN = 0.5  # share of words that are not known above which a sentence passes
LONGEST = 80  # characters of a sentence that go on: the embedding model takes a millisecond for four
STRETCH = 13  # words
COMMON = 3.0  # words up to about this rank weigh next to nothing
NEAREST = 3
AGAINST = 0.5
AT_ONCE = 4096  # sentences


class Gate:
    """Lets sentences pass that may be near to one of the classes; `harmless` is what they are held against."""

    def __init__(self, classes: Mapping[str, Sequence[str]], harmless: Sequence[str]) -> None:
        self._references = {HARMLESS: _vectors(harmless)[0]}
        self._references |= {name: _vectors(sentences)[0] for name, sentences in classes.items()}

    def passing(self, sentences: Sequence[str]) -> list[str]:
        """Those of `sentences` that are to be looked at; takes time in proportion to their length."""
        parts = (sentences[start : start + AT_ONCE] for start in range(0, len(sentences), AT_ONCE))
        return [sentence for part in parts for sentence, passes in zip(part, self._passes(part), strict=True) if passes]

    def stretches(self, sentences: Sequence[str]) -> list[str]:
        """`sentences`, and of each long one the stretch of it that is nearest to an example."""
        return [self._nearest_stretch(each) if len(each) > LONGEST else each for each in sentences]

    def _nearest_stretch(self, sentence: str) -> str:
        words = sentence.split()
        starts = range(0, max(1, len(words) - STRETCH // 2), STRETCH // 2)
        parts = [" ".join(words[start : start + STRETCH]) for start in starts]
        return parts[int(np.argmax(self._scores(_vectors(parts)[0])))]

    def _scores(self, vectors: Vectors) -> Vectors:
        """Each vector's score for the class that it is nearest to."""
        scores: Vectors = np.max(list(nearness(vectors, self._references).values()), axis=0)
        return scores

    def _passes(self, sentences: Sequence[str]) -> Sequence[bool]:
        vectors, unknown = _vectors(sentences)
        passes: Sequence[bool] = ((self._scores(vectors) >= NEAR) | (unknown > UNKNOWN)).tolist()
        return passes


def nearness(vectors: Vectors, references: Mapping[str, Vectors]) -> dict[str, Vectors]:
    """By class but HARMLESS: each vector's mean cosine to its nearest examples, less half of that to harmless ones.

    One product of matrices for all classes, for a dozen small ones take longer.
    """
    ends = np.cumsum([len(examples) for examples in references.values()])[:-1]
    cosines = np.split(vectors @ np.concatenate(list(references.values())).T, ends, axis=1)
    near = {name: _nearest(part) for name, part in zip(references, cosines, strict=True)}
    harmless = near.pop(HARMLESS)
    return {name: of - AGAINST * harmless for name, of in near.items()}


def _nearest(cosines: Vectors) -> Vectors:
    count = min(NEAREST, cosines.shape[1])
    mean: Vectors = np.partition(cosines, -count, axis=1)[:, -count:].mean(axis=1)
    return mean


@cache
def _table() -> tuple[dict[str, int], Vectors]:
    """The places of the words, and their vectors, weighted: rare words say more."""
    with np.load(WORDS) as file:
        words, vectors = str(file["words"]).split(), file["vectors"].astype(np.float32)
    weights = np.log1p(np.arange(len(words)) / COMMON).astype(np.float32)
    return {word: place for place, word in enumerate(words)}, vectors * weights[:, None]


def _vectors(sentences: Sequence[str]) -> tuple[Vectors, Vectors]:
    """A vector of length 1 each, and the share of words that are not known."""
    places, table = _table()
    vectors, unknown = np.zeros((len(sentences), table.shape[1]), np.float32), np.zeros(len(sentences), np.float32)
    for row, sentence in enumerate(sentences):
        words = WORD.findall(sentence.lower())
        known = [places[word] for word in words if word in places]
        missing = sum(len(word) > 1 and word not in places for word in words)
        unknown[row] = missing / max(1, len(words))
        if known:
            vectors[row] = table[known].sum(axis=0)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), unknown
