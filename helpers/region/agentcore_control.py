"""AgentCore's control plane: moto's, with ids, ARNs, versions, endpoints and states as the service gives them.

moto's ARN of a runtime changes with each version, a state `UPDATING` never ends, no endpoint `DEFAULT` is made, names
may come twice, and of older versions nothing is kept that one could run.
"""

import threading
from typing import Any

from moto.bedrockagentcorecontrol import models, urls
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from helpers.region.checks import Checked
from helpers.region.credential_providers import CredentialProviders
from helpers.region.errors import Conflict, NotFound, ValidationError
from helpers.region.gateway.control import GatewayControl
from helpers.region.gateway.resources import Gateway, Target
from helpers.region.gateway.service import Gateways
from helpers.region.images import Images
from helpers.region.sessions import PATHS, Container, Sessions

Json = dict[str, Any]

DEFAULT = "DEFAULT"
SETTLE = [("CREATING", "READY"), ("UPDATING", "READY")]
OF_A_VERSION = {"description", "environmentVariables", "protocolConfiguration", "requestHeaderConfiguration"}
LIFE = {"lifecycleConfiguration": {"idleRuntimeSessionTimeout": 900, "maxLifetime": 28800}}  # unless it is given
PUBLIC = {"networkMode": "PUBLIC"}
NOT_HERE = {
    "authorizerConfiguration": "Callers sign with AWS Signature Version 4; tokens of others are for a gateway.",
    "filesystemConfigurations": "A session has a folder of its own, which ends with it.",
    "capacityProviderConfiguration": "Sessions run on this machine.",
    "hooksConfiguration": "There are no hooks.",
}


class Runtime(models.AgentRuntime):  # type: ignore[misc]
    """A runtime, and the configuration of each of its versions."""

    def __init__(self, region_name: str, account_id: str, agent_runtime_name: str, **given: Any) -> None:  # noqa: ANN401
        super().__init__(region_name, account_id, agent_runtime_name, **given)
        self._transitions = SETTLE
        self.agent_runtime_id = f"{agent_runtime_name}-{mock_random.get_random_string(10)}"
        prefix = f"arn:{get_partition(region_name)}:bedrock-agentcore:{region_name}:{account_id}"
        self.agent_runtime_arn = f"{prefix}:runtime/{self.agent_runtime_id}"
        identity = f"workload-identity-directory/default/workload-identity/{self.agent_runtime_id}"
        self.workload_identity_details = {"workloadIdentityArn": f"{prefix}:{identity}"}
        self.configurations: dict[str, Json] = {}
        self.versions: list[Json] = []
        self._snapshot_version()

    def update(self, **_: Any) -> None:  # noqa: ANN401
        """The next version; what it runs is in `configurations`."""
        self.agent_runtime_version: str = str(int(self.agent_runtime_version) + 1)
        self.last_updated_at = utcnow()
        self.status = "UPDATING"
        self._snapshot_version()

    def configuration(self, version: str) -> Json:
        """What was configured for a version.

        Raises:
            NotFound: there is no such version.
        """
        if version not in self.configurations:
            raise NotFound(f"Agent runtime {self.agent_runtime_id} has no version {version}")
        return self.configurations[version]

    def container(self, version: str, images: Images) -> Container:
        """What a version runs here."""
        given = self.configuration(version)
        protocol = given.get("protocolConfiguration") or {}
        life = given.get("lifecycleConfiguration") or {}
        kind = protocol.get("serverProtocol", "HTTP")
        return Container(
            program=images.program(given["agentRuntimeArtifact"]["containerConfiguration"]["containerUri"]),
            protocol=kind,
            path=protocol.get("path") or PATHS[kind],
            idle_seconds=life.get("idleRuntimeSessionTimeout", 900),
            most_seconds=life.get("maxLifetime", 28800),
            variables=given.get("environmentVariables") or {},
        )


class Endpoint(models.AgentRuntimeEndpoint):  # type: ignore[misc]
    """An endpoint: a name for a version."""

    def __init__(self, agent_runtime: Runtime, name: str, agent_runtime_version: str | None, **given: Any) -> None:  # noqa: ANN401
        agent_runtime.configuration(agent_runtime_version or agent_runtime.agent_runtime_version)
        super().__init__(agent_runtime=agent_runtime, name=name, agent_runtime_version=agent_runtime_version, **given)
        self._transitions = SETTLE
        self.runtime = agent_runtime
        self.endpoint_id = name
        self.agent_runtime_endpoint_arn = f"{agent_runtime.agent_runtime_arn}/runtime-endpoint/{name}"

    def update(self, agent_runtime_version: str | None, description: str | None) -> None:
        """Point to another version."""
        if agent_runtime_version is not None:
            self.runtime.configuration(agent_runtime_version)
        super().update(agent_runtime_version, description)
        self.live_version = self.target_version


