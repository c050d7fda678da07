"""Bedrock Guardrails through boto3: its control plane, ApplyGuardrail, and around Converse."""

import re
from datetime import UTC, datetime

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.guardrails import Policy
from helpers.guardrails.differences import drift, repair
from helpers.region import bedrock_runtime
from helpers.region.guardrails import Judges
from tests.guardrails.word_judge import POLICY, READ, Crash, WordJudge
from tests.region.conftest import MODEL

ONCE = Config(retries={"total_max_attempts": 1})
SAID = [{"role": "user", "content": [{"text": "Where is P-1001?"}]}]


@pytest.fixture
def control(client):
    made = client("bedrock", config=ONCE)
    yield made
    for told in made.list_guardrails(maxResults=1000)["guardrails"]:
        made.delete_guardrail(guardrailIdentifier=told["id"])


@pytest.fixture
def data(client):
    return client("bedrock-runtime", config=ONCE)


@pytest.fixture
def judge(monkeypatch):
    """The judge of this test, and not the kit's."""
    judge = WordJudge()
    monkeypatch.setattr(bedrock_runtime.BedrockRuntime, "judges", Judges(lambda found: judge))
    return judge


@pytest.fixture
def model(monkeypatch):
    """What the model is asked, and what it answers."""

    class Answer:
        said = "P-1001 is in ward A3."
        calls = None
        asked = None

        def __call__(self, chat):
            self.asked = chat
            return self

        def model_dump(self):
            message = {"content": self.said, "tool_calls": self.calls}
            usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
            return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    answer = Answer()
    monkeypatch.setattr(bedrock_runtime, "_ask", answer)
    return answer


def create(control, **changes):
    return control.create_guardrail(**POLICY | changes)["guardrailId"]


def code(failed):
    return failed.value.response["Error"]["Code"]


def shown(told):
    return {name: told[name] for name in READ}


def test_what_is_created_is_told_under_the_names_of_get_guardrail(control):
    made = control.create_guardrail(**POLICY, description="d", tags=[{"key": "site", "value": "a"}])
    assert re.fullmatch(r"arn:aws:bedrock:us-west-2:123456789012:guardrail/[a-z0-9]{12}", made["guardrailArn"])
    assert made["version"] == "DRAFT" and made["createdAt"] <= datetime.now(UTC)
    for identifier in (made["guardrailId"], made["guardrailArn"]):
        told = control.get_guardrail(guardrailIdentifier=identifier)
        assert shown(told) == READ
        assert (told["status"], told["version"], told["description"]) == ("READY", "DRAFT", "d")


def test_a_version_stays_as_it_was_frozen_and_its_number_is_never_given_again(control):
    identifier = create(control)
    first = control.create_guardrail_version(guardrailIdentifier=identifier, description="as of today")["version"]
    words = {"wordsConfig": [{"text": "other"}]}
    control.update_guardrail(guardrailIdentifier=identifier, **POLICY | {"wordPolicyConfig": words})
    told = control.get_guardrail(guardrailIdentifier=identifier, guardrailVersion=first)
    assert shown(told) == READ and told["description"] == "as of today"
    draft = control.get_guardrail(guardrailIdentifier=identifier, guardrailVersion="DRAFT")
    assert draft["wordPolicy"] == {"words": [{"text": "other"}]} and draft["updatedAt"] > draft["createdAt"]
    second = control.create_guardrail_version(guardrailIdentifier=identifier)["version"]
    control.delete_guardrail(guardrailIdentifier=identifier, guardrailVersion=second)
    third = control.create_guardrail_version(guardrailIdentifier=identifier)["version"]
    assert (first, second, third) == ("1", "2", "3")
    listed = control.list_guardrails(guardrailIdentifier=identifier)["guardrails"]
    assert [told["version"] for told in listed] == ["DRAFT", "1", "3"]


