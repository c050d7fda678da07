"""What differs between edge and Region is named, and nothing is said of a Region that was not asked."""

import sys
from types import ModuleType

import boto3
import pytest
from botocore.config import Config

from helpers.guardrails.drift import RegionNotAsked, differences, drift, repair

TOPIC = {"name": "dosing", "definition": "Advice on doses.", "type": "DENY", "inputAction": "BLOCK"}
DEFINITION = {
    "name": "ward",
    "blockedInputMessaging": "No.",
    "topicPolicyConfig": {"topicsConfig": [TOPIC], "tierConfig": {"tierName": "CLASSIC"}},
    "contentPolicyConfig": {"filtersConfig": [{"type": "VIOLENCE", "inputStrength": "HIGH"}]},
    "wordPolicyConfig": {"wordsConfig": [{"text": "warez"}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [{"type": "NAME", "action": "ANONYMIZE"}],
        "regexesConfig": [{"name": "PATIENT", "pattern": "P-[0-9]{4}", "action": "ANONYMIZE"}],
    },
    "contextualGroundingPolicyConfig": {"filtersConfig": [{"type": "GROUNDING", "threshold": 0.7}]},
}


class Policy:
    """A stand-in for the engine's: a definition that is kept as it is."""

    def __init__(self, definition):
        self.kept = definition

    @classmethod
    def read(cls, told):
        return cls({name: value for name, value in told.items() if name != "ResponseMetadata"})

    def definition(self):
        return self.kept


@pytest.fixture(autouse=True)
def policy_module(monkeypatch):
    module = ModuleType("helpers.guardrails.policy")
    module.Policy = Policy
    monkeypatch.setitem(sys.modules, "helpers.guardrails.policy", module)


class Bedrock:
    def __init__(self, definition):
        self.definition, self.asked = definition, None

    def get_guardrail(self, **asked):
        self.asked = asked
        return self.definition | {"ResponseMetadata": {}}


def changed(**policies):
    return DEFINITION | policies


@pytest.mark.parametrize(
    ("edge", "said"),
    [
        (changed(topicPolicyConfig={"tierConfig": {"tierName": "CLASSIC"}}), ["topic 'dosing' is missing at the edge"]),
        (
            changed(contentPolicyConfig={"filtersConfig": [{"type": "VIOLENCE", "inputStrength": "LOW"}]}),
            ["inputStrength of filter 'VIOLENCE' is HIGH in the Region and LOW at the edge"],
        ),
        (
            changed(wordPolicyConfig={"wordsConfig": [{"text": "warez"}, {"text": "extra"}]}),
            ["word 'extra' is only at the edge"],
        ),
        (
            changed(sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "NAME", "action": "BLOCK"}]}),
            [
                "action of PII 'NAME' is ANONYMIZE in the Region and BLOCK at the edge",
                "regex 'PATIENT' is missing at the edge",
            ],
        ),
        (
            changed(contextualGroundingPolicyConfig={"filtersConfig": [{"type": "GROUNDING", "threshold": 0.5}]}),
            ["threshold of filter 'GROUNDING' is 0.7 in the Region and 0.5 at the edge"],
        ),
        (
            changed(topicPolicyConfig={"topicsConfig": [TOPIC], "tierConfig": {"tierName": "STANDARD"}}),
            ["tierName of the topic policy is CLASSIC in the Region and STANDARD at the edge"],
        ),
        (changed(blockedInputMessaging="Stop."), ["blockedInputMessaging is No. in the Region and Stop. at the edge"]),
        (
            {name: value for name, value in DEFINITION.items() if name != "wordPolicyConfig"},
            ["word 'warez' is missing at the edge"],
        ),
    ],
)
def test_each_difference_is_a_sentence_that_names_the_field(edge, said):
    assert [str(found) for found in drift(Policy(edge), Bedrock(DEFINITION), "g", "3")] == said


def test_equal_policies_have_no_difference_whatever_their_order():
    words = [{"text": "a"}, {"text": "b"}]
    one, other = ({"wordPolicyConfig": {"wordsConfig": order}} for order in (words, words[::-1]))
    assert list(differences(one, other)) == []
    assert drift(Policy(DEFINITION), Bedrock(DEFINITION), "g", "3") == []


def test_a_repaired_policy_is_in_sync_and_of_the_version_that_was_asked_for():
    bedrock = Bedrock(changed(name="other"))
    repaired = repair(bedrock, "g", "3")
    assert bedrock.asked == {"guardrailIdentifier": "g", "guardrailVersion": "3"}
    assert drift(Policy(DEFINITION), bedrock, "g", "3") and not drift(repaired, bedrock, "g", "3")


def test_without_an_answer_of_the_region_nothing_is_in_sync():
    away = boto3.client(
        "bedrock",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-west-2",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(RegionNotAsked, match=r"not known.*link is up"):
        drift(Policy(DEFINITION), away, "g", "3")
