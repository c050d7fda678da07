"""One policy, two places: a Bedrock guardrail's definition, judged at the edge or by the Region.

`policy` reads the definition, `enforcement` says what of it the edge can enforce, `normaliser` undoes disguises;
`words`, `pii`, `expressions`, `meaning` and `grounding` are the checks, and `guardrail` answers as ApplyGuardrail does.
`router` asks the Region in time or the edge, `differences` are those between the two, `hook` puts a judge around an
agent of Strands, with a `vault` for what it masks. The engine's libraries are loaded when one of its names is used.
May import: tracing, knowledge, inference, sites, settings.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from helpers.guardrails.errors import (
    CheckFailed,
    ClientRetries,
    ContentInvalid,
    GuardrailError,
    NotEnforceable,
    NotGuarded,
    PolicyInvalid,
    RegionNotAsked,
    VaultLeaves,
)

if TYPE_CHECKING:
    from helpers.guardrails.differences import drift, repair
    from helpers.guardrails.enforcement import Coverage, coverage
    from helpers.guardrails.guardrail import EdgeGuardrail
    from helpers.guardrails.hook import GuardrailHook
    from helpers.guardrails.policy import Policy
    from helpers.guardrails.router import Router
    from helpers.guardrails.vault import Vault
else:
    LATE = {
        "Coverage": "enforcement",
        "EdgeGuardrail": "guardrail",
        "GuardrailHook": "hook",
        "Policy": "policy",
        "Router": "router",
        "Vault": "vault",
        "coverage": "enforcement",
        "drift": "differences",
        "repair": "differences",
    }

    def __getattr__(name: str) -> object:
        """A name of the engine, whose module is imported when it is first asked for."""
        if name not in LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = getattr(import_module(f"{__name__}.{LATE[name]}"), name)
        return globals()[name]


__all__ = [
    "CheckFailed",
    "ClientRetries",
    "ContentInvalid",
    "Coverage",
    "EdgeGuardrail",
    "GuardrailError",
    "GuardrailHook",
    "NotEnforceable",
    "NotGuarded",
    "Policy",
    "PolicyInvalid",
    "RegionNotAsked",
    "Router",
    "Vault",
    "VaultLeaves",
    "coverage",
    "drift",
    "repair",
]
