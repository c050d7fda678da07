"""What of a policy the edge enforces, how, and what it cannot.

pd.DataFrame(coverage(policy).rows())
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from helpers.guardrails.errors import PolicyInvalid
from helpers.guardrails.expressions import compiled
from helpers.guardrails.normaliser import folded
from helpers.guardrails.policy import Policy
from helpers.guardrails.recognisers import RECOGNISERS

BY_MEANING = "nearness of sentences to examples, English; approximate"


@dataclass(frozen=True)
class Covered:
    """One rule of a policy: `policy` as ApplyGuardrail names its assessment, `how` it is enforced or why it is not."""

    policy: str
    rule: str
    enforced: bool
    how: str

    def __str__(self) -> str:
        return f"{self.policy}, {self.rule}: {self.how}"


@dataclass(frozen=True)
class Coverage:
    """Every rule of a policy, words counted as one."""

    rules: tuple[Covered, ...]

    @property
    def gaps(self) -> tuple[Covered, ...]:
        """What is not enforced."""
        return tuple(rule for rule in self.rules if not rule.enforced)

    def rows(self) -> list[dict[str, object]]:
        """For a table."""
        return [asdict(rule) for rule in self.rules]


def coverage(policy: Policy) -> Coverage:
    """Each rule of `policy`, and whether the edge can enforce it."""
    return Coverage((*_topics(policy), *_content(policy), *_words(policy), *_private(policy), *_other(policy)))


def _topics(policy: Policy) -> Iterator[Covered]:
    if not policy.topic_policy:
        return
    for topic in policy.topic_policy.topics:
        yield Covered("topicPolicy", topic.name, True, f"{BY_MEANING}, of its definition and examples")
    yield from _tier("topicPolicy", policy.topic_policy.tier_name)


def _content(policy: Policy) -> Iterator[Covered]:
    if not policy.content_policy:
        return
    for rule in policy.content_policy.filters:
        yield Covered("contentPolicy", rule.type, True, BY_MEANING)
        if "IMAGE" in (*rule.input_modalities, *rule.output_modalities):
            yield Covered("contentPolicy", f"{rule.type} in images", False, "no image model at the edge")
    yield from _tier("contentPolicy", policy.content_policy.tier_name)


def _words(policy: Policy) -> Iterator[Covered]:
    if not policy.word_policy:
        return
    unseen = sum(not folded(word.text).strip() for word in policy.word_policy.words)
    if unseen:
        yield Covered("wordPolicy", f"{unseen} words of invisible characters", False, "nothing is left to look for")
    if count := len(policy.word_policy.words) - unseen:
        yield Covered("wordPolicy", f"{count} words", True, "whole words, in either case, disguises undone")
    for managed in policy.word_policy.managed_word_lists:
        yield Covered("wordPolicy", managed.type, False, "AWS does not publish its list; add the words themselves")


def _private(policy: Policy) -> Iterator[Covered]:
    private = policy.sensitive_information_policy
    if not private:
        return
    how = {recogniser.type: recogniser.how for recogniser in reversed(RECOGNISERS)}
    for entity in private.pii_entities:
        known = entity.type in how
        said = how.get(entity.type, "needs a language model; no pattern tells it from other words")
        yield Covered("sensitiveInformationPolicy", entity.type, known, said)
    for expression in private.regexes:
        problem = _problem(expression.name, expression.pattern)
        said = problem or "the regex package, within a time"
        yield Covered("sensitiveInformationPolicy", f"regex {expression.name}", not problem, said)


def _problem(name: str, pattern: str) -> str:
    try:
        compiled(name, pattern)
    except PolicyInvalid as error:
        return str(error)
    return ""


def _other(policy: Policy) -> Iterator[Covered]:
    grounding = policy.contextual_grounding_policy
    for rule in grounding.filters if grounding else ():
        yield Covered("contextualGroundingPolicy", rule.type, True, "nearness of sentences, English; approximate")
    yield from _tier("contextualGroundingPolicy", grounding.tier_name if grounding else "CLASSIC")
    if policy.automated_reasoning_policy:
        for arn in policy.automated_reasoning_policy.policies:
            yield Covered("automatedReasoningPolicy", arn, False, "the prover is in the Region only")


def _tier(section: str, name: str) -> Iterator[Covered]:
    if name != "CLASSIC":
        yield Covered(section, f"tier {name}", False, "its languages and models are in the Region only; use CLASSIC")
