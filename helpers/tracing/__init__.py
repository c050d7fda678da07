"""One trace across sites: OpenTelemetry's spans made, sent, kept and read, under OpenTelemetry's names.

`provider` sets a process up; `redaction` takes out what was said, `spool` keeps the rest on disk until it is sent;
`receiver` takes it and `store` keeps it. May import: inference, sites, settings.
"""
