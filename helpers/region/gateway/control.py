"""AgentCore Gateway's control plane: moto's, with the states, conflicts and refusals of the service.

A state `UPDATING` never ends in moto, names may come twice, and `protocolType` and the name of a target cannot be left
out. What a target offers is read here in the background, as on AWS; its state tells when that is done, and how.
"""

from typing import ClassVar

from moto.bedrockagentcorecontrol.responses import BedrockAgentCoreControlResponse
from moto.core.responses import ActionResult

from helpers.region.errors import Conflict, ValidationError
from helpers.region.gateway.messages import Json
from helpers.region.gateway.resources import Gateway, Target, letters
from helpers.region.gateway.rules import check_change, check_gateway, check_target
from helpers.region.gateway.service import Gateways

NOT_KEPT = {"gatewayIdentifier", "targetId", "clientToken", "tags"}


class GatewayControl(BedrockAgentCoreControlResponse):  # type: ignore[misc]
    """The actions for gateways and their targets."""

    gateways: ClassVar[Gateways]

    def create_gateway(self) -> ActionResult:
        """A gateway; without a protocol type it is one for HTTP targets."""
        name = self.params["name"]
        if any(gateway.name == name for gateway in self.backend.list_gateways()):
            raise Conflict(f"A gateway with the name {name} already exists. Update it, or choose another name.")
        check_gateway(self.params)
        self.params.setdefault("protocolType", None)
        made = super().create_gateway().result
        gateway = self.backend.gateways[made["gatewayId"]]
        gateway.given = _kept(self.params)
        return ActionResult(gateway.to_dict() | {"status": "CREATING"})

    def update_gateway(self) -> ActionResult:
        """All of a gateway but its name and its kind."""
        gateway = self.backend.get_gateway(self.params["gatewayIdentifier"])
        check_gateway(self.params)
        if self.params["name"] != gateway.name:
            raise ValidationError("The name of a gateway cannot be changed.")
        check_change(self.params, self.backend.list_gateway_targets(gateway.gateway_id))
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
        others = self.backend.list_gateway_targets(gateway.gateway_id)
        self.params.setdefault("name", f"target-{letters()}")
        _check(gateway, self.params, others)
        made = super().create_gateway_target().result
        target = self.backend.gateway_targets[gateway.gateway_id, made["targetId"]]
        target.given = _kept(self.params)
        return self._read(target, "CREATING")

    def update_gateway_target(self) -> ActionResult:
        """All of a target."""
        gateway = self.backend.get_gateway(self.params["gatewayIdentifier"])
        target = self.backend.get_gateway_target(gateway.gateway_id, self.params["targetId"])
        self.params.setdefault("name", target.name)
        others = [each for each in self.backend.list_gateway_targets(gateway.gateway_id) if each is not target]
        _check(gateway, self.params, others)
        super().update_gateway_target()
        target.given = target.given | _kept(self.params)
        return self._read(target, "UPDATING")

    def delete_gateway_target(self) -> ActionResult:
        """A target, with the sessions that hang on it."""
        target = self.backend.get_gateway_target(self.params["gatewayIdentifier"], self.params["targetId"])
        deleted = super().delete_gateway_target()
        self.gateways.forget(target)
        return deleted

    def synchronize_gateway_targets(self) -> ActionResult:
        """Read the tools of a target anew."""
        gateway = self.backend.get_gateway(self.params["gatewayIdentifier"])
        targets = [self.backend.get_gateway_target(gateway.gateway_id, each) for each in self.params["targetIdList"]]
        for target in targets:
            if target.kind != "mcpServer" or "mcpToolSchema" in target.configuration:
                raise ValidationError(
                    f"Target {target.name} cannot be synchronised: its tools are given, not asked for."
                )
        return ActionResult({"targets": [self._read(target, "SYNCHRONIZING").result for target in targets]})

    def _read(self, target: Target, status: str) -> ActionResult:
        target.status = status
        self.gateways.read(target)
        return ActionResult(target.to_dict() | {"status": status})


def _check(gateway: Gateway, params: Json, others: list[Target]) -> None:
    """Refuse a target that has the name of another, or does not go with its gateway."""
    if any(other.name == params["name"] for other in others):
        raise Conflict(f"Gateway {gateway.gateway_id} has a target with the name {params['name']} already.")
    check_target(gateway, params, len(others))


def _kept(params: Json) -> Json:
    return {name: value for name, value in params.items() if name not in NOT_KEPT and value is not None}
