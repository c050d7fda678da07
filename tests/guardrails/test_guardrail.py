import base64
from collections.abc import Sequence
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from helpers.guardrails import CheckFailed, ContentInvalid, EdgeGuardrail
from helpers.guardrails.embedding import Vectors
from tests.guardrails.policies import by_words, content_filter, policy, private, text, topic, words

EVERYTHING = policy(
    **topic(),
    **content_filter(),
    **words("fome"),
    **private(
        {"EMAIL": "ANONYMIZE", "CREDIT_DEBIT_CARD_NUMBER": "BLOCK", "PHONE": "NONE"},
        {"patient": (r"P-\d{4}", "ANONYMIZE")},
    ),
    contextualGroundingPolicyConfig={
        "filtersConfig": [{"type": "GROUNDING", "threshold": 0.6}, {"type": "RELEVANCE", "threshold": 0.3}]
    },
)


def judged(parts: dict[str, Any], said: str, source: str = "INPUT", scope: str = "INTERVENTIONS") -> dict[str, Any]:
    return EdgeGuardrail(policy(**parts), embed=by_words).apply(source, [text(said)], scope)  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", ["INTERVENTIONS", "FULL"])
@pytest.mark.parametrize("source", ["INPUT", "OUTPUT"])
@pytest.mark.parametrize(
    "said", ["", "Good morning.", "a@b.example P-1001", "4111 1111 1111 1111", "fome", "roses tulips and lilies"]
)
def test_the_answer_has_the_shape_of_apply_guardrail(said: str, source: str, scope: str) -> None:
    content = [text(said), text("Roses are red.", "grounding_source"), text("What are roses?", "query")]
    answer = EdgeGuardrail(EVERYTHING, embed=by_words).apply(source, content, scope)  # type: ignore[arg-type]
    service = botocore.session.get_session().get_service_model("bedrock-runtime")
    shape = service.operation_model("ApplyGuardrail").output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    assert answer["action"] == ("GUARDRAIL_INTERVENED" if answer["outputs"] else "NONE")


def test_harmless_text_passes() -> None:
    answer = judged(EVERYTHING, "The ward opens at nine.")
    assert (answer["action"], answer["actionReason"], answer["outputs"]) == ("NONE", "No action.", [])
    assert set(answer["assessments"][0]) == {"invocationMetrics"}


def test_a_mask_replaces_what_was_written_by_its_type_or_name() -> None:
    answer = judged(EVERYTHING, "P-1001 wrote from a@b.ex\u200bample, Ｐ－１００２ did not.")
    assert answer["outputs"] == [{"text": "{patient} wrote from {EMAIL}, {patient} did not."}]
    private = answer["assessments"][0]["sensitiveInformationPolicy"]
    assert private["piiEntities"] == [
        {"match": "a@b.ex\u200bample", "type": "EMAIL", "action": "ANONYMIZED", "detected": True}
    ]
    assert [(each["name"], each["regex"]) for each in private["regexes"]] == [("patient", r"P-\d{4}")] * 2


def test_a_mask_takes_the_whole_of_what_is_encoded() -> None:
    encoded = base64.b64encode(b"mail a@b.example").decode()
    assert judged(EVERYTHING, f"see {encoded} there")["outputs"] == [{"text": "see {EMAIL} there"}]


def test_block_beats_mask() -> None:
    answer = judged(EVERYTHING, "a@b.example pays with 4111 1111 1111 1111")
    assert answer["outputs"] == [{"text": "Not asked."}] and answer["actionReason"] == "Guardrail blocked."
    actions = {e["type"]: e["action"] for e in answer["assessments"][0]["sensitiveInformationPolicy"]["piiEntities"]}
    assert actions == {"EMAIL": "ANONYMIZED", "CREDIT_DEBIT_CARD_NUMBER": "BLOCKED"}


def test_an_output_has_its_own_message() -> None:
    assert judged(EVERYTHING, "fome", "OUTPUT")["outputs"] == [{"text": "Not said."}]


