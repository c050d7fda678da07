"""What differs between the edge's copy of a guardrail and the Region's version, field by field.

    found = drift(policy, boto3.client("bedrock"), "gr4a1b2c3d4e", "3")
    print(*found, sep="\\n")  # topic 'dosing' is missing at the edge
    policy = repair(boto3.client("bedrock"), "gr4a1b2c3d4e", "3")

Whoever cannot ask the Region knows nothing: there is no answer then that could be taken for "in sync".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from helpers.guardrails.errors import RegionNotAsked
from helpers.guardrails.policy import Policy

Json = dict[str, Any]

KINDS = {  # of a list's entries, and what names one of them
    "topicsConfig": ("topic", "name"),
    "filtersConfig": ("filter", "type"),
    "wordsConfig": ("word", "text"),
    "managedWordListsConfig": ("word list", "type"),
    "piiEntitiesConfig": ("PII", "type"),
    "regexesConfig": ("regex", "name"),
}
LONGEST = 60  # characters of a value in a sentence


@dataclass(frozen=True)
class Difference:
    """One field that differs; None stands for one that is not there."""

    what: str  # topic 'dosing', or "inputStrength of filter 'VIOLENCE'"
    edge: Any
    region: Any

    def __str__(self) -> str:
        """A sentence."""
        if self.edge is None:
            return f"{self.what} is missing at the edge"
        if self.region is None:
            return f"{self.what} is only at the edge"
        return f"{self.what} is {_short(self.region)} in the Region and {_short(self.edge)} at the edge"


def drift(edge: Policy, client: Any, identifier: str, version: str) -> list[Difference]:  # noqa: ANN401 - boto3's client
    """What differs between the edge's policy and a version of the guardrail; nothing if they are in sync.

    Args:
        client: boto3's client of `bedrock`.
        version: a number, or DRAFT, which may change at any time.

    Raises:
        RegionNotAsked: the Region does not answer, or has no such version.
    """
    return list(differences(edge.definition(), repair(client, identifier, version).definition()))


def repair(client: Any, identifier: str, version: str) -> Policy:  # noqa: ANN401 - boto3's client
    """The Region's version as a policy, to be compiled for the edge.

    Raises:
        RegionNotAsked: the Region does not answer, or has no such version.
    """
    try:
        told = client.get_guardrail(guardrailIdentifier=identifier, guardrailVersion=version)
    except (BotoCoreError, ClientError) as error:
        raise RegionNotAsked(
            f"The Region did not tell version {version} of {identifier} ({error}). Whether the edge is in sync with it "
            "is not known: ask again when the link is up."
        ) from error
    return Policy.read(told)


def differences(edge: Json, region: Json) -> Iterator[Difference]:
    """What differs between two definitions in the shape of CreateGuardrail, in the order of their names."""
    yield from _members(edge, region, "")


def _members(edge: Mapping[str, Any], region: Mapping[str, Any], of: str) -> Iterator[Difference]:
    for name in sorted(edge.keys() | region.keys()):
        one, other = edge.get(name), region.get(name)
        if name in KINDS:
            yield from _entries(one or [], other or [], *KINDS[name])
        elif isinstance(one or other, Mapping):
            yield from _members(one or {}, other or {}, of or _policy(name))
        elif one != other:
            yield Difference(f"{name} of {of}" if of else name, one, other)


def _entries(edge: list[Json], region: list[Json], kind: str, key: str) -> Iterator[Difference]:
    here, there = ({entry[key]: entry for entry in entries} for entries in (edge, region))
    for name in sorted(here.keys() | there.keys()):
        what = f"{kind} '{name}'"
        if name in here and name in there:
            yield from _members(here[name], there[name], what)
        else:
            yield Difference(what, here.get(name), there.get(name))


def _policy(name: str) -> str:
    """`topicPolicyConfig` as words: the topic policy."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name.removesuffix("Config"))
    return f"the {words}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