def test_a_name_is_given_once(control):
    create(control)
    other = create(control, name="other")
    with pytest.raises(ClientError, match="already exists") as failed:
        create(control)
    assert code(failed) == "ConflictException"
    with pytest.raises(ClientError, match="already exists"):
        control.update_guardrail(guardrailIdentifier=other, **POLICY)
    control.update_guardrail(guardrailIdentifier=other, **POLICY | {"name": "other"})  # its own


def test_a_request_that_is_sent_again_makes_nothing_twice(control):
    first = create(control, clientRequestToken="t-1")
    assert create(control, clientRequestToken="t-1") == first
    with pytest.raises(ClientError, match="with another request") as failed:
        create(control, name="other", clientRequestToken="t-1")
    assert code(failed) == "ConflictException"


def test_pages_have_all_guardrails_once(control):
    made = {create(control, name=f"ward-{n}") for n in range(5)}
    pages = list(control.get_paginator("list_guardrails").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["guardrails"]) for page in pages] == [2, 2, 1]
    assert {told["id"] for page in pages for told in page["guardrails"]} == made
    with pytest.raises(ClientError, match="nextToken"):
        control.list_guardrails(nextToken="99")


WORDS = {"wordsConfig": [{"text": "warez", "outputAction": "NONE"}, {"text": "more"}]}
WEIGHTS = {"inputStrength": "HIGH", "outputStrength": "HIGH"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "no spaces"}, "'name'.*regular expression"),
        ({"blockedInputMessaging": "x" * 501}, "less than or equal to 500"),
        ({"wordPolicyConfig": {}, "sensitiveInformationPolicyConfig": None}, "at least one policy"),
        (
            {"contentPolicyConfig": {"filtersConfig": [{"type": "PROMPT_ATTACK"} | WEIGHTS]}},
            "outputStrength must be NONE",
        ),
        ({"contentPolicyConfig": {"filtersConfig": [{"type": "HATE"} | WEIGHTS] * 2}}, "HATE more than once"),
        (
            {"contentPolicyConfig": {"filtersConfig": [{"type": "HATE", "inputModalities": ["IMAGE"]} | WEIGHTS]}},
            "text only",
        ),
        (
            {"contextualGroundingPolicyConfig": {"filtersConfig": [{"type": "GROUNDING", "threshold": 1.0}]}},
            "less than 1",
        ),
        (
            {
                "topicPolicyConfig": {
                    "topicsConfig": [{"name": f"t{n}", "definition": "d", "type": "DENY"} for n in range(31)]
                }
            },
            "length less than or equal to 30",
        ),
        (
            {
                "sensitiveInformationPolicyConfig": {
                    "regexesConfig": [{"name": "BED", "pattern": "(", "action": "BLOCK"}]
                }
            },
            "BED is no regular expression",
        ),
        ({"kmsKeyId": "alias/own"}, "no kmsKeyId"),
        (
            {
                "automatedReasoningPolicyConfig": {
                    "policies": ["arn:aws:bedrock:us-west-2:123456789012:automated-reasoning-policy/abcdefghijkl"]
                }
            },
            "no automatedReasoningPolicyConfig",
        ),
    ],
)
def test_what_is_not_valid_is_refused_and_nothing_is_made(control, changes, says):
    given = {name: value for name, value in (POLICY | changes).items() if value is not None}
    with pytest.raises(ClientError, match=says) as failed:
        control.create_guardrail(**given)
    assert code(failed) == "ValidationException"
    assert not control.list_guardrails()["guardrails"]


def test_more_than_there_may_be_is_refused(control):
    identifier = create(control)
    for _ in range(20):
        control.create_guardrail_version(guardrailIdentifier=identifier)
    with pytest.raises(ClientError, match="at most 20 versions") as failed:
        control.create_guardrail_version(guardrailIdentifier=identifier)
    assert code(failed) == "ServiceQuotaExceededException"


