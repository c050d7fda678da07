"""What differs between edge and Region is named, and nothing is said of a Region that was not asked."""

import boto3
import pytest
from botocore.config import Config

from helpers.guardrails import Policy, RegionNotAsked, drift, repair
from helpers.guardrails.differences import differences

TOPIC = {"name": "dosing", "definition": "Advice on doses.", "type": "DENY", "inputAction": "BLOCK"}
VISITS = {"name": "visits", "definition": "Who visits whom.", "type": "DENY"}
VIOLENCE = {"type": "VIOLENCE", "inputStrength": "HIGH", "outputStrength": "HIGH"}
DEFINITION = {
    "name": "ward",
    "blockedInputMessaging": "No.",
    "blockedOutputsMessaging": "Nothing.",
    "topicPolicyConfig": {"topicsConfig": [TOPIC, VISITS], "tierConfig": {"tierName": "CLASSIC"}},
    "contentPolicyConfig": {"filtersConfig": [VIOLENCE]},
    "wordPolicyConfig": {"wordsConfig": [{"text": "warez"}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [{"type": "NAME", "action": "ANONYMIZE"}],
        "regexesConfig": [{"name": "PATIENT", "pattern": "P-[0-9]{4}", "action": "ANONYMIZE"}],
    },
    "contextualGroundingPolicyConfig": {"filtersConfig": [{"type": "GROUNDING", "threshold": 0.7}]},
}


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
        (changed(topicPolicyConfig={"topicsConfig": [VISITS]}), ["topic 'dosing' is missing at the edge"]),
        (
            changed(contentPolicyConfig={"filtersConfig": [VIOLENCE | {"inputStrength": "LOW"}]}),
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
                "inputAction of PII 'NAME' is ANONYMIZE in the Region and BLOCK at the edge",
                "outputAction of PII 'NAME' is ANONYMIZE in the Region and BLOCK at the edge",
                "regex 'PATIENT' is missing at the edge",
            ],
        ),
        (
            changed(contextualGroundingPolicyConfig={"filtersConfig": [{"type": "GROUNDING", "threshold": 0.5}]}),
            ["threshold of filter 'GROUNDING' is 0.7 in the Region and 0.5 at the edge"],
        ),
        (
            changed(topicPolicyConfig={"topicsConfig": [TOPIC, VISITS], "tierConfig": {"tierName": "STANDARD"}}),
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
    assert [str(found) for found in drift(Policy.read(edge), Bedrock(DEFINITION), "g", "3")] == said


def test_equal_policies_have_no_difference_whatever_their_order():
    words = [{"text": "a"}, {"text": "b"}]
    one, other = ({"wordPolicyConfig": {"wordsConfig": order}} for order in (words, words[::-1]))
    assert list(differences(one, other)) == []
    assert drift(Policy.read(DEFINITION), Bedrock(DEFINITION), "g", "3") == []


def test_a_repaired_policy_is_in_sync_and_of_the_version_that_was_asked_for():
    bedrock = Bedrock(changed(name="other"))
    repaired = repair(bedrock, "g", "3")
    assert bedrock.asked == {"guardrailIdentifier": "g", "guardrailVersion": "3"}
    assert drift(Policy.read(DEFINITION), bedrock, "g", "3") and not drift(repaired, bedrock, "g", "3")


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
        drift(Policy.read(DEFINITION), away, "g", "3")
