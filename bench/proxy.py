"""A proxy of FastMCP, the peer of `bench.gateway`: in an environment and a process of its own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from time import monotonic, sleep

import httpx

from bench import environment
from helpers.settings.settings import ROOT
from helpers.sites.program import free_port

ENVIRONMENT = ROOT / ".venv-bench-fastmcp"
VERSION = "fastmcp==4.1.1"
KINDS = ("request", "session")  # for each of which the proxy has one session with the server
READY_SECONDS = 60


@contextlib.contextmanager
def proxy(url: str, kind: str) -> Iterator[str]:
    """The address of a proxy in front of the MCP server at `url`; `missing` says whether there can be one."""
    port = free_port()
    command = [str(ENVIRONMENT / "bin" / "python"), str(Path(__file__).with_name("proxy_peer.py"))]
    with Popen([*command, url, str(port), kind], stdin=PIPE) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/mcp", process)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


def missing() -> str:
    """Why FastMCP cannot be run, after an attempt to install it; empty when it can."""
    return environment.missing(ENVIRONMENT, VERSION)


def _wait_for(url: str, process: Popen[bytes]) -> None:
    deadline = monotonic() + READY_SECONDS
    while process.poll() is None and monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            sleep(0.05)
    raise RuntimeError("FastMCP's proxy did not start; what it said is above.")
