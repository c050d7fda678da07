"""Processes: how the kit starts a program so that it can never be left behind.

Holds `tether`, which ends a program when whoever started it is gone, even by `kill -9`; `lease`, a server that all
notebooks share; `postgres`, the database that is such a server; and `airgap`, a process without a network.
May import: settings.
"""
