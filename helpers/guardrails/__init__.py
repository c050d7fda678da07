"""One policy, enforced at the edge: a Bedrock guardrail's definition compiled into checks that need no Region.

`policy` reads the definition and `coverage` says what of it can be enforced; `normaliser` undoes disguises; `words`,
`pii`, `expressions`, `meaning` and `grounding` are the checks; `guardrail` answers as ApplyGuardrail does.
May import: inference, settings.
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
