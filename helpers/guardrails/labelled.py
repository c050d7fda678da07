"""Labelled texts, and how well a guardrail finds what they are labelled with, a row for each kind of policy.

rows = measured(texts("test"), lambda each: guardrail.apply(each.source, each.content), left_out={"NAME"})
pd.DataFrame(rows)  # policy, right, wrong, missed, precision, recall
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from helpers.guardrails.policy import Source
from helpers.settings.settings import ROOT

TEXTS = ROOT / "notebooks" / "data" / "guardrails" / "texts.jsonl"
POLICIES = (
    "topicPolicy",
    "contentPolicy",
    "wordPolicy",
    "sensitiveInformationPolicy",
    "contextualGroundingPolicy",
)
A_WORD = "a word"  # an assessment names words as they were written, and not as the policy has them


@dataclass(frozen=True)
class Labelled:
    """`labels` are the names of what is to be found, by policy; `hidden` is what a `disguise` hides."""

    id: int
    split: Literal["dev", "test"]
    source: Source
    text: str
    labels: Mapping[str, list[str]]
    disguise: str = ""
    hidden: str = ""
    query: str = ""
    grounding_source: str = ""

    @property
    def content(self) -> list[dict[str, Any]]:
        """As ApplyGuardrail takes it."""
        context = {"query": self.query, "grounding_source": self.grounding_source}
        blocks = [{"text": {"text": said, "qualifiers": [name]}} for name, said in context.items() if said]
        return [*blocks, {"text": {"text": self.text, "qualifiers": ["guard_content"]}}]


def texts(split: Literal["dev", "test"] | None = None, path: Path = TEXTS) -> list[Labelled]:
    """The texts of one half, or all; thresholds were chosen on `dev`, figures are of `test`."""
    found = [Labelled(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    return [each for each in found if split in (None, each.split)]


def measured(
    labelled: Iterable[Labelled],
    judge: Callable[[Labelled], Mapping[str, Any]],
    left_out: Collection[str] = (),
) -> list[dict[str, Any]]:
    """One row a kind of policy; `left_out` are names that do not count, found or not: types without a recogniser."""
    counts = {policy: [0, 0, 0] for policy in POLICIES}
    for each in labelled:
        said = found(judge(each))
        for policy in POLICIES:
            wanted = set(each.labels.get(policy, ())) - set(left_out)
            wanted = {A_WORD} if policy == "wordPolicy" and wanted else wanted
            named = said[policy] - set(left_out)
            right, wrong, missed = wanted & named, named - wanted, wanted - named
            counts[policy] = [a + len(b) for a, b in zip(counts[policy], (right, wrong, missed), strict=True)]
    return [_row(policy, *count) for policy, count in counts.items()]


def found(answer: Mapping[str, Any]) -> dict[str, set[str]]:
    """The names of what an answer of ApplyGuardrail reports as detected, by policy."""
    names = {policy: set[str]() for policy in POLICIES}
    for assessment in answer["assessments"]:
        for policy in POLICIES:
            for entries in assessment.get(policy, {}).values():
                names[policy] |= {
                    entry.get("name") or entry.get("type") or A_WORD for entry in entries if entry.get("detected", True)
                }
    return names


def _row(policy: str, right: int, wrong: int, missed: int) -> dict[str, Any]:
    return {
        "policy": policy,
        "right": right,
        "wrong": wrong,
        "missed": missed,
        "precision": right / max(1, right + wrong),
        "recall": right / max(1, right + missed),
    }
