"""A guardrail as Bedrock's data plane applies it: to texts that are given, or around a conversation with a model.

Around a conversation it judges the texts of messages before the model, and those of the answer after it. As on AWS it
sees no results of tools, no arguments that the model gives to tools, and of a message with `guardContent` only that.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from helpers.guardrails.judge import GIVEN, Judge, Scope, Source, blocked, is_judged, masked, message, passed, texts
from helpers.region.errors import JudgeFailed, RegionError, ValidationError

Json = dict[str, Any]
Answered = Callable[[Json], Json]  # the answer of Converse to its parameters

INTERVENED = "guardrail_intervened"
NOTHING: Json = {
    "usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0},
    "metrics": {"latencyMs": 0},
}


class Careful:
    """`judge`, whose failures are errors of the service."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def apply(self, source: Source, content: list[Json], output_scope: Scope = "INTERVENTIONS") -> Json:
        """The report.

        Raises:
            ValidationError: there is something else than text in `content`.
            JudgeFailed: the judge fails.
        """
        if any("text" not in block for block in content):
            raise ValidationError("This Region on a laptop judges text only. Leave images out.")
        try:
            return self.judge.apply(source, content, output_scope)
        except RegionError:
            raise
        except Exception as error:
            raise JudgeFailed(f"The judge of this guardrail failed: {type(error).__name__}.") from error


class Guarded:
    """A guardrail around a conversation."""

    def __init__(self, judge: Judge, name: str, trace: str = "disabled") -> None:
        """`name` is the guardrail's id; `trace` is disabled, enabled or enabled_full, as in a request."""
        self.judge, self.name, self.trace = judge, name, trace
        self.scope: Scope = "FULL" if trace == "enabled_full" else "INTERVENTIONS"
        self.seen: Json = {}  # what the trace tells

    def converse(self, params: Json, answered: Answered) -> Json:
        """The answer to `params`, which may be that it is blocked."""
        params = copy.deepcopy(params)
        places = judged_places(params)
        report, kept = self._judge("INPUT", [_content(place) for place in places])
        self.seen["inputAssessment"] = {self.name: next(iter(report["assessments"]), {})}
        if blocked(report):
            return self._told(_blocked(report, NOTHING))
        for place, text in zip(filter(is_judged, places), kept, strict=True):
            place["text"] = text
        return self._told(self._after(answered(plain(params)), places))

    def _after(self, answer: Json, places: list[Json]) -> Json:
        """The answer as it may pass."""
        spoken = [block for block in answer["output"]["message"]["content"] if block.get("text")]
        given = [_content(place | {"qualifiers": sorted(role)}) for place in places if (role := _given(place))]
        report, kept = self._judge("OUTPUT", [*given, *texts(*(block["text"] for block in spoken))] if spoken else [])
        self.seen["outputAssessments"] = {self.name: report["assessments"]}
        self.seen["modelOutput"] = [block["text"] for block in spoken]
        if blocked(report):
            return _blocked(report, answer)
        for block, text in zip(spoken, kept, strict=True):
            block["text"] = text
        return answer | {"stopReason": INTERVENED} if masked(report) else answer

    def _judge(self, source: Source, content: list[Json]) -> tuple[Json, list[str]]:
        if not content:
            return {"action": "NONE", "assessments": []}, []
        report, kept = passed(self.judge, source, content, self.scope)
        if report.get("actionReason"):
            self.seen["actionReason"] = report["actionReason"]
        return report, kept

    def _told(self, answer: Json) -> Json:
        return answer if self.trace == "disabled" else answer | {"trace": {"guardrail": self.seen}}


def judged_places(params: Json) -> list[Json]:
    """Where the texts stand that a guardrail judges: dictionaries with `text`, and perhaps `qualifiers`."""
    messages = [block for message in params.get("messages") or [] for block in message["content"]]
    blocks = [*(params.get("system") or []), *messages]
    if guarded := [block["guardContent"]["text"] for block in blocks if "text" in block.get("guardContent", {})]:
        return guarded
    return [block for block in messages if block.get("text")]


def plain(params: Json) -> Json:
    """The request without a word of a guardrail, which the model need not know of."""
    lists = [params.get("system") or [], *(message["content"] for message in params.get("messages") or [])]
    for blocks in lists:
        blocks[:] = [
            {"text": block["guardContent"]["text"]["text"]} if "text" in block.get("guardContent", {}) else block
            for block in blocks
        ]
    return {name: value for name, value in params.items() if name != "guardrailConfig"}


def events(answer: Json) -> Iterator[Json]:
    """An answer as the events of ConverseStream."""
    yield {"messageStart": {"role": "assistant"}}
    for place, block in enumerate(answer["output"]["message"]["content"]):
        yield from ({kind: {"contentBlockIndex": place} | value} for kind, value in _block(block))
    ended = {name: answer[name] for name in ("stopReason", "additionalModelResponseFields") if name in answer}
    yield {"messageStop": ended}
    yield {"metadata": {name: answer[name] for name in ("usage", "metrics", "trace") if name in answer}}


def _block(block: Json) -> Iterator[tuple[str, Json]]:
    if use := block.get("toolUse"):
        yield "contentBlockStart", {"start": {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}}
        yield "contentBlockDelta", {"delta": {"toolUse": {"input": json.dumps(use["input"])}}}
    else:
        yield "contentBlockDelta", {"delta": {"text": block["text"]}}
    yield "contentBlockStop", {}


def _content(place: Json) -> Json:
    return {"text": {name: place[name] for name in ("text", "qualifiers") if place.get(name)}}


def _given(place: Json) -> set[str]:
    """As what an answer is held against the text, if it is."""
    return GIVEN & set(place.get("qualifiers") or [])


def _blocked(report: Json, answer: Json) -> Json:
    said = {"role": "assistant", "content": [{"text": message(report)}]}
    return answer | {"output": {"message": said}, "stopReason": INTERVENED}
