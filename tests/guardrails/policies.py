"""Policies and an embedding for tests: words in common are nearness, so that no model is needed."""

import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.guardrails.embedding import Vectors

SIZE = 512


def by_words(texts: Sequence[str]) -> Vectors:
    """Vectors of length 1 in which each word has a place: texts without a word in common are at a right angle."""
    vectors = np.zeros((len(texts), SIZE), np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+", text.lower()):
            vectors[row, zlib.crc32(word.encode()) % SIZE] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def policy(**parts: Any) -> dict[str, Any]:
    """The arguments of create_guardrail with these parts."""
    about = {"name": "test", "blockedInputMessaging": "Not asked.", "blockedOutputsMessaging": "Not said."}
    return {**about, **parts}


def words(*texts: str, **rule: Any) -> dict[str, Any]:
    return {"wordPolicyConfig": {"wordsConfig": [{"text": text, **rule} for text in texts]}}


def private(types: dict[str, str] | None = None, regexes: dict[str, tuple[str, str]] | None = None) -> dict[str, Any]:
    entities = [{"type": kind, "action": action} for kind, action in (types or {}).items()]
    patterns = [{"name": n, "pattern": pattern, "action": act} for n, (pattern, act) in (regexes or {}).items()]
    parts = {"piiEntitiesConfig": entities, "regexesConfig": patterns}
    return {"sensitiveInformationPolicyConfig": {key: value for key, value in parts.items() if value}}


def topic(name: str = "Gardens", definition: str = "roses tulips and lilies", **rule: Any) -> dict[str, Any]:
    return {"topicPolicyConfig": {"topicsConfig": [{"name": name, "definition": definition, "type": "DENY", **rule}]}}


def content_filter(kind: str = "INSULTS", strength: str = "HIGH", **rule: Any) -> dict[str, Any]:
    made = {"type": kind, "inputStrength": strength, "outputStrength": strength, **rule}
    return {"contentPolicyConfig": {"filtersConfig": [made]}}


def text(said: str, *qualifiers: str) -> dict[str, Any]:
    return {"text": {"text": said, **({"qualifiers": list(qualifiers)} if qualifiers else {})}}