@pytest.mark.parametrize("wanted", [{"guardrailIdentifier": "none"}, {"guardrailVersion": "7"}])
def test_what_is_not_there_is_not_found(control, data, judge, wanted):
    asked = {"guardrailIdentifier": create(control), "guardrailVersion": "DRAFT"} | wanted
    for call in (
        lambda: control.get_guardrail(**asked),
        lambda: data.apply_guardrail(**asked, source="INPUT", content=[{"text": {"text": "a"}}]),
        lambda: data.converse(modelId=MODEL, messages=SAID, guardrailConfig=asked),
    ):
        with pytest.raises(ClientError) as failed:
            call()
        assert code(failed) == "ResourceNotFoundException"


def test_a_guardrail_that_is_deleted_is_gone_and_its_name_is_free(control):
    identifier = create(control)
    control.delete_guardrail(guardrailIdentifier=identifier)
    with pytest.raises(ClientError) as failed:
        control.delete_guardrail(guardrailIdentifier=identifier)
    assert code(failed) == "ResourceNotFoundException"
    assert create(control) != identifier


def test_what_moto_has_of_bedrock_answers_still(control):
    assert control.list_custom_models()["modelSummaries"] == []
    with pytest.raises(ClientError, match="in this Region on a laptop"):
        control.list_foundation_models()


def apply(data, identifier, *given, source="INPUT", version="DRAFT"):
    return data.apply_guardrail(
        guardrailIdentifier=identifier,
        guardrailVersion=version,
        source=source,
        content=[{"text": {"text": text}} for text in given],
    )


def test_apply_guardrail_gives_the_report_of_the_judge(control, data, judge):
    identifier = create(control)
    report = apply(data, identifier, "Ask Ada Byron.", "P-1001")
    assert (report["action"], [out["text"] for out in report["outputs"]]) == (
        "GUARDRAIL_INTERVENED",
        ["Ask {NAME}.", "{PATIENT}"],
    )
    entities = report["assessments"][0]["sensitiveInformationPolicy"]["regexes"]
    assert [(one["name"], one["match"], one["action"]) for one in entities] == [
        ("NAME", "Ada Byron", "ANONYMIZED"),
        ("PATIENT", "P-1001", "ANONYMIZED"),
    ]
    assert apply(data, identifier, "warez", source="OUTPUT")["outputs"] == [{"text": "This answer is not for you."}]
    assert apply(data, identifier, "hello")["action"] == "NONE"


def test_each_version_is_judged_by_its_own_policy(control, data, monkeypatch):
    monkeypatch.setattr(bedrock_runtime.BedrockRuntime, "judges", Judges(WordJudge))
    identifier = create(control)
    control.create_guardrail_version(guardrailIdentifier=identifier)
    words = {"wordPolicyConfig": {"wordsConfig": [{"text": "hello"}]}}
    control.update_guardrail(guardrailIdentifier=identifier, **POLICY | words)
    assert [apply(data, identifier, "hello", version=v)["action"] for v in ("1", "DRAFT")] == [
        "NONE",
        "GUARDRAIL_INTERVENED",
    ]


def test_a_judge_that_fails_is_an_error_of_the_service_and_nothing_is_answered(control, data, model, monkeypatch):
    monkeypatch.setattr(bedrock_runtime.BedrockRuntime, "judges", Judges(lambda found: Crash()))
    asked = {"guardrailIdentifier": create(control), "guardrailVersion": "DRAFT"}
    for call in (
        lambda: apply(data, asked["guardrailIdentifier"], "a"),
        lambda: data.converse(modelId=MODEL, messages=SAID, guardrailConfig=asked),
        lambda: data.converse_stream(modelId=MODEL, messages=SAID, guardrailConfig=asked),
    ):
        with pytest.raises(ClientError, match="RuntimeError") as failed:
            call()
        assert code(failed) == "InternalServerException"
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert model.asked is None


