"""A proxy of FastMCP, for `bench.gateway`; runs in `.venv-bench-fastmcp`, which holds fastmcp and nothing of the kit.

`proxy_peer.py URL PORT request` is what its documentation shows first: a session with the server for each request.
With `session` it has one for each session of a client, as its documentation shows for servers that keep a state.
"""

import os
import sys
import threading

from fastmcp.server import create_proxy
from fastmcp.server.providers.proxy import FastMCPProxy, StatefulProxyClient


def main(url: str, port: str, kind: str) -> None:
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    proxy = create_proxy(url) if kind == "request" else FastMCPProxy(client_factory=_factory(url))
    proxy.run(transport="http", host="127.0.0.1", port=int(port), show_banner=False, log_level="ERROR")


def _factory(url: str) -> object:
    return StatefulProxyClient(url).new_stateful


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
