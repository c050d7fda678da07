"""Sites: their processes, which can never be left behind, the links between them, and what crossed these.

`Network` runs a `Topology`: `program` starts what runs at a site, `links` and `relay` are the links, `tap` reads along
and `ledger` keeps what it saw. `tether` ends a program when whoever started it is gone, even by `kill -9`; `lease` is a
server that all notebooks share; `postgres` such a server; `airgap` a process without a network.
Import from its modules: a program that is started imports no more than it needs. May import: settings.
"""