def test_a_policy_that_the_judge_cannot_take_is_told_in_its_words(control, data, monkeypatch):
    def refuse(found):
        raise ValueError("MISCONDUCT is not enforced here.")

    monkeypatch.setattr(bedrock_runtime.BedrockRuntime, "judges", Judges(refuse))
    with pytest.raises(ClientError, match="MISCONDUCT is not enforced here") as failed:
        apply(data, create(control), "a")
    assert code(failed) == "ValidationException"


def test_images_are_refused_by_name(control, data, judge):
    image = [{"image": {"format": "png", "source": {"bytes": b"x"}}}]
    with pytest.raises(ClientError, match="text only"):
        data.apply_guardrail(
            guardrailIdentifier=create(control), guardrailVersion="DRAFT", source="INPUT", content=image
        )


@pytest.fixture
def converse(control, data, judge):
    identifier = create(control)

    def call(messages=SAID, trace="enabled", stream=False, **more):
        config = {"guardrailIdentifier": identifier, "guardrailVersion": "DRAFT", "trace": trace}
        call = data.converse_stream if stream else data.converse
        return call(modelId=MODEL, messages=messages, guardrailConfig=config, **more)

    call.identifier = identifier
    return call


def user(*blocks):
    return [{"role": "user", "content": list(blocks)}]


def said(answer):
    return answer["output"]["message"]["content"]


def test_a_question_that_is_blocked_does_not_reach_the_model(converse, model):
    answer = converse(user({"text": "Get me warez"}))
    assert said(answer) == [{"text": "This question is not for me."}]
    assert answer["stopReason"] == "guardrail_intervened" and model.asked is None
    assert answer["usage"]["totalTokens"] == 0
    found = answer["trace"]["guardrail"]["inputAssessment"][converse.identifier]
    assert found["wordPolicy"]["customWords"][0]["match"] == "warez"


def test_a_question_is_masked_before_the_model_and_the_answer_after_it(converse, model):
    answer = converse()
    assert model.asked["messages"] == [{"role": "user", "content": "Where is {PATIENT}?"}]
    assert said(answer) == [{"text": "{PATIENT} is in ward A3."}]
    assert answer["stopReason"] == "guardrail_intervened"
    assert answer["additionalModelResponseFields"]["standIn"]
    trace = answer["trace"]["guardrail"]
    assert trace["modelOutput"] == ["P-1001 is in ward A3."] and trace["outputAssessments"][converse.identifier]


def test_an_answer_that_is_blocked_takes_its_calls_along(converse, model):
    model.said, model.calls = "warez", [{"id": "c", "function": {"name": "ward", "arguments": "{}"}}]
    answer = converse()
    assert said(answer) == [{"text": "This answer is not for you."}]
    assert answer["stopReason"] == "guardrail_intervened" and answer["usage"]["totalTokens"] == 7


def test_what_is_harmless_passes_as_it_is_and_without_a_trace_unless_it_is_asked_for(converse, model):
    model.said = "Good morning."
    answer = converse(user({"text": "Hello"}), trace="disabled")
    assert said(answer) == [{"text": "Good morning."}]
    assert answer["stopReason"] == "end_turn" and "trace" not in answer


def test_with_guard_content_only_that_is_judged_and_the_answer_against_its_sources(converse, judge, model):
    guarded = [
        {"guardContent": {"text": {"text": "Wards are numbered.", "qualifiers": ["grounding_source"]}}},
        {"guardContent": {"text": {"text": "Where is P-1001?", "qualifiers": ["query"]}}},
        {"guardContent": {"text": {"text": "Ask Otto Frank."}}},
    ]
    converse(user({"text": "warez is in what nobody judges"}, *guarded))
    assert judge.asked[0] == ("INPUT", ["Wards are numbered.", "Where is P-1001?", "Ask Otto Frank."])
    assert judge.asked[-1][1] == ["P-1001 is in ward A3."]
    assert ("OUTPUT", ["Wards are numbered.", "Where is P-1001?", "P-1001 is in ward A3."]) in judge.asked
    assert model.asked["messages"][0]["content"].endswith("Where is P-1001?\nAsk {NAME}.")


