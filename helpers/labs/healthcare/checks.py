"""The checks of the hospital's lab, by the names of its steps."""

from helpers.labs.healthcare.boundary_checks import proof, refer, send
from helpers.labs.healthcare.record_checks import ask_record, identities, record
from helpers.labs.healthcare.round_checks import ask_protocol, assess

__all__ = ["ask_protocol", "ask_record", "assess", "identities", "proof", "record", "refer", "send"]
