"""Each part of a policy applied to blocks of text: its part of the assessment, and what is to be masked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from helpers.guardrails.content import Block
from helpers.guardrails.embedding import Embed
from helpers.guardrails.expressions import Expressions
from helpers.guardrails.findings import Finding
from helpers.guardrails.grounding import Grounding
from helpers.guardrails.meaning import BLOCKS_FROM, TOPIC, Meaning, confidence
from helpers.guardrails.normaliser import plain_letters
from helpers.guardrails.pii import Pii
from helpers.guardrails.policy import Action, Policy, Rule, Source
from helpers.guardrails.sentences import sentences
from helpers.guardrails.words import Words

Scope = Literal["INTERVENTIONS", "FULL"]
SIDES: tuple[Source, Source] = ("INPUT", "OUTPUT")
SAID = {"BLOCK": "BLOCKED", "ANONYMIZE": "ANONYMIZED", "NONE": "NONE"}  # assessments have other words than policies


@dataclass
class Verdict:
    """`sections` of the assessment by name; masks are a block's number, the find, and its rule."""

    sections: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    masks: list[tuple[int, Finding]] = field(default_factory=list)
    blocked: bool = False

    def add(self, section: str, part: str, entry: dict[str, Any]) -> None:
        """One line of the assessment; it may block."""
        self.sections.setdefault(section, {}).setdefault(part, []).append(entry)
        self.blocked = self.blocked or entry["action"] == "BLOCKED"


Name = TypeVar("Name", bound=str)
Apply = Callable[[Sequence[Block], Source, Scope, Verdict], None]


def words(policy: Policy) -> Apply:
    """The words of `policy`; the managed list is not known at the edge."""
    rules = {word.text: word for word in policy.word_policy.words} if policy.word_policy else {}
    found = {source: Words(_active(rules, source)) for source in SIDES}

    def apply(blocks: Sequence[Block], source: Source, _: Scope, verdict: Verdict) -> None:
        for block in blocks:
            for finding in found[source].find(block.views):
                action = SAID[rules[finding.rule].action(source) or "NONE"]
                match = block.text[finding.start : finding.end]
                entry = {"match": match, "action": action, "detected": True}
                verdict.add("wordPolicy", "customWords", entry)

    return apply


def personal_data(policy: Policy) -> Apply:
    """The types of personal data, and the regular expressions."""
    private = policy.sensitive_information_policy
    types = {rule.type: rule for rule in private.pii_entities} if private else {}
    expressions = {rule.name: rule for rule in private.regexes} if private else {}
    done = {side: {str(kind): act for kind, act in _active(types, side).items()} for side in SIDES}
    pii = {side: Pii(_active(types, side)) for side in SIDES}
    matching = {
        side: Expressions({name: expressions[name].pattern for name in _active(expressions, side)}) for side in SIDES
    }

    def apply(blocks: Sequence[Block], source: Source, _: Scope, verdict: Verdict) -> None:
        for number, block in enumerate(blocks):
            for finding in pii[source].find(block.views):
                entry = {"match": block.text[finding.start : finding.end], "type": finding.rule}
                _private(verdict, "piiEntities", entry, done[source][finding.rule], (number, finding))
            for finding in matching[source].find(block.views):
                rule = expressions[finding.rule]
                entry = {"name": rule.name, "match": block.text[finding.start : finding.end], "regex": rule.pattern}
                _private(verdict, "regexes", entry, rule.action(source), (number, finding))

    return apply


def meaning(policy: Policy, embed: Embed, *, thorough: bool) -> Apply:
    """Topics and content filters, which share the work of embedding."""
    topics = {topic.name: topic for topic in policy.topic_policy.topics} if policy.topic_policy else {}
    filters = {rule.type: rule for rule in policy.content_policy.filters} if policy.content_policy else {}
    sides = {
        side: Meaning(
            [topics[name] for name in _active(topics, side)],
            [kind for kind in _active(filters, side) if filters[kind].strength(side) != "NONE"],
            embed,
            thorough=thorough,
        )
        for side in SIDES
    }

    def apply(blocks: Sequence[Block], source: Source, scope: Scope, verdict: Verdict) -> None:
        scores = sides[source].scores([sentence for block in blocks for sentence in _readings(block)])
        for name, score in scores.topics.items():
            detected = score >= TOPIC
            if detected or scope == "FULL":
                action = SAID[topics[name].action(source) or "NONE"] if detected else "NONE"
                entry = {"name": name, "type": "DENY", "action": action, "detected": detected}
                verdict.add("topicPolicy", "topics", entry)
        for kind, score in scores.filters.items():
            rule, sure = filters[kind], confidence(score)
            detected = sure in BLOCKS_FROM[rule.strength(source)]
            if detected or scope == "FULL":
                entry = {"type": kind, "confidence": sure, "filterStrength": rule.strength(source)}
                action = SAID[rule.action(source) or "NONE"] if detected else "NONE"
                verdict.add("contentPolicy", "filters", {**entry, "action": action, "detected": detected})

    return apply


def grounded(policy: Policy, embed: Embed) -> Callable[[str, str, str, Scope, Verdict], None]:
    """Contextual grounding: of an answer, by source and query; a filter whose measure is not given is left out."""
    rules = policy.contextual_grounding_policy.filters if policy.contextual_grounding_policy else []
    measure = Grounding(embed)

    def apply(answer: str, source: str, query: str, scope: Scope, verdict: Verdict) -> None:
        for rule in rules:
            against = source if rule.type == "GROUNDING" else query
            if not rule.enabled or not against.strip():
                continue
            of = measure.grounding if rule.type == "GROUNDING" else measure.relevance
            score = round(of(answer, against), 4)
            detected = score < rule.threshold
            if detected or scope == "FULL":
                entry = {"type": rule.type, "threshold": rule.threshold, "score": score}
                action = SAID[rule.action] if detected else "NONE"
                verdict.add("contextualGroundingPolicy", "filters", {**entry, "action": action, "detected": detected})

    return apply


def _private(
    verdict: Verdict, part: str, entry: dict[str, Any], action: Action | None, mask: tuple[int, Finding]
) -> None:
    verdict.add("sensitiveInformationPolicy", part, {**entry, "action": SAID[action or "NONE"], "detected": True})
    if action == "ANONYMIZE":
        verdict.masks.append(mask)


def _active(rules: Mapping[Name, Rule], source: Source) -> dict[Name, Action]:
    """The rules that are looked for on this side, and what each does."""
    return {name: action for name, rule in rules.items() if (action := rule.action(source)) is not None}


def _readings(block: Block) -> list[str]:
    """The sentences of every view, and of it with digits for letters undone, each once."""
    read = dict[str, None]()
    for view in block.views:
        read.update(dict.fromkeys(sentences(view.text)))
        letters = plain_letters(view)
        if letters is not None:
            read.update(dict.fromkeys(sentences(letters.text)))
    return list(read)