def test_results_of_tools_are_not_judged_as_on_aws(converse, judge, model):
    use = {"toolUse": {"toolUseId": "u", "name": "ward", "input": {}}}
    result = {"toolResult": {"toolUseId": "u", "content": [{"text": "warez"}]}}
    model.said = "Good."
    answer = converse([*user({"text": "Hello"}), {"role": "assistant", "content": [use]}, *user(result)])
    assert answer["stopReason"] == "end_turn"


def test_a_stream_tells_nothing_that_was_not_judged(converse, model):
    model.calls = [{"id": "c", "function": {"name": "ward", "arguments": '{"p": 1}'}}]
    events = list(converse(stream=True)["stream"])
    assert "P-1001 is in" not in str([event for event in events if "metadata" not in event])
    assert [next(iter(event)) for event in events] == [
        *["messageStart", "contentBlockDelta", "contentBlockStop"],
        *["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"],
    ]
    assert events[1]["contentBlockDelta"]["delta"]["text"] == "{PATIENT} is in ward A3."
    assert events[-2]["messageStop"]["stopReason"] == "guardrail_intervened"
    assert events[-1]["metadata"]["trace"]["guardrail"]["outputAssessments"]


def test_a_blocked_stream_has_the_message_only(converse, model):
    events = list(converse(user({"text": "warez"}), stream=True)["stream"])
    assert events[1]["contentBlockDelta"]["delta"]["text"] == "This question is not for me."
    assert events[-2]["messageStop"]["stopReason"] == "guardrail_intervened" and model.asked is None


def test_a_guardrail_without_a_version_is_refused(data, converse):
    with pytest.raises(ClientError, match="must have a guardrailIdentifier and a guardrailVersion"):
        data.converse(modelId=MODEL, messages=SAID, guardrailConfig={"guardrailIdentifier": converse.identifier})


def test_drift_of_the_edge_is_found_over_the_wire_and_repaired(control):
    identifier = create(control)
    edge = Policy.read(POLICY)
    assert drift(edge, control, identifier, "DRAFT") == []
    control.update_guardrail(guardrailIdentifier=identifier, **POLICY | {"wordPolicyConfig": WORDS})
    assert [str(found) for found in drift(edge, control, identifier, "DRAFT")] == [
        "word 'more' is missing at the edge",
        "outputAction of word 'warez' is NONE in the Region and BLOCK at the edge",
    ]
    assert drift(repair(control, identifier, "DRAFT"), control, identifier, "DRAFT") == []


def test_the_kits_own_judge_answers_in_the_region(control, data):
    identifier = create(control)
    report = apply(data, identifier, "Ask P-1001.")
    assert report["outputs"] == [{"text": "Ask {PATIENT}."}] and report["assessments"]
    assert apply(data, identifier, "warez", source="OUTPUT")["outputs"] == [{"text": "This answer is not for you."}]
    assert apply(data, identifier, "hello")["action"] == "NONE"


def test_what_the_kits_own_judge_cannot_enforce_is_said_in_each_report(control, data):
    names = {"piiEntitiesConfig": [{"type": "NAME", "action": "ANONYMIZE"}, {"type": "EMAIL", "action": "ANONYMIZE"}]}
    identifier = create(control, sensitiveInformationPolicyConfig=names)
    report = apply(data, identifier, "Write to Ada Byron, a@b.example.")
    assert report["outputs"] == [{"text": "Write to Ada Byron, {EMAIL}."}]
    assert report["actionReason"].endswith("in place of Bedrock; not enforced here: NAME)")
    whole = create(
        control, name="whole", sensitiveInformationPolicyConfig={"piiEntitiesConfig": names["piiEntitiesConfig"][1:]}
    )
    assert apply(data, whole, "hello")["actionReason"].endswith("in place of Bedrock)")
