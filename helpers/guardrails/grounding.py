"""Whether an answer keeps to its source, and to the question: sentence embeddings, and the figures that both name.

A stand-in for the service's model, which judges each claim. Both scores are from 0 to 1.
"""

import re
from itertools import pairwise

import numpy as np

from helpers.guardrails.embedding import Embed, Vectors
from helpers.guardrails.sentences import sentences

FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
UNFOUNDED = 0.5  # what a sentence is worth at most that names a figure which the source does not


class Grounding:
    """Scores answers by their source and question."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def grounding(self, answer: str, source: str) -> float:
        """The worst-founded sentence counts half, all of them the other half: one invention is not to be averaged away.

        Raises:
            CheckFailed: the sentences cannot be embedded.
        """
        said, known = sentences(answer), sentences(source)
        if not said:
            return 1.0
        if not known:
            return 0.0
        windows = [*known, *(f"{one} {other}" for one, other in pairwise(known))]
        found = _cosines(self._embed([*said, *windows]), len(said)).max(axis=1)
        figures = set(FIGURE.findall(source))
        worth = [
            min(score, UNFOUNDED) if set(FIGURE.findall(sentence)) - figures else score
            for sentence, score in zip(said, found.tolist(), strict=True)
        ]
        return _within((min(worth) + float(np.mean(worth))) / 2)

    def relevance(self, answer: str, query: str) -> float:
        """How near the sentence nearest to the question is, or the answer as a whole.

        Raises:
            CheckFailed: the sentences cannot be embedded.
        """
        said = sentences(answer)
        if not said or not query.strip():
            return 0.0
        return _within(float(_cosines(self._embed([query, *said, answer]), 1).max()))


def _cosines(vectors: Vectors, first: int) -> Vectors:
    return vectors[:first] @ vectors[first:].T


def _within(score: float) -> float:
    return min(1.0, max(0.0, score))
