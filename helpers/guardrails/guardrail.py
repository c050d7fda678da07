"""A policy enforced at the edge, with the answers of boto3's ApplyGuardrail.

guardrail = EdgeGuardrail(Policy.load(path), narrowed=True)
guardrail.gaps                                     # what is left to the Region
guardrail.apply("OUTPUT", [{"text": {"text": answer}}])["action"]
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from helpers.guardrails import verdicts
from helpers.guardrails.content import Block, blocks
from helpers.guardrails.embedding import Embed, Remembered, site_embed
from helpers.guardrails.enforcement import Covered, coverage
from helpers.guardrails.errors import CheckFailed, ContentInvalid, NotEnforceable
from helpers.guardrails.findings import Finding
from helpers.guardrails.masking import masked
from helpers.guardrails.narrowing import narrowed as without
from helpers.guardrails.policy import Policy, Source
from helpers.guardrails.verdicts import Scope, Verdict

UNIT = 1000  # characters that the service counts as one
SECTIONS = {
    "topicPolicy": ("topics",),
    "contentPolicy": ("filters",),
    "wordPolicy": ("customWords", "managedWordLists"),
    "sensitiveInformationPolicy": ("piiEntities", "regexes"),
    "contextualGroundingPolicy": ("filters",),
}
NO_UNITS = dict.fromkeys(
    (
        "topicPolicyUnits",
        "contentPolicyUnits",
        "wordPolicyUnits",
        "sensitiveInformationPolicyUnits",
        "sensitiveInformationPolicyFreeUnits",
        "contextualGroundingPolicyUnits",
    ),
    0,
)


class EdgeGuardrail:
    """Compiled from `policy`; `gaps` are the rules that are not enforced, which only `narrowed` allows.

    `embed` turns sentences into vectors of length 1; without it, the kit's embedding model does. `thorough` embeds
    every sentence, not only those that `gate` lets pass: a third of a second for an answer of 500 tokens.
    """

    def __init__(
        self,
        policy: Policy | Mapping[str, Any],
        *,
        narrowed: bool = False,
        embed: Embed = site_embed,
        thorough: bool = False,
    ) -> None:
        """Raises:
        PolicyInvalid: it is no policy.
        NotEnforceable: not all of it can be enforced here, and `narrowed` is not set.
        """
        self.policy = policy if isinstance(policy, Policy) else Policy.read(policy)
        self.coverage = coverage(self.policy)
        self.gaps: tuple[Covered, ...] = self.coverage.gaps
        if self.gaps and not narrowed:
            raise NotEnforceable(self.policy.name, self.gaps)
        self._enforced = without(self.policy)
        remembered = Remembered(embed)
        self._checks = (
            verdicts.words(self._enforced),
            verdicts.personal_data(self._enforced),
            verdicts.meaning(self._enforced, remembered, thorough=thorough),
        )
        self._grounding = verdicts.grounded(self._enforced, remembered)

    def apply(self, source: Source, content: list[Any], output_scope: Scope = "INTERVENTIONS") -> dict[str, Any]:
        """What ApplyGuardrail would answer: action, actionReason, outputs, usage, guardrailCoverage, assessments.

        Raises:
            CheckFailed: the content cannot be judged; do not let it through.
        """
        started = time.perf_counter()
        try:
            _check(source, output_scope)
            given = blocks(content)
            verdict = self._judged(source, given, output_scope)
            return self._answer(source, given, verdict, output_scope, started)
        except CheckFailed:
            raise
        except Exception as error:
            raise CheckFailed(
                f"The guardrail {self.policy.name!r} failed ({type(error).__name__}), so that nothing is known of the "
                "text. Do not let it through, and report the error."
            ) from error

    def _judged(self, source: Source, given: list[Block], scope: Scope) -> Verdict:
        verdict, guarded = Verdict(), [block for block in given if block.guarded]
        for check in self._checks:
            check(guarded, source, scope, verdict)
        if source == "OUTPUT":
            answer = "\n".join(block.text for block in guarded)
            said = ["\n".join(b.text for b in given if name in b.qualifiers) for name in ("grounding_source", "query")]
            self._grounding(answer, said[0], said[1], scope, verdict)
        return verdict

    def _answer(
        self, source: Source, given: list[Block], verdict: Verdict, scope: Scope, started: float
    ) -> dict[str, Any]:
        guarded = [block for block in given if block.guarded]
        if verdict.blocked:
            policy = self.policy
            said = policy.blocked_input_messaging if source == "INPUT" else policy.blocked_outputs_messaging
            outputs, reason = [{"text": said}], "Guardrail blocked."
        elif verdict.masks:
            masks = [list[Finding]() for _ in guarded]
            for number, finding in verdict.masks:
                masks[number].append(finding)
            outputs = [{"text": masked(b.text, finds)} for b, finds in zip(guarded, masks, strict=True)]
            reason = "Guardrail masked."
        else:
            outputs, reason = [], "No action."
        measured = {
            "usage": self._usage(source, given),
            "guardrailCoverage": {"textCharacters": {"guarded": _length(guarded), "total": _length(given)}},
        }
        latency = {"guardrailProcessingLatency": round((time.perf_counter() - started) * 1000)}
        return {
            "action": "GUARDRAIL_INTERVENED" if outputs else "NONE",
            "actionReason": reason,
            "outputs": outputs,
            **measured,
            "assessments": [{**self._assessment(verdict, scope), "invocationMetrics": {**latency, **measured}}],
        }

    def _assessment(self, verdict: Verdict, scope: Scope) -> dict[str, Any]:
        """The sections with something in them; with FULL, those of the policy too."""
        found = {
            section: {part: verdict.sections[section].get(part, []) for part in parts}
            for section, parts in SECTIONS.items()
            if section in verdict.sections
        }
        if scope == "FULL":
            empty: dict[str, Any] = {name: {part: [] for part in parts} for name, parts in SECTIONS.items()}
            found = {name: found.get(name, empty[name]) for name in SECTIONS if name in self._sections}
        return found

    @property
    def _sections(self) -> frozenset[str]:
        """The parts that the enforced policy has, as the service names them."""
        return frozenset(key.removesuffix("Config") for key in self._enforced.definition())

    def _usage(self, source: Source, given: list[Block]) -> dict[str, int]:
        """Units of 1,000 characters, begun ones whole, of each part of the policy that was applied."""
        guarded, sections = _units([block for block in given if block.guarded]), self._sections
        usage = NO_UNITS | {
            f"{name}Units": guarded for name in ("topicPolicy", "contentPolicy", "wordPolicy") if name in sections
        }
        private = self._enforced.sensitive_information_policy
        if private:
            usage["sensitiveInformationPolicyUnits"] = guarded if private.pii_entities else 0
            usage["sensitiveInformationPolicyFreeUnits"] = guarded if private.regexes else 0
        grounds = any(block.qualifiers & {"grounding_source", "query"} for block in given)
        if source == "OUTPUT" and "contextualGroundingPolicy" in sections and grounds:
            usage["contextualGroundingPolicyUnits"] = _units(given)
        return usage


def _check(source: object, scope: object) -> None:
    if source not in get_args(Source):
        raise ContentInvalid(f"The source is {source!r}. Give INPUT or OUTPUT.")
    if scope not in get_args(Scope):
        raise ContentInvalid(f"The output scope is {scope!r}. Give INTERVENTIONS or FULL.")


def _length(given: Sequence[Block]) -> int:
    return sum(len(block.text) for block in given)


def _units(given: Sequence[Block]) -> int:
    return max(1, math.ceil(_length(given) / UNIT))
