"""A proxy of FastMCP, the peer of `bench.gateway`: in an environment and a process of its own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen

from bench import environment
from helpers.settings.settings import ROOT
from helpers.sites.program import free_port

ENVIRONMENT = ROOT / ".venv-bench-fastmcp"
VERSION = "fastmcp==4.1.1"
KINDS = ("request", "session")  # for each of which the proxy has one session with the server


@contextlib.contextmanager
def proxy(url: str, kind: str) -> Iterator[str]:
    """The address of a proxy in front of the MCP server at `url`; `missing` says whether there can be one."""
    port = free_port()
    command = [str(ENVIRONMENT / "bin" / "python"), str(Path(__file__).with_name("proxy_peer.py"))]
    with Popen([*command, url, str(port), kind], stdin=PIPE) as process:
        try:
            environment.wait_for(f"http://127.0.0.1:{port}/mcp", process)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


def missing() -> str:
    """Why FastMCP cannot be run, after an attempt to install it; empty when it can."""
    return environment.missing(ENVIRONMENT, VERSION)
