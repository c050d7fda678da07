"""Which sentences are worth the embedding model: a millisecond for an answer, where the model takes some hundred.

A sentence's vector is the weighted sum of vectors that its words have on their own (`words.npz`, made from the kit's
embedding model by `tools/guardrail_words.py`). What is far from all examples by it goes no further; a sentence in
another script, or with many words that are not known, always does. On the even half of the labelled texts it lets 40 of
41 that are to be found pass, and keeps back 87 % of the sentences of the hospital's documents.
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
UNKNOWN = 0.4  # share of words that are not known from which a sentence passes
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

    def _passes(self, sentences: Sequence[str]) -> Sequence[bool]:
        vectors, unknown = _vectors(sentences)
        scores = list(nearness(vectors, self._references).values())
        passes: Sequence[bool] = ((np.max(scores, axis=0) >= NEAR) | (unknown >= UNKNOWN)).tolist()
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
