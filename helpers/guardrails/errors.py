"""What can go wrong in this room, one class per cause; the message names the remedy."""

from collections.abc import Sequence
from typing import Protocol


class _Said(Protocol):
    def __str__(self) -> str: ...


class GuardrailError(Exception):
    """Base of this room's errors."""


class PolicyInvalid(GuardrailError, ValueError):
    """The definition is not one that CreateGuardrail would take."""


class NotEnforceable(GuardrailError):
    """Parts of the policy cannot be enforced at the edge; `gaps` lists them."""

    def __init__(self, name: str, gaps: Sequence[_Said]) -> None:
        self.gaps = tuple(gaps)
        listed = "\n".join(f"- {gap}" for gap in gaps)
        super().__init__(
            f"The edge cannot enforce the guardrail {name!r} in full:\n{listed}\n"
            "Take these out of the policy, or accept it without them: EdgeGuardrail(policy, narrowed=True), "
            "whose `gaps` say what is left to the Region."
        )


class CheckFailed(GuardrailError):
    """A check could not be carried out, so that nothing is known of the text: treat it as blocked."""


class ContentInvalid(CheckFailed, ValueError):
    """The content is not what ApplyGuardrail takes, or a kind that the edge cannot look into."""


class ClientRetries(GuardrailError, ValueError):
    """The client would repeat a call that failed, and wait in between, beyond any time limit."""


class RegionNotAsked(GuardrailError):
    """The Region did not tell what its version is, so that nobody knows whether the edge is in sync with it."""


class NotGuarded(GuardrailError):
    """The agent is used in a way that no hook can look into."""


class VaultLeaves(GuardrailError, TypeError):
    """A vault was to be stored or sent."""
