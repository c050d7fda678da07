"""One policy, two places: a Bedrock guardrail's definition, judged at the edge or by the Region.

`policy` reads the definition, `coverage` says what of it the edge can enforce, `normaliser` undoes disguises; `words`,
`pii`, `expressions`, `meaning` and `grounding` are the checks, and `guardrail` answers as ApplyGuardrail does. `router`
asks the Region in time or the edge, `drift` compares the two, `hook` puts a judge around an agent of Strands, with a
`vault` for what it masks.
May import: tracing, knowledge, inference, sites, settings.
"""

from helpers.guardrails.coverage import Coverage, coverage
from helpers.guardrails.errors import CheckFailed, ContentInvalid, GuardrailError, NotEnforceable, PolicyInvalid
from helpers.guardrails.guardrail import EdgeGuardrail
from helpers.guardrails.policy import Policy

__all__ = [
    "CheckFailed",
    "ContentInvalid",
    "Coverage",
    "EdgeGuardrail",
    "GuardrailError",
    "NotEnforceable",
    "Policy",
    "PolicyInvalid",
    "coverage",
]
