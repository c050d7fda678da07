"""AgentCore Gateway's control plane: moto's, with ids, addresses, states and fields as the service gives them.

moto's ids have no name in them, a state `UPDATING` never ends, names may come twice, `protocolType` and the name of a
target cannot be left out, and what it does not know (private endpoints, certificates, domains) it forgets.
"""

import string
from typing import Any

from moto.bedrockagentcorecontrol import models
from moto.bedrockagentcorecontrol.responses import BedrockAgentCoreControlResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from helpers.region.errors import Conflict, ValidationError

Json = dict[str, Any]

SETTLE = [("CREATING", "READY"), ("UPDATING", "READY"), ("SYNCHRONIZING", "READY")]
LETTERS = string.ascii_lowercase + string.digits
NOT_KEPT = {"gatewayIdentifier", "targetId", "clientToken", "tags"}


class Gateway(models.Gateway):  # type: ignore[misc]
    """A gateway, and all that it was given."""

    base_url = "http://127.0.0.1"

    def __init__(self, region_name: str, account_id: str, name: str, **given: Any) -> None:  # noqa: ANN401 - moto's
        super().__init__(region_name, account_id, name, **given)
        self._transitions = SETTLE
        self.gateway_id = f"{name.lower()}-{_letters()}"
        prefix = f"arn:{get_partition(region_name)}:bedrock-agentcore:{region_name}:{account_id}"
        self.gateway_arn = f"{prefix}:gateway/{self.gateway_id}"
        self.gateway_url = f"{self.base_url}/gateways/{self.gateway_id}" + ("/mcp" if self.protocol_type else "")
        identity = f"workload-identity-directory/default/workload-identity/{self.gateway_id}"
        self.workload_identity_details = {"workloadIdentityArn": f"{prefix}:{identity}"}
        self.given: Json = {}

    def to_dict(self) -> Json:
        """The gateway as GetGateway tells it."""
        return _told(super().to_dict(), self.given)


class Target(models.GatewayTarget):  # type: ignore[misc]
    """A target of a gateway, and all that it was given."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - moto's
        super().__init__(**given)
        self._transitions = SETTLE
        self.target_id = _letters().upper()
        self.synchronized_at = self.created_at
        self.given: Json = {}

    def synchronize(self) -> None:
        """Read the tools anew."""
        self.synchronized_at = utcnow()
        self.status = "SYNCHRONIZING"

    def to_dict(self) -> Json:
        """The target as GetGatewayTarget tells it."""
        return _told(super().to_dict() | {"lastSynchronizedAt": self.synchronized_at}, self.given)


class GatewayControl(BedrockAgentCoreControlResponse):  # type: ignore[misc]
    """The actions for gateways and their targets."""

    def create_gateway(self) -> ActionResult:
        """A gateway; without a protocol type it is one for HTTP targets."""
        name = self.params["name"]
        if any(gateway.name == name for gateway in self.backend.list_gateways()):
            raise Conflict(f"A gateway with the name {name} already exists. Update it, or choose another name.")
        self._check_authorizer()
        self.params.setdefault("protocolType", None)
        made = super().create_gateway().result
        gateway = self.backend.gateways[made["gatewayId"]]
        gateway.given = _kept(self.params)
        return ActionResult(gateway.to_dict() | {"status": "CREATING"})

    def update_gateway(self) -> ActionResult:
        """All of a gateway but its name and its kind."""
        gateway = self.backend.get_gateway(self.params["gatewayIdentifier"])
        self._check_authorizer()
        if self.params["name"] != gateway.name:
            raise ValidationError("The name of a gateway cannot be changed.")
        self.params.setdefault("protocolType", gateway.protocol_type)
        super().update_gateway()
        gateway.given = gateway.given | _kept(self.params)
        return ActionResult(gateway.to_dict() | {"status": "UPDATING"})

    def delete_gateway(self) -> ActionResult:
        """A gateway that has no targets any more."""
        gateway = self.backend.get_gateway(self.params["gatewayIdentifier"])
        if self.backend.list_gateway_targets(gateway.gateway_id):
            raise Conflict(f"Gateway {gateway.gateway_id} has targets. Delete them first.")
        return super().delete_gateway()

    def create_gateway_target(self) -> ActionResult:
        """A target."""
        gateway = self.backend.get_gateway(self.params["gatewayIdentifier"])
        name = self.params.setdefault("name", f"target-{_letters()}")
        if any(target.name == name for target in self.backend.list_gateway_targets(gateway.gateway_id)):
            raise Conflict(f"Gateway {gateway.gateway_id} has a target with the name {name} already.")
        made = super().create_gateway_target().result
        target = self.backend.gateway_targets[gateway.gateway_id, made["targetId"]]
        target.given = _kept(self.params)
        return ActionResult(target.to_dict() | {"status": "CREATING"})

    def update_gateway_target(self) -> ActionResult:
        """All of a target."""
        target = self.backend.get_gateway_target(self.params["gatewayIdentifier"], self.params["targetId"])
        self.params.setdefault("name", target.name)
        super().update_gateway_target()
        target.given = target.given | _kept(self.params)
        return ActionResult(target.to_dict() | {"status": "UPDATING"})

    def synchronize_gateway_targets(self) -> ActionResult:
        """Read the tools of a target anew."""
        gateway = self.backend.get_gateway(self.params["gatewayIdentifier"])
        targets = [self.backend.get_gateway_target(gateway.gateway_id, each) for each in self.params["targetIdList"]]
        for target in targets:
            target.synchronize()
        return ActionResult({"targets": [target.to_dict() | {"status": "SYNCHRONIZING"} for target in targets]})

    def _check_authorizer(self) -> None:
        kind, configuration = self.params["authorizerType"], self.params.get("authorizerConfiguration")
        if (kind == "CUSTOM_JWT") != bool(configuration):
            raise ValidationError(f"authorizerConfiguration is for CUSTOM_JWT, which needs it; this is {kind}.")


def _letters() -> str:
    return "".join(mock_random.choice(LETTERS) for _ in range(10))


def _kept(params: Json) -> Json:
    return {name: value for name, value in params.items() if name not in NOT_KEPT and value is not None}


def _told(found: Json, given: Json) -> Json:
    """What moto tells, what it forgot, and nothing that is empty."""
    return {name: value for name, value in (given | found).items() if value not in (None, "", {}, [])}
