"""Denied topics and content filters, by how near a text's sentences are to examples.

A sentence's score for a class is the mean cosine to the nearest of its examples, less half of that to the nearest
harmless ones: "the knife is for the kitchen" is near to violence, but nearer to harmless sentences. The examples are in
`examples.toml`; a topic's are its definition and the policy's own.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from helpers.guardrails.embedding import Embed, Vectors
from helpers.guardrails.gate import HARMLESS, Gate, nearness
from helpers.guardrails.policy import FilterType, Strength, Topic

EXAMPLES = Path(__file__).with_name("examples.toml")
# Chosen on the even half of notebooks/data/guardrails/texts.jsonl.
TOPIC = 0.23
CONFIDENCE: tuple[tuple[Strength, float], ...] = (("HIGH", 0.42), ("MEDIUM", 0.32), ("LOW", 0.24))
BLOCKS_FROM: Mapping[Strength, tuple[Strength, ...]] = {
    "NONE": (),
    "LOW": ("HIGH",),
    "MEDIUM": ("HIGH", "MEDIUM"),
    "HIGH": ("HIGH", "MEDIUM", "LOW"),
}


@dataclass(frozen=True)
class Scores:
    """The highest score of any sentence, by topic and by filter; 0 to 1 for what is near, below 0 for the rest."""

    topics: dict[str, float]
    filters: dict[FilterType, float]


class Meaning:
    """Scores sentences for a policy's topics and content filters."""

    def __init__(
        self, topics: Sequence[Topic], filters: Sequence[FilterType], embed: Embed, *, thorough: bool = False
    ) -> None:
        """`thorough` embeds every sentence, where else a gate sends on those that may be near."""
        self._embed = embed
        self._topics = {topic.name: [topic.definition, *topic.examples] for topic in topics}
        self._filters = list(filters)
        self._references: dict[str, Vectors] | None = None
        self._gate = None if thorough or not (topics or filters) else Gate(self._said(), examples()[HARMLESS])

    def scores(self, sentences: Sequence[str]) -> Scores:
        """How near the nearest of `sentences` is to each topic and filter.

        Raises:
            CheckFailed: the sentences cannot be embedded.
        """
        sentences = list(dict.fromkeys(sentences))
        if self._gate:
            sentences = self._gate.stretches(self._gate.passing(sentences))
        if not sentences or not (self._topics or self._filters):
            return Scores(dict.fromkeys(self._topics, 0.0), dict.fromkeys(self._filters, 0.0))
        references = self._reference_vectors()
        vectors = self._embed(sentences)
        scores = {name: float(near.max()) for name, near in nearness(vectors, references).items()}
        return Scores({n: scores[f"topic {n}"] for n in self._topics}, {n: scores[n] for n in self._filters})

    def _said(self) -> dict[str, list[str]]:
        """The examples of each topic and filter."""
        texts = {f"topic {name}": said for name, said in self._topics.items()}
        return texts | {name: list(examples()[name]) for name in self._filters}

    def _reference_vectors(self) -> dict[str, Vectors]:
        if self._references is None:
            texts = self._said() | {HARMLESS: list(examples()[HARMLESS])}
            vectors = self._embed([text for said in texts.values() for text in said])
            ends = np.cumsum([len(said) for said in texts.values()])[:-1]
            self._references = dict(zip(texts, np.split(vectors, ends), strict=True))
        return self._references


def confidence(score: float) -> Strength:
    """How sure a filter is, in the service's words."""
    return next((name for name, least in CONFIDENCE if score >= least), "NONE")


@cache
def examples() -> Mapping[str, tuple[str, ...]]:
    """The labelled sentences, by class; fiction, written for this workshop."""
    read = tomllib.loads(EXAMPLES.read_text("utf-8"))
    return {name: tuple(part["sentences"]) for name, part in read.items()}
