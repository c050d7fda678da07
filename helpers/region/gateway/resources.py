"""Gateways and their targets: moto's records, with ids, addresses, states and fields as the service gives them.

moto's ids have no name in them, a state `UPDATING` never ends, and what it does not know (private endpoints,
certificates, domains) it forgets.
"""

import string
from functools import cached_property
from typing import Any

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from moto.bedrockagentcorecontrol import models
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from helpers.region.gateway.catalogue import Catalogue, prefixed
from helpers.region.gateway.messages import Json

LETTERS = string.ascii_lowercase + string.digits
VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26"]  # unless others are given
SESSION_SECONDS = 3600  # unless another time is given
FAILED = {
    "CREATING": "FAILED",
    "UPDATING": "UPDATE_UNSUCCESSFUL",
    "SYNCHRONIZING": "SYNCHRONIZE_UNSUCCESSFUL",
}


class Gateway(models.Gateway):  # type: ignore[misc]
    """A gateway, and all that it was given."""

    base_url = "http://127.0.0.1"  # of all gateways

    def __init__(self, region_name: str, account_id: str, name: str, **given: Any) -> None:  # noqa: ANN401 - moto's
        super().__init__(region_name, account_id, name, **given)
        self._transitions = [("CREATING", "READY"), ("UPDATING", "READY")]
        self.gateway_id = f"{name.lower()}-{letters()}"
        prefix = f"arn:{get_partition(region_name)}:bedrock-agentcore:{region_name}:{account_id}"
        self.gateway_arn = f"{prefix}:gateway/{self.gateway_id}"
        identity = f"workload-identity-directory/default/workload-identity/{self.gateway_id}"
        self.workload_identity_details = {"workloadIdentityArn": f"{prefix}:{identity}"}
        self.given: Json = {}

    @property
    def gateway_url(self) -> str:
        """Where it answers: MCP at `/mcp`, HTTP targets beside it."""
        return f"{self.base_url}/{self.gateway_id}" + ("/mcp" if self.protocol_type else "")

    @gateway_url.setter
    def gateway_url(self, value: str) -> None:
        """moto's own address, which is none."""

    @property
    def mcp(self) -> Json:
        """What it was given for MCP."""
        return (self.protocol_configuration or {}).get("mcp") or {}

    @property
    def versions(self) -> list[str]:
        """The versions of MCP that it speaks."""
        return self.mcp.get("supportedVersions") or VERSIONS

    @property
    def with_sessions(self) -> list[str]:
        """Those that begin with `initialize`, the newest first."""
        return sorted(set(self.versions) & set(HANDSHAKE_PROTOCOL_VERSIONS), reverse=True)

    @property
    def without_sessions(self) -> list[str]:
        """Those in which each request stands for itself."""
        return [version for version in MODERN_PROTOCOL_VERSIONS if version in self.versions]

    @property
    def session_seconds(self) -> int | None:
        """How long a session lasts; None if there are none."""
        configured = self.mcp.get("sessionConfiguration")
        return None if configured is None else configured.get("sessionTimeoutInSeconds") or SESSION_SECONDS

    @property
    def streams(self) -> bool:
        """Whether answers may be streams of events."""
        return bool((self.mcp.get("streamingConfiguration") or {}).get("enableResponseStreaming"))

    @property
    def searches(self) -> bool:
        """Whether there is a tool that finds tools."""
        return bool(self.mcp.get("searchType") == "SEMANTIC")

    @property
    def explains(self) -> bool:
        """Whether callers are told what exactly went wrong."""
        return bool(self.exception_level == "DEBUG")

    def to_dict(self) -> Json:
        """The gateway as GetGateway tells it."""
        return told(super().to_dict(), self.given)


class Target(models.GatewayTarget):  # type: ignore[misc]
    """A target of a gateway, all that it was given, and what it offers once that is known."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - moto's
        super().__init__(**given)
        self.target_id = letters().upper()
        self.synchronized_at = self.created_at
        self.reasons: list[str] = []
        self.given: Json = {}
        self.catalogue: Catalogue | None = None

    @property
    def status(self) -> str:
        """Its state. moto's own writes whenever it is read, and so might undo what another thread has set."""
        return str(self._status)

    @status.setter
    def status(self, value: str) -> None:
        self._status = value

    @property
    def kind(self) -> str:
        """mcpServer, lambda, ..., agentcoreRuntime or passthrough."""
        (of_group,) = self.target_configuration.values()
        return str(next(iter(of_group)))

    @property
    def configuration(self) -> Json:
        """What was given for its kind."""
        (of_group,) = self.target_configuration.values()
        found: Json = of_group[self.kind]
        return found

    @property
    def over_mcp(self) -> bool:
        """Whether it is part of what a gateway offers over MCP."""
        return "mcp" in self.target_configuration

    @property
    def priority(self) -> int:
        """Whose resource it is where several have one; the lowest wins."""
        return int(self.configuration.get("resourcePriority", 1000))

    @cached_property
    def tools(self) -> dict[str, Json]:
        """Its tools, by the names that the gateway gives them."""
        return {tool["name"]: tool for tool in prefixed(self.name, self.catalogue.tools if self.catalogue else [])}

    @property
    def live(self) -> bool:
        """Whether its tools are asked for whenever they are listed."""
        return bool(self.configuration.get("listingMode") == "DYNAMIC")

    @property
    def credentials(self) -> Json:
        """How the gateway shows who it is; nothing if it does not."""
        return next(iter(self.credential_provider_configurations), {})

    def rename(self) -> None:
        """Let its tools have the name that it has now."""
        self.__dict__.pop("tools", None)

    def settle(self, catalogue: Catalogue | None, reasons: list[str]) -> None:
        """What became of reading it. What was known before stays, if nothing new is."""
        self.reasons = reasons
        if catalogue:
            self.catalogue, self.synchronized_at = catalogue, utcnow()
        self.rename()
        self.status = FAILED.get(self.status, self.status) if reasons else "READY"

    def to_dict(self) -> Json:
        """The target as GetGatewayTarget tells it."""
        more = {"lastSynchronizedAt": self.synchronized_at, "statusReasons": self.reasons}
        return told(super().to_dict() | more, self.given)


def letters() -> str:
    """Ten letters and digits, for an id."""
    return "".join(mock_random.choice(LETTERS) for _ in range(10))


def told(found: Json, given: Json) -> Json:
    """What moto tells, what it forgot, and nothing that is empty."""
    return {name: value for name, value in (given | found).items() if value not in (None, "", {}, [])}