def test_what_is_only_detected_is_reported_and_passes() -> None:
    answer = judged(EVERYTHING, "call +49 6131 5550142")
    assert answer["action"] == "NONE"
    (found,) = answer["assessments"][0]["sensitiveInformationPolicy"]["piiEntities"]
    assert (found["type"], found["action"], found["detected"]) == ("PHONE", "NONE", True)


RULES: list[tuple[dict[str, Any], str]] = [
    (words("fome"), "fome"),
    (topic(), "roses tulips and lilies"),
    (content_filter(), "You are an idiot."),
    (private({"EMAIL": "BLOCK"}), "a@b.example"),
    (private(regexes={"patient": (r"P-\d{4}", "BLOCK")}), "P-1001"),
]


def _with(parts: dict[str, Any], **rule: Any) -> dict[str, Any]:
    return {
        section: {name: [{**each, **rule} for each in entries] for name, entries in lists.items()}
        for section, lists in parts.items()
    }


@pytest.mark.parametrize(("parts", "said"), RULES)
@pytest.mark.parametrize("side", ["input", "output"])
def test_either_side_can_be_switched_off_or_only_report(parts: dict[str, Any], said: str, side: str) -> None:
    source, other = ("INPUT", "OUTPUT") if side == "input" else ("OUTPUT", "INPUT")
    off, detects = _with(parts, **{f"{side}Enabled": False}), _with(parts, **{f"{side}Action": "NONE"})
    assert judged(parts, said, source)["action"] == judged(off, said, other)["action"] == "GUARDRAIL_INTERVENED"
    assert judged(off, said, source)["action"] == judged(detects, said, source)["action"] == "NONE"
    assert set(judged(off, said, source)["assessments"][0]) == {"invocationMetrics"}
    assert len(judged(detects, said, source)["assessments"][0]) == 2


def test_strength_says_how_sure_a_filter_has_to_be() -> None:
    sure, unsure = "You are an idiot.", "You are an idiot in the garden of roses."
    assert judged(content_filter(strength="LOW"), sure)["action"] == "GUARDRAIL_INTERVENED"
    assert judged(content_filter(strength="LOW"), unsure)["action"] == "NONE"
    assert judged(content_filter(strength="HIGH"), unsure)["action"] == "GUARDRAIL_INTERVENED"
    assert judged(content_filter(strength="NONE"), sure)["action"] == "NONE"


def test_full_scope_reports_what_was_not_detected_too() -> None:
    assessment = judged(EVERYTHING, "The ward opens at nine.", scope="FULL")["assessments"][0]
    assert assessment["topicPolicy"]["topics"] == [
        {"name": "Gardens", "type": "DENY", "action": "NONE", "detected": False}
    ]
    assert assessment["contentPolicy"]["filters"][0]["detected"] is False
    assert assessment["wordPolicy"] == {"customWords": [], "managedWordLists": []}


def test_an_answer_is_held_against_source_and_question() -> None:
    guardrail = EdgeGuardrail(EVERYTHING, embed=by_words)
    context = [text("The ward opens at nine.", "grounding_source"), text("When does the ward open?", "query")]
    good = guardrail.apply("OUTPUT", [*context, text("The ward opens at nine.")])
    bad = guardrail.apply("OUTPUT", [*context, text("Bears eat honey and sleep.", "guard_content")])
    assert good["action"] == "NONE" and good["usage"]["contextualGroundingPolicyUnits"] == 1
    found = {each["type"]: each for each in bad["assessments"][0]["contextualGroundingPolicy"]["filters"]}
    assert set(found) == {"GROUNDING", "RELEVANCE"} and bad["outputs"] == [{"text": "Not said."}]
    assert all(each["score"] < each["threshold"] for each in found.values())


