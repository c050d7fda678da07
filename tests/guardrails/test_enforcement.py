from typing import Any

import pytest

from helpers.guardrails import EdgeGuardrail, NotEnforceable, Policy, coverage
from tests.guardrails.policies import by_words, content_filter, policy, private, text, topic, words

REASONING = "arn:aws:bedrock:eu-central-1:123456789012:automated-reasoning-policy/abcdefghijkl:1"
STANDARD = {"tierName": "STANDARD"}
GAPS = [
    ({"automatedReasoningPolicyConfig": {"policies": [REASONING]}}, REASONING),
    (content_filter(inputModalities=["TEXT", "IMAGE"]), "INSULTS in images"),
    ({"contentPolicyConfig": {**content_filter()["contentPolicyConfig"], "tierConfig": STANDARD}}, "tier STANDARD"),
    ({"topicPolicyConfig": {**topic()["topicPolicyConfig"], "tierConfig": STANDARD}}, "tier STANDARD"),
    ({"wordPolicyConfig": {"managedWordListsConfig": [{"type": "PROFANITY"}]}}, "PROFANITY"),
    (words("\u200b\u200d"), "words of invisible characters"),
    (private({"NAME": "ANONYMIZE"}), "NAME"),
    (private({"ADDRESS": "BLOCK"}), "ADDRESS"),
    (private(regexes={"broken": ("(a", "BLOCK")}), "regex broken"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "named"), GAPS)
def test_a_policy_that_cannot_be_enforced_in_full_is_refused_by_name(parts: dict[str, Any], named: str) -> None:
    with pytest.raises(NotEnforceable) as refused:
        EdgeGuardrail(policy(**parts), embed=by_words)
    assert named in str(refused.value) and "narrowed=True" in str(refused.value)
    assert [gap for gap in refused.value.gaps if named in gap.rule]


@pytest.mark.parametrize(("parts", "named"), GAPS)
def test_a_narrowed_guardrail_says_what_it_leaves_out_and_judges_the_rest(parts: dict[str, Any], named: str) -> None:
    rest = {} if "wordPolicyConfig" in parts else words("fome")
    guardrail = EdgeGuardrail(policy(**{**parts, **rest}), narrowed=True, embed=by_words)
    assert [gap for gap in guardrail.gaps if named in gap.rule]
    if rest:
        assert guardrail.apply("INPUT", [text("buy fome")])["action"] == "GUARDRAIL_INTERVENED"


def test_a_policy_that_can_be_enforced_has_no_gaps() -> None:
    full = policy(**topic(), **content_filter(), **words("a"), **private({"EMAIL": "BLOCK"}, {"p": ("P-1", "BLOCK")}))
    assert EdgeGuardrail(full, embed=by_words).gaps == ()
    assert {row["enforced"] for row in coverage(Policy.read(full)).rows()} == {True}


def test_an_expression_that_nothing_can_compile_is_a_gap_and_not_an_error() -> None:
    both = policy(**private(regexes={"good": ("P-1", "BLOCK"), "bad": ("[z-a]", "BLOCK")}))
    guardrail = EdgeGuardrail(both, narrowed=True)
    assert [gap.rule for gap in guardrail.gaps] == ["regex bad"]
    assert guardrail.apply("INPUT", [text("P-1")])["action"] == "GUARDRAIL_INTERVENED"
