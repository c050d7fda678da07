"""What a check found: of which rule, and where in the original."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """`rule` is the word, the PII type or the expression's name; `end` is past the last character."""

    start: int
    end: int
    rule: str

    def __len__(self) -> int:
        return self.end - self.start


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """In the order of the text, without those that lie within another of the same rule: views see things twice."""
    kept = list[Finding]()
    furthest = dict[str, int]()
    for finding in sorted(set(findings), key=lambda each: (each.start, -each.end, each.rule)):
        if finding.end > furthest.get(finding.rule, -1):
            kept.append(finding)
            furthest[finding.rule] = finding.end
    return kept
