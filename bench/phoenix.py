"""Arize Phoenix, a back end for traces: in an environment and a process of its own, asked by its own API."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import httpx

from bench import environment
from helpers.settings.settings import ROOT
from helpers.sites.program import free_port

ENVIRONMENT = ROOT / ".venv-phoenix"
VERSION = "arize-phoenix==20.26.1"
PAGE = 1000  # the most that it gives at once
PROJECT = "default"


class Phoenix:
    """A Phoenix at `url`, which is also where OTLP over HTTP goes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace, as its API has them."""
        found: list[dict[str, Any]] = []
        asked: dict[str, str | int] = {"trace_id": trace_id, "limit": PAGE}
        while True:
            page = self._client.get(f"/v1/projects/{PROJECT}/spans", params=asked).raise_for_status().json()
            found += page["data"]
            if not page["next_cursor"]:
                return found
            asked["cursor"] = page["next_cursor"]

    def count(self) -> int:
        """How many spans it has."""
        query = "{ projects { edges { node { name recordCount } } } }"
        answer = self._client.post("/graphql", json={"query": query}).raise_for_status().json()
        nodes = [edge["node"] for edge in answer["data"]["projects"]["edges"]]
        return sum(int(node["recordCount"]) for node in nodes if node["name"] == PROJECT)


@contextlib.contextmanager
def phoenix() -> Iterator[Phoenix]:
    """A Phoenix with nothing in it; `missing` says whether there can be one."""
    with tempfile.TemporaryDirectory(prefix="phoenix_") as folder:
        given = {
            "PHOENIX_WORKING_DIR": folder,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(free_port()),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_ENABLE_MCP_SERVER": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
            "PYTHONWARNINGS": "ignore",
        }
        command = [ENVIRONMENT / "bin" / "python", "-P", Path(__file__).with_name("phoenix_peer.py")]
        with Popen(command, env=os.environ | given, stdout=DEVNULL) as process:
            try:
                made = Phoenix(f"http://127.0.0.1:{given['PHOENIX_PORT']}")
                environment.wait_for(f"{made.url}/healthz", process)
                yield made
            finally:
                process.kill()


def missing() -> str:
    """Why Phoenix cannot be run, after an attempt to install it; empty when it can."""
    return environment.missing(ENVIRONMENT, VERSION)
