"""What a judge of a guardrail is, and how to read its report, whoever judged: the Region or the edge.

A report is what boto3's ApplyGuardrail gives: `action`, `outputs`, `assessments` and so on. `outputs` hold the blocked
message, or the texts with what is masked in them, one for each text that was given.
"""

from collections.abc import Iterator
from typing import Any, Literal, Protocol

Json = dict[str, Any]
Source = Literal["INPUT", "OUTPUT"]
Scope = Literal["INTERVENTIONS", "FULL"]
INTERVENED = "GUARDRAIL_INTERVENED"
GIVEN = {"grounding_source", "query"}  # qualifiers of what an answer is held against


class Judge(Protocol):
    """Whatever judges texts by a guardrail."""

    def apply(self, source: Source, content: list[Json], output_scope: Scope = "INTERVENTIONS") -> Json:
        """The report on `content`, in the shape of ApplyGuardrail's."""


def texts(*given: str) -> list[Json]:
    """Plain texts as the content that is to be judged."""
    return [{"text": {"text": text}} for text in given]


def blocked(report: Json) -> bool:
    """Whether nothing of what was judged may pass; a report that is no report says so too."""
    if report.get("action") == "NONE":
        return False
    actions = set(_actions(report.get("assessments")))
    return report.get("action") != INTERVENED or "BLOCKED" in actions or "ANONYMIZED" not in actions


def masked(report: Json) -> bool:
    """Whether what was judged may pass with something in it masked."""
    return report.get("action") == INTERVENED and not blocked(report)


def message(report: Json) -> str:
    """The blocked message."""
    return "\n".join(output["text"] for output in report.get("outputs") or [] if output.get("text"))


def passed(judge: Judge, source: Source, content: list[Json], scope: Scope = "INTERVENTIONS") -> tuple[Json, list[str]]:
    """The report on `content`, and its texts as they may pass: none, if they are blocked.

    What others are held against, sources of grounding and the query, is not among these texts.
    """
    own = [block for block in content if is_judged(block["text"])]
    given = [block["text"]["text"] for block in own]
    report = judge.apply(source, content, scope)
    if blocked(report):
        return report, []
    if not masked(report):
        return report, given
    outputs = [output["text"] for output in report["outputs"]]
    return report, outputs if len(outputs) == len(own) else [_one(judge, source, text) for text in given]


def is_judged(text: Json) -> bool:
    """Whether a text of content is judged, and not only what others are held against."""
    qualifiers = text.get("qualifiers") or []
    return not qualifiers or "guard_content" in qualifiers


def _one(judge: Judge, source: Source, text: str) -> str:
    """A text as it may pass, judged by itself: of several, the judge has not told which became what."""
    report = judge.apply(source, texts(text))
    return text if report["action"] == "NONE" else message(report)


def masks(report: Json) -> Iterator[tuple[str, str]]:
    """What was masked: the name of its kind, as it stands in braces in the outputs, and the text that was there."""
    for assessment in report.get("assessments") or []:
        policy = assessment.get("sensitiveInformationPolicy") or {}
        for found in [*policy.get("piiEntities", []), *policy.get("regexes", [])]:
            if found.get("action") == "ANONYMIZED" and found.get("match"):
                yield found.get("type") or found.get("name", ""), found["match"]


def _actions(value: Any) -> Iterator[str]:  # noqa: ANN401 - what JSON holds
    """Each `action` anywhere in the assessments."""
    if isinstance(value, dict):
        if isinstance(value.get("action"), str):
            yield value["action"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _actions(inner)
