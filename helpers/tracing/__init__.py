"""One trace across sites: telemetry of OpenTelemetry made, sent, kept and read.

May import `knowledge`, `inference`, `sites` and `settings`; nothing above. Names are OpenTelemetry's.
"""
