"""One trace across sites: OpenTelemetry's spans, metrics and logs made, sent, kept and read, under its own names.

`setup` (in `provider`) sets a process up; `redaction` takes out what was said, `spool` keeps the rest on disk until it
is sent; `receiver` takes it and `store` keeps it. `record` (in `recording`) is all of that for a notebook.
May import: inference, sites, settings.
"""

from helpers.tracing.provider import setup

__all__ = ["setup"]
