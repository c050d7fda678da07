"""The checks of the bank's lab, by the names of its steps."""

from helpers.labs.finance.guarding_checks import approval, guardrail
from helpers.labs.finance.record_checks import bursts, finding, structuring, transactions
from helpers.labs.finance.trail_checks import audit, verify

__all__ = ["approval", "audit", "bursts", "finding", "guardrail", "structuring", "transactions", "verify"]