def test_a_figure_that_the_source_does_not_name_is_not_grounded() -> None:
    guardrail = EdgeGuardrail(EVERYTHING, embed=by_words)
    context = [text("A deposit of 50 euros is due for a table.", "grounding_source"), text("Which deposit?", "query")]
    invented = guardrail.apply("OUTPUT", [*context, text("A deposit of 90 euros is due for a table.")])
    assert invented["assessments"][0]["contextualGroundingPolicy"]["filters"][0]["type"] == "GROUNDING"


def test_source_and_question_are_not_judged_themselves() -> None:
    answer = EdgeGuardrail(EVERYTHING, embed=by_words).apply(
        "INPUT", [text("fome", "grounding_source"), text("fome", "query"), text("Good morning.")]
    )
    assert answer["action"] == "NONE" and answer["guardrailCoverage"]["textCharacters"] == {"guarded": 13, "total": 21}
    both = [text("fome", "query", "guard_content")]
    assert EdgeGuardrail(EVERYTHING, embed=by_words).apply("INPUT", both)["action"] == "GUARDRAIL_INTERVENED"


def test_each_block_is_masked_on_its_own() -> None:
    answer = EdgeGuardrail(EVERYTHING, embed=by_words).apply("OUTPUT", [text("a@b.example"), text("b"), text("P-1001")])
    assert answer["outputs"] == [{"text": "{EMAIL}"}, {"text": "b"}, {"text": "{patient}"}]


def test_units_are_begun_thousands_of_characters() -> None:
    usage = judged(EVERYTHING, "x " * 501)["usage"]
    assert usage == {
        "topicPolicyUnits": 2,
        "contentPolicyUnits": 2,
        "wordPolicyUnits": 2,
        "sensitiveInformationPolicyUnits": 2,
        "sensitiveInformationPolicyFreeUnits": 2,
        "contextualGroundingPolicyUnits": 0,
    }


@pytest.mark.parametrize(
    "failure", [RuntimeError("out of order"), MemoryError(), ConnectionError(), ValueError("secret a@b.example")]
)
def test_a_check_that_crashes_is_never_a_pass(failure: Exception) -> None:
    def broken(_: Sequence[str]) -> Vectors:
        raise failure

    guardrail = EdgeGuardrail(policy(**topic()), embed=broken)
    with pytest.raises(CheckFailed, match="Do not let it through") as failed:
        guardrail.apply("INPUT", [text("The roses and tulips bloom.")])
    assert "a@b.example" not in str(failed.value)


def test_vectors_that_are_missing_or_no_numbers_are_never_a_pass() -> None:
    for embed in (lambda texts: by_words(texts)[:-1], lambda texts: by_words(texts) * float("nan")):
        with pytest.raises(CheckFailed):
            EdgeGuardrail(policy(**topic()), embed=embed).apply("INPUT", [text("The roses and tulips bloom.")])


def test_a_slow_expression_is_never_a_pass() -> None:
    guardrail = EdgeGuardrail(policy(**private(regexes={"slow": ("(a+)+$", "ANONYMIZE")})))
    with pytest.raises(CheckFailed, match="slow"):
        guardrail.apply("INPUT", [text("a" * 40_000 + "!")])


@pytest.mark.parametrize(
    "content",
    [
        [],
        "text",
        None,
        [{}],
        [{"text": "plain"}],
        [{"text": {"text": 5}}],
        [{"image": {"format": "png", "source": {"bytes": b""}}}],
        [text("a", "unknown")],
        [text("a" * 4_000_001)],
    ],
)
def test_content_that_cannot_be_judged_is_refused(content: Any) -> None:
    with pytest.raises(ContentInvalid):
        EdgeGuardrail(policy(**words("a"))).apply("INPUT", content)


@pytest.mark.parametrize(("source", "scope"), [("BOTH", "FULL"), ("INPUT", "SOME")])
def test_a_side_or_scope_that_is_none_is_refused(source: Any, scope: Any) -> None:
    with pytest.raises(ContentInvalid, match="Give"):
        EdgeGuardrail(policy(**words("a"))).apply(source, [text("b")], scope)
