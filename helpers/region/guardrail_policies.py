"""A guardrail's policies: as they are given to CreateGuardrail, as GetGuardrail tells them, and what is not allowed.

What is required, how long it may be and which words it may be are botocore's to say (`checks.py`). Here is what else
the service refuses, and what this Region has not.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import regex

from helpers.region.errors import ValidationError

Json = dict[str, Any]

POLICIES = {  # as given: as told
    "topicPolicyConfig": "topicPolicy",
    "contentPolicyConfig": "contentPolicy",
    "wordPolicyConfig": "wordPolicy",
    "sensitiveInformationPolicyConfig": "sensitiveInformationPolicy",
    "contextualGroundingPolicyConfig": "contextualGroundingPolicy",
}
OPEN = ("name", "description", "blockedInputMessaging", "blockedOutputsMessaging")
UNIQUE = [  # within a list of a policy
    ("topicPolicyConfig", "topicsConfig", "name"),
    ("contentPolicyConfig", "filtersConfig", "type"),
    ("sensitiveInformationPolicyConfig", "piiEntitiesConfig", "type"),
    ("sensitiveInformationPolicyConfig", "regexesConfig", "name"),
    ("contextualGroundingPolicyConfig", "filtersConfig", "type"),
]
NOT_HERE = {
    "automatedReasoningPolicyConfig": "It needs AWS's reasoner.",
    "kmsKeyId": "Nothing is encrypted here.",
    "crossRegionConfig": "There is one Region here.",
}


def read_shape(given: Json) -> Json:
    """What GetGuardrail tells of what CreateGuardrail was given: the same under other names."""
    kept = {name: given.get(name) for name in OPEN}
    policies = {told: _renamed(given[name]) for name, told in POLICIES.items() if given.get(name)}
    return {name: value for name, value in (kept | policies).items() if value is not None}


def check(given: Json) -> None:
    """Refuse what the service refuses.

    Raises:
        ValidationError: all that is wrong with it.
    """
    if found := list(_faults(given)):
        raise ValidationError(" ".join(found))


def _renamed(policy: Json) -> Json:
    return {name.removesuffix("Config"): value for name, value in policy.items()}


def _faults(given: Json) -> Iterator[str]:
    for name, why in NOT_HERE.items():
        if given.get(name):
            yield f"This Region on a laptop has no {name}. {why} Leave it out."
    if not any(any(value for value in (given.get(name) or {}).values()) for name in POLICIES):
        yield "A guardrail must have at least one policy."
    for policy, entries, key in UNIQUE:
        names = Counter(entry[key] for entry in _entries(given, policy, entries))
        for name in (name for name, count in names.items() if count > 1):
            yield f"{policy}.{entries} has {name} more than once."
    yield from _content_faults(given)
    yield from _pattern_faults(given)
    for entry in _entries(given, "contextualGroundingPolicyConfig", "filtersConfig"):
        if entry["threshold"] >= 1:
            yield f"The threshold of {entry['type']} must be less than 1: nothing could pass."


def _content_faults(given: Json) -> Iterator[str]:
    for entry in _entries(given, "contentPolicyConfig", "filtersConfig"):
        if entry["type"] == "PROMPT_ATTACK" and entry["outputStrength"] != "NONE":
            yield "PROMPT_ATTACK is a filter of input: its outputStrength must be NONE."
        if "IMAGE" in [*entry.get("inputModalities", []), *entry.get("outputModalities", [])]:
            yield f"This Region on a laptop judges text only: leave IMAGE out of the modalities of {entry['type']}."


def _pattern_faults(given: Json) -> Iterator[str]:
    for entry in _entries(given, "sensitiveInformationPolicyConfig", "regexesConfig"):
        try:
            regex.compile(entry["pattern"])
        except regex.error as error:
            yield f"The pattern of {entry['name']} is no regular expression: {error}."


def _entries(given: Json, policy: str, entries: str) -> list[Json]:
    return (given.get(policy) or {}).get(entries) or []
