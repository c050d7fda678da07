"""Whose trace a program goes on with: of callers that the settings trust, `WORKSHOP_TELEMETRY_TRUSTS`.

Who is not among them could hang spans onto others' traces, and have a name of its own choice (in baggage) travel on
to every site behind. Its call begins a new trace, with a link to what it gave. (A site's model endpoint asks nobody for
a token. It is for the programs of its site alone, and goes on with theirs.)
"""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase

from opentelemetry.context import Context, create_key, set_value
from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_DISABLED_INSTRUMENTATIONS
from opentelemetry.propagate import extract
from opentelemetry.trace import get_current_span

from helpers.settings import settings

FIELDS = ("traceparent", "tracestate", "baggage")  # W3C's
STRANGER = create_key("stranger")  # in a context: the span that a caller gave who is not trusted


def trusted(caller: str | None) -> bool:
    """Whether a caller, as its token names it, is one whose trace is believed."""
    return any(fnmatchcase(caller or "", pattern) for pattern in settings().telemetry_trusts)


def context_of(caller: str | None, carrier: Mapping[str, str]) -> Context:
    """The context to work in for a caller that sent these fields."""
    given = extract(carrier, Context())
    if trusted(caller):
        return given
    stranger = get_current_span(given).get_span_context()
    return set_value(STRANGER, stranger, Context()) if stranger.is_valid else Context()


def is_instrumented(library: str) -> bool:
    """Whether a library passes a trace on, or takes one up: OpenTelemetry's list of those that do not leaves it out."""
    return library not in os.environ.get(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, "").split(",")
