"""What pydantic found wrong with a policy, said in the service's names and with the remedy."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

LISTED = 8  # complaints; a policy may have 10,000 words

REMEDIES = {
    "missing": "Add it.",
    "extra_forbidden": "It is no field of CreateGuardrail or GetGuardrail: take it out, or correct its name.",
    "string_too_long": "Shorten it to {max_length} characters.",
    "string_too_short": "It needs at least {min_length} characters.",
    "string_pattern_mismatch": "Use only what matches {pattern}.",
    "too_long": "Keep at most {max_length} of them.",
    "too_short": "Give at least {min_length}, or leave the field out.",
    "literal_error": "Use one of {expected}.",
    "less_than": "Use a number below {lt}.",
    "less_than_equal": "Use a number up to {le}.",
    "greater_than_equal": "Use a number from {ge}.",
}


def explained(error: ValidationError) -> str:
    """All complaints, a line each, up to a handful."""
    found = error.errors()
    lines = [_line(each) for each in found[:LISTED]]
    if len(found) > LISTED:
        lines.append(f"... and {len(found) - LISTED} more.")
    return "The policy is not one that CreateGuardrail takes:\n" + "\n".join(f"- {line}" for line in lines)


def _line(each: ErrorDetails) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in each["loc"]).removeprefix(".")
    remedy = REMEDIES.get(each["type"], "").format_map(each.get("ctx", {}))
    message = str(each["msg"]).removeprefix("Value error, ")
    return f"{where or 'the definition'}: {message}. {remedy}".rstrip()
