"""A Region, MCP servers, and gateways in front of them, each a process of its own, for `bench.gateway`."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import psutil

from helpers import region
from helpers.apps.retail import FOLDER
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.sites.topology import Topology
from tests.region import lambdas

PLAN = {"name": "bench", "sites": {"oregon": {"kind": "region"}}, "links": []}
ROLE = "arn:aws:iam::123456789012:role/bench"
OF_ROLE = [{"credentialProviderType": "GATEWAY_IAM_ROLE"}]
WITH_SESSIONS = {
    "supportedVersions": ["2025-11-25"],
    "sessionConfiguration": {},
    "streamingConfiguration": {"enableResponseStreaming": True},
}
TARGET = "shop"
SETTLE_SECONDS = 30


@dataclass(frozen=True)
class Ways:
    """Two ways to the same server, and what its first tool is called on each."""

    gateway: str
    direct: str
    through: str = f"{TARGET}___stock-0"
    tool: str = "stock-0"


class Gateways:
    """Makes gateways and what is behind them, in the Region with the process `pid`."""

    def __init__(self, network: Network, pid: int) -> None:
        self.network, self.process = network, psutil.Process(pid)
        self.control = boto3.client("bedrock-agentcore-control")

    def before(self, tools: int = 1, searchType: str = "") -> Ways:
        """A gateway before a server with so many tools; `searchType` as boto3 has it."""
        server = self.network["oregon"].start(
            "bench.upstream", "--tools", str(tools), name=f"server-{tools}{searchType}"
        )
        endpoint = f"{server.url}/mcp"
        return Ways(self._made({TARGET: {"mcpServer": {"endpoint": endpoint}}}, searchType), endpoint)

    def asking(self) -> tuple[str, str, psutil.Process]:
        """A gateway before a server that asks, the server itself, and its process."""
        server = self.network["oregon"].start("bench.asking")
        assert server.process
        endpoint = f"{server.url}/mcp"
        return self._made({TARGET: {"mcpServer": {"endpoint": endpoint}}}), endpoint, psutil.Process(server.process.pid)

    def searching(self) -> str:
        """A gateway that finds tools, with the sixty of the shop: a function for each department."""
        function = lambdas.create(boto3.client, "def handle(event, context): return event").arn
        targets: dict[str, list[dict[str, Any]]] = {}
        for tool in json.loads((FOLDER / "tools.json").read_text("utf-8")):
            targets.setdefault(tool.pop("department"), []).append(tool)
        given = {
            name: {"lambda": {"lambdaArn": function, "toolSchema": {"inlinePayload": tools}}}
            for name, tools in targets.items()
        }
        return self._made(given, credentialProviderConfigurations=OF_ROLE, searchType="SEMANTIC")

    def megabytes(self) -> float:
        """What the Region's process has resident."""
        return float(self.process.memory_info().rss) / 2**20

    def _made(self, targets: dict[str, Any], searchType: str = "", **given: Any) -> str:  # noqa: ANN401 - boto3's
        mcp = WITH_SESSIONS | ({"searchType": searchType} if searchType else {})
        made = self.control.create_gateway(
            name=f"bench-{time.monotonic_ns()}",
            roleArn=ROLE,
            authorizerType="NONE",
            protocolType="MCP",
            protocolConfiguration={"mcp": mcp},
        )
        for name, configuration in targets.items():
            target = self.control.create_gateway_target(
                gatewayIdentifier=made["gatewayId"], name=name, targetConfiguration={"mcp": configuration}, **given
            )
            self._wait_for(made["gatewayId"], target["targetId"])
        return str(made["gatewayUrl"])

    def _wait_for(self, gateway: str, target: str) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found = self.control.get_gateway_target(gatewayIdentifier=gateway, targetId=target)
            if found["status"] == "READY":
                return
            if found["status"] == "FAILED" or time.monotonic() > deadline:
                raise RuntimeError(f"The target is {found['status']}: {found.get('statusReasons')}")
            time.sleep(0.05)


@contextlib.contextmanager
def gateways(telemetry: Program | None = None) -> Iterator[Gateways]:
    """A Region of its own, traced or not; what that sets for boto3 counts no more afterwards."""
    before = dict(os.environ)
    try:
        with Network(Topology.model_validate(PLAN)) as network:
            network.telemetry = telemetry
            program = region.start(network["oregon"])
            assert program and program.process
            yield Gateways(network, program.process.pid)
    finally:
        os.environ.clear()
        os.environ.update(before)
        boto3.setup_default_session()  # which remembers the keys of the Region that is gone