class AgentCoreControl(Checked, GatewayControl, CredentialProviders):
    """The actions. `register` says which programs there are, and which sessions end with a runtime."""

    images: Images
    sessions: Sessions

    @classmethod
    def register(cls, images: Images, sessions: Sessions, gateways: Gateways) -> None:
        """Take the place of moto's."""
        cls.images, cls.sessions, cls.gateways = images, sessions, gateways
        models.AgentRuntime, models.AgentRuntimeEndpoint = Runtime, Endpoint
        models.Gateway, models.GatewayTarget = Gateway, Target
        urls.url_paths = {"{0}/.*$": cls.dispatch}

    def create_agent_runtime(self) -> ActionResult:
        """The first version, with its endpoint DEFAULT."""
        self._check_runtime()
        name = self.params["agentRuntimeName"]
        if any(runtime.agent_runtime_name == name for runtime in self.backend.list_agent_runtimes()):
            raise Conflict(f"An agent runtime with the name {name} already exists. Update it, or choose another name.")
        self.params.setdefault("networkConfiguration", PUBLIC)
        result = super().create_agent_runtime()
        runtime = self.backend.agent_runtimes[result.result["agentRuntimeId"]]
        runtime.configurations["1"] = dict(self.params)
        self.backend.create_agent_runtime_endpoint(runtime.agent_runtime_id, DEFAULT, None, None, None)
        return result

    def update_agent_runtime(self) -> ActionResult:
        """Another version; DEFAULT follows, other endpoints do not."""
        self._check_runtime()
        runtime = self.backend.get_agent_runtime(self.params["agentRuntimeId"])
        self.params.setdefault("networkConfiguration", PUBLIC)
        result = super().update_agent_runtime()
        runtime.configurations[runtime.agent_runtime_version] = dict(self.params)
        default = self.backend.get_agent_runtime_endpoint(runtime.agent_runtime_id, DEFAULT)
        default.update(runtime.agent_runtime_version, None)
        return result

    def get_agent_runtime(self) -> ActionResult:
        """The newest version, or the one that is asked for, with all that it was given."""
        runtime = self.backend.get_agent_runtime(self.params["agentRuntimeId"])
        version = self.params.get("agentRuntimeVersion") or runtime.agent_runtime_version
        found = super().get_agent_runtime().result
        kept = {name: value for name, value in found.items() if name not in OF_A_VERSION}
        return ActionResult(kept | LIFE | runtime.configuration(version) | {"agentRuntimeVersion": version})

    def delete_agent_runtime(self) -> ActionResult:
        """The runtime, its endpoints and its sessions."""
        result = super().delete_agent_runtime()
        runtime_id = self.params["agentRuntimeId"]
        threading.Thread(target=self.sessions.end_all, args=(runtime_id,), daemon=True).start()  # that takes a while
        return result

    def update_agent_runtime_endpoint(self) -> ActionResult:
        """Move an endpoint to another version; DEFAULT moves by itself."""
        self._check_endpoint()
        return super().update_agent_runtime_endpoint()

    def delete_agent_runtime_endpoint(self) -> ActionResult:
        """An endpoint other than DEFAULT."""
        self._check_endpoint()
        return super().delete_agent_runtime_endpoint()

    def _check_runtime(self) -> None:
        """Refuse what this Region has not; on AWS it would be there."""
        for name, instead in NOT_HERE.items():
            if self.params.get(name):
                raise ValidationError(f"This Region on a laptop has no {name}. {instead} Leave it out.")
        artifact = self.params["agentRuntimeArtifact"]
        if "containerConfiguration" not in artifact:
            raise ValidationError("This Region on a laptop runs containers, not zips of code: give a containerUri.")
        self.images.program(artifact["containerConfiguration"]["containerUri"])

    def _check_endpoint(self) -> None:
        if self.params["endpointName"] == DEFAULT:
            raise Conflict(f"The endpoint {DEFAULT} follows the newest version; it cannot be changed or deleted.")
