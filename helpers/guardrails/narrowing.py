"""A policy without what the edge cannot enforce."""

from typing import Any

from helpers.guardrails.enforcement import coverage
from helpers.guardrails.policy import Policy, SensitiveInformationPolicy


def narrowed(policy: Policy) -> Policy:
    """`policy` with the gaps of its coverage left out; the messages and the rest stay."""
    gaps = {(gap.policy, gap.rule) for gap in coverage(policy).gaps}
    changes: dict[str, Any] = {"automated_reasoning_policy": None}
    private = policy.sensitive_information_policy
    if private:
        section = "sensitiveInformationPolicy"
        kept = SensitiveInformationPolicy(
            pii_entities=[rule for rule in private.pii_entities if (section, rule.type) not in gaps],
            regexes=[rule for rule in private.regexes if (section, f"regex {rule.name}") not in gaps],
        )
        changes["sensitive_information_policy"] = kept if kept.pii_entities or kept.regexes else None
    if policy.word_policy:
        changes["word_policy"] = policy.word_policy.model_copy(update={"managed_word_lists": []})
    return policy.model_copy(update=changes)
