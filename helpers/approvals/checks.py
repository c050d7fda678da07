"""Whether one value of a form is as its field wants it, and in plain words if it is not."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import jsonschema

from helpers.approvals.words import plain

WORDS = {
    "type": "Must be {0}.",
    "enum": "Must be one of the choices.",
    "minimum": "Must be at least {0}.",
    "maximum": "Must be at most {0}.",
    "exclusiveMinimum": "Must be more than {0}.",
    "exclusiveMaximum": "Must be less than {0}.",
    "multipleOf": "Must be a multiple of {0}.",
    "minLength": "Must have at least {0} characters.",
    "maxLength": "Must have at most {0} characters.",
    "format": "Must be {0}.",
    "minItems": "Choose at least {0}.",
    "maxItems": "Choose at most {0}.",
    "uniqueItems": "Choose each only once.",
}
TYPES_IN_WORDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "yes or no",
    "array": "a list of choices",
}
FORMATS_IN_WORDS = {
    "email": "an e-mail address, like name@example.org",
    "uri": "an address, like https://example.org/page",
    "date": "a date, like 2026-01-31",
    "date-time": "a date and time with its zone, like 2026-01-31T12:00:00Z",
}


def fault(schema: Mapping[str, Any], value: object) -> str:
    """What is wrong with one value; empty if nothing is."""
    if isinstance(value, float) and not math.isfinite(value):
        return "Must be a number that is finite."  # JSON has no other, and every limit lets them pass
    error = next(jsonschema.Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value), None)
    if error is None:
        return ""
    return WORDS.get(error.validator, "{0} is wrong here.").format(_said(error.validator, error.validator_value))


def host_of(url: str) -> str:
    """The host that a browser would go to.

    Raises:
        ValueError: this is no address of a page, or one that people and browsers may read in different ways.
    """
    parts = urlsplit(url)
    odd = not url.isascii() or not url.isprintable() or any(c in ' \\<>"' for c in url)
    if odd or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{plain(url, 100)!r} is not opened. Ask with an http or https address in plain ASCII.")
    return parts.hostname


def _said(keyword: str, limit: object) -> str:
    if keyword == "type":
        return TYPES_IN_WORDS[str(limit)]
    if keyword == "format":
        return FORMATS_IN_WORDS.get(str(limit), str(limit))
    return plain(limit)


def _format(check: Callable[[str], object]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or bool(check(value))


def _is_date_time(text: str) -> bool:
    return len(text) >= 20 and datetime.fromisoformat(text).tzinfo is not None


def _is_uri(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and (parts.netloc or parts.path)) and not any(c.isspace() or c in '<>"' for c in text)


# The library's own are there only with some extra packages, and its e-mail address is whatever has an @.
FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("email")(_format(lambda text: re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*", text)))
FORMATS.checks("uri", raises=ValueError)(_format(_is_uri))
FORMATS.checks("date", raises=ValueError)(_format(lambda text: date.fromisoformat(text).isoformat() == text))
FORMATS.checks("date-time", raises=ValueError)(_format(_is_date_time))
