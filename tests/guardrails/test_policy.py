import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers.guardrails import Policy, PolicyInvalid
from helpers.settings.settings import ROOT
from tests.guardrails.policies import content_filter, policy, private, topic, words

SAMPLE = ROOT / "notebooks" / "data" / "guardrails" / "policy.json"

AS_GOT = {
    **policy(),
    "guardrailId": "abc",
    "guardrailArn": "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc",
    "version": "3",
    "status": "READY",
    "createdAt": datetime(2026, 1, 1, tzinfo=UTC),
    "updatedAt": datetime(2026, 2, 1, tzinfo=UTC),
    "ResponseMetadata": {"HTTPStatusCode": 200},
    "topicPolicy": {
        "topics": [{"name": "Gardens", "definition": "roses tulips and lilies", "type": "DENY", "inputEnabled": True}],
        "tier": {"tierName": "CLASSIC"},
    },
    "wordPolicy": {"words": [{"text": "b", "inputAction": "BLOCK"}, {"text": "a"}], "managedWordLists": []},
    "sensitiveInformationPolicy": {"piiEntities": [{"type": "EMAIL", "action": "ANONYMIZE"}], "regexes": []},
}
CERTAIN = {"type": "GROUNDING", "threshold": 1}
AS_CREATED = policy(**topic(), **words("a", "b"), **private({"EMAIL": "ANONYMIZE"}))


def test_what_was_created_and_what_is_got_are_one_policy() -> None:
    assert Policy.read(AS_GOT).sha256 == Policy.read(AS_CREATED).sha256


def test_ids_dates_and_version_do_not_change_the_sum() -> None:
    later = {**AS_GOT, "version": "4", "guardrailId": "xyz", "updatedAt": datetime(2026, 3, 1, tzinfo=UTC)}
    assert Policy.read(later).sha256 == Policy.read(AS_GOT).sha256


@pytest.mark.parametrize(
    "changed",
    [
        {"blockedInputMessaging": "No."},
        words("a", "c"),
        private({"EMAIL": "BLOCK"}),
        topic(definition="roses"),
        words("a", "b", outputEnabled=False),
    ],
)
def test_every_other_change_changes_the_sum(changed: dict[str, Any]) -> None:
    assert Policy.read({**AS_CREATED, **changed}).sha256 != Policy.read(AS_CREATED).sha256


def test_a_policy_reads_what_it_writes() -> None:
    sample = Policy.load(SAMPLE)
    assert Policy.read(sample.definition()).definition() == sample.definition()
    assert json.loads(sample.canonical()) == sample.definition()


def test_botocore_takes_what_a_policy_writes() -> None:
    import botocore.session
    from botocore.validate import ParamValidator

    shape = botocore.session.get_session().get_service_model("bedrock").operation_model("CreateGuardrail").input_shape
    assert not ParamValidator().validate(Policy.load(SAMPLE).definition(), shape).has_errors()


@pytest.mark.parametrize(
    ("parts", "field", "remedy"),
    [
        (topic(definition="d" * 201), "topicPolicy.topics[0].definition", "200"),
        (topic(name="n" * 101), "topicPolicy.topics[0].name", "100"),
        (topic(examples=["e"] * 6), "topics[0].examples", "at most 5"),
        (topic(examples=["e" * 101]), "topics[0].examples[0]", "100"),
        (topic(name="a/b"), "topics[0].name", "matches"),
        (words("w" * 101), "wordPolicy.words[0].text", "100"),
        (words(*map(str, range(10_001))), "wordPolicy.words", "10000"),
        (words("a", "a"), "wordPolicyConfig.wordsConfig", "Keep one"),
        (content_filter("RUDENESS"), "filters[0].type", "INSULTS"),
        (content_filter(strength="VERY"), "filters[0].inputStrength", "HIGH"),
        (content_filter("PROMPT_ATTACK"), "filters[0]", "outputStrength to NONE"),
        (private({"SHOE_SIZE": "BLOCK"}), "piiEntities[0].type", "EMAIL"),
        (private({"EMAIL": "HIDE"}), "piiEntities[0].action", "ANONYMIZE"),
        (private(regexes={"r": ("p" * 501, "BLOCK")}), "regexes[0].pattern", "500"),
        (private(regexes={f"r{n}": ("p", "BLOCK") for n in range(31)}), "regexes", "at most 30"),
        ({"contextualGroundingPolicyConfig": {"filtersConfig": [CERTAIN]}}, "filters[0].threshold", "below"),
        ({"topicsPolicyConfig": {}}, "topicsPolicy", "correct its name"),
        ({**words("a"), "name": "with space"}, "name", "matches"),
        ({}, "no rule", "at least one"),
    ],
)  # fmt: skip
def test_what_the_service_refuses_is_refused_with_field_and_remedy(parts: Any, field: str, remedy: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        Policy.read(policy(**parts) if "name" not in parts else {**policy(), **parts})
    assert field in str(refused.value) and remedy in str(refused.value)


def test_a_missing_message_is_named() -> None:
    given = policy(**words("a"))
    del given["blockedInputMessaging"]
    with pytest.raises(PolicyInvalid, match=r"blockedInputMessaging: Field required\. Add it\."):
        Policy.read(given)


def test_an_action_for_both_sides_is_complained_about_once() -> None:
    given = policy(sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "NAME", "action": "MASK"}]})
    with pytest.raises(PolicyInvalid) as refused:
        Policy.read(given)
    assert str(refused.value).count("piiEntities[0].action: ") == 1
    assert "Action: " not in str(refused.value)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text("name = 'x'")
    with pytest.raises(PolicyInvalid, match="create_guardrail"):
        Policy.load(tmp_path / "policy.json")
