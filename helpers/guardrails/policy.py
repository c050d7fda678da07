"""A Bedrock guardrail's definition in one normal form, read from what boto3 sends or gets.

    policy = Policy.read(bedrock.get_guardrail(guardrailIdentifier=..., guardrailVersion="3"))
    policy = Policy.load(Path("policy.json"))  # the arguments of create_guardrail
    policy.sha256                              # the same for both

CreateGuardrail's names end in `Config` where GetGuardrail's do not. Limits are those of botocore's model of Bedrock.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from helpers.guardrails.errors import PolicyInvalid
from helpers.guardrails.policy_errors import explained

Source = Literal["INPUT", "OUTPUT"]
Blocking = Literal["BLOCK", "NONE"]
Action = Literal["BLOCK", "ANONYMIZE", "NONE"]
Strength = Literal["NONE", "LOW", "MEDIUM", "HIGH"]
Modality = Literal["TEXT", "IMAGE"]
Tier = Literal["CLASSIC", "STANDARD"]
FilterType = Literal["SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT", "PROMPT_ATTACK"]
PiiType = Literal[
    "ADDRESS", "AGE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CA_HEALTH_NUMBER", "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CARD_CVV", "CREDIT_DEBIT_CARD_EXPIRY", "CREDIT_DEBIT_CARD_NUMBER", "DRIVER_ID", "EMAIL",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "IP_ADDRESS", "LICENSE_PLATE", "MAC_ADDRESS", "NAME", "PASSWORD", "PHONE",
    "PIN", "SWIFT_CODE", "UK_NATIONAL_HEALTH_SERVICE_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "URL", "USERNAME", "US_BANK_ACCOUNT_NUMBER", "US_BANK_ROUTING_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "US_PASSPORT_NUMBER", "US_SOCIAL_SECURITY_NUMBER",
    "VEHICLE_IDENTIFICATION_NUMBER",
]  # fmt: skip

# What GetGuardrail and CreateGuardrail say besides the policy: ids, dates, states, keys.
ABOUT = frozenset(
    {"guardrailId", "guardrailArn", "guardrailIdentifier", "guardrailVersion", "version", "status", "statusReasons"}
    | {"failureRecommendations", "createdAt", "updatedAt", "kmsKeyArn", "kmsKeyId", "tags", "clientRequestToken"}
    | {"ResponseMetadata"}
)


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True, extra="forbid")


class Rule(_Part):
    """What is done on either side; where GetGuardrail leaves it out, it is on and blocks."""

    input_action: Action = "BLOCK"
    output_action: Action = "BLOCK"
    input_enabled: bool = True
    output_enabled: bool = True

    def action(self, source: Source) -> Action | None:
        """What to do with a find; None where it is not even looked for."""
        if source == "INPUT":
            return self.input_action if self.input_enabled else None
        return self.output_action if self.output_enabled else None


class BlockRule(Rule):
    input_action: Blocking = "BLOCK"
    output_action: Blocking = "BLOCK"


class MaskRule(Rule):
    """`action` stands for both sides, unless one has its own."""

    action_: Action = Field(alias="action")

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: object) -> object:
        if not isinstance(given, Mapping) or given.get("action") not in get_args(Action):
            return given  # what is wrong with `action` is said of it alone
        return {"inputAction": given["action"], "outputAction": given["action"], **given}


class Topic(BlockRule):
    name: str = Field(min_length=1, max_length=100, pattern=r"^[0-9a-zA-Z\-_ !?.]+$")
    definition: str = Field(min_length=1, max_length=200)
    examples: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field([], max_length=5)
    type: Literal["DENY"] = "DENY"


class ContentFilter(BlockRule):
    type: FilterType
    input_strength: Strength
    output_strength: Strength
    input_modalities: list[Modality] = Field(["TEXT"], min_length=1, max_length=2)
    output_modalities: list[Modality] = Field(["TEXT"], min_length=1, max_length=2)

    @model_validator(mode="after")
    def _attacks_come_in(self) -> Self:
        if self.type == "PROMPT_ATTACK" and self.output_strength != "NONE":
            raise ValueError("PROMPT_ATTACK is for inputs only: set outputStrength to NONE")
        return self

    def strength(self, source: Source) -> Strength:
        return self.input_strength if source == "INPUT" else self.output_strength


class Word(BlockRule):
    text: str = Field(min_length=1, max_length=100, pattern=r"\S")


class ManagedWords(BlockRule):
    type: Literal["PROFANITY"]


class PiiEntity(MaskRule):
    type: PiiType


class Expression(MaskRule):
    name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, min_length=1, max_length=1000)
    pattern: str = Field(min_length=1, max_length=500)


class GroundingFilter(_Part):
    type: Literal["GROUNDING", "RELEVANCE"]
    threshold: float = Field(ge=0, lt=1)
    action: Blocking = "BLOCK"
    enabled: bool = True


class _Tiered(_Part):
    tier: dict[Literal["tierName"], Tier] = {"tierName": "CLASSIC"}

    @property
    def tier_name(self) -> Tier:
        return self.tier["tierName"]


class TopicPolicy(_Tiered):
    topics: list[Topic] = Field(min_length=1, max_length=30)


class ContentPolicy(_Tiered):
    filters: list[ContentFilter] = Field(min_length=1, max_length=6)


class WordPolicy(_Part):
    words: list[Word] = Field([], max_length=10_000)
    managed_word_lists: list[ManagedWords] = []


class SensitiveInformationPolicy(_Part):
    pii_entities: list[PiiEntity] = []
    regexes: list[Expression] = Field([], max_length=30)


class GroundingPolicy(_Tiered):
    filters: list[GroundingFilter] = Field(min_length=1)


class AutomatedReasoningPolicy(_Part):
    policies: list[str] = Field(min_length=1, max_length=2)
    confidence_threshold: float | None = Field(None, ge=0, le=1)


class Policy(_Part):
    """A guardrail's definition; the parts that it does not have are None."""

    name: str = Field(min_length=1, max_length=50, pattern=r"^[0-9a-zA-Z\-_]+$")
    description: str | None = Field(None, min_length=1, max_length=200)
    blocked_input_messaging: str = Field(min_length=1, max_length=500)
    blocked_outputs_messaging: str = Field(min_length=1, max_length=500)
    topic_policy: TopicPolicy | None = None
    content_policy: ContentPolicy | None = None
    word_policy: WordPolicy | None = None
    sensitive_information_policy: SensitiveInformationPolicy | None = None
    contextual_grounding_policy: GroundingPolicy | None = None
    automated_reasoning_policy: AutomatedReasoningPolicy | None = None
    cross_region: dict[str, str] | None = None

    @classmethod
    def read(cls, definition: Mapping[str, Any]) -> Self:
        """The policy of CreateGuardrail's arguments or of GetGuardrail's answer.

        Raises:
            PolicyInvalid: a field is missing, unknown, too long, or has a value that the service does not take.
        """
        if not isinstance(definition, Mapping):
            raise PolicyInvalid("A guardrail's definition is an object: give the arguments of create_guardrail.")
        plain = _without_config({key: value for key, value in definition.items() if key not in ABOUT})
        if details := plain.pop("crossRegionDetails", None):
            plain["crossRegion"] = {"guardrailProfileIdentifier": details.get("guardrailProfileId", "")}
        try:
            policy = cls.model_validate(plain)
        except ValidationError as error:
            raise PolicyInvalid(explained(error)) from error
        policy._check()
        return policy

    @classmethod
    def load(cls, path: Path) -> Self:
        """The policy of a JSON file.

        Raises:
            PolicyInvalid: the file is no JSON, or no policy.
        """
        try:
            definition = json.loads(path.read_text("utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise PolicyInvalid(
                f"{path.name} is no JSON ({error}). Write the arguments of create_guardrail to it."
            ) from error
        return cls.read(definition)

    def definition(self) -> dict[str, Any]:
        """The arguments of create_guardrail, every default written out, lists in the order of their names."""
        plain = self.model_dump(by_alias=True, exclude_none=True)
        for section, parts in plain.items():
            if section.endswith("Policy"):
                plain[section] = {key: _in_order(value) for key, value in parts.items() if value != []}
        return _with_config({key: value for key, value in plain.items() if value not in ({}, None)})

    def canonical(self) -> str:
        """`definition` as canonical JSON: sorted keys, no spaces."""
        return json.dumps(self.definition(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def sha256(self) -> str:
        """Of the canonical JSON, which has no ids, dates or versions: equal policies have equal sums."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def _check(self) -> None:
        """What no field can tell of itself.

        Raises:
            PolicyInvalid: there is no rule at all, or two have one name.
        """
        rules = {key: value for key, value in self.definition().items() if key.endswith("PolicyConfig")}
        if not rules:
            raise PolicyInvalid(
                "The policy has no rule. Give at least one of topicPolicyConfig, contentPolicyConfig, …"
            )
        for section, parts in rules.items():
            for field, value in parts.items():
                _check_unique(f"{section}.{field}", value)


Json = TypeVar("Json")
Given = Any  # as JSON has it
LISTS = frozenset(["topics", "filters", "words", "managedWordLists", "piiEntities", "regexes", "tier"])
POLICIES = re.compile(r"[a-zA-Z]+Policy")


def _name(entry: str | dict[str, str]) -> str:
    return str(entry if isinstance(entry, str) else entry.get("name") or entry.get("text") or entry.get("type"))


def _in_order(value: Json) -> Json:
    return sorted(value, key=_name) if isinstance(value, list) else value  # type: ignore[return-value]


def _check_unique(where: str, entries: object) -> None:
    seen = set[str]()
    for name in map(_name, entries if isinstance(entries, list) else []):
        if name in seen:
            raise PolicyInvalid(f"{where}: {name!r} stands there twice. Keep one of them.")
        seen.add(name)


def _without_config(definition: Given) -> Given:
    """CreateGuardrail's names as GetGuardrail has them, at every depth."""
    if isinstance(definition, Mapping):
        return {str(key).removesuffix("Config"): _without_config(value) for key, value in definition.items()}
    return [_without_config(each) for each in definition] if isinstance(definition, list) else definition


def _with_config(definition: dict[str, Any]) -> dict[str, Any]:
    """The other way round."""
    named = {}
    for key, value in definition.items():
        if POLICIES.fullmatch(key) and isinstance(value, dict):
            value = {f"{part}Config" if part in LISTS else part: each for part, each in value.items()}
        is_section = POLICIES.fullmatch(key) or key == "crossRegion"
        named[f"{key}Config" if is_section else key] = value
    return named
