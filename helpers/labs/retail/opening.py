"""The plumbing of the lab's last part, which notebooks 08 and 09 show cell by cell: three stores, a Region, a gateway.

chain = open_chain()
chain.add(target)
with chain.connection(approver) as connection:
    connection.call_tool_sync("1", "arnsee___count", {"sku": "GW-305"})
chain.close()
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from helpers import region
from helpers.approvals.calls import Answers, Calls
from helpers.approvals.connection import Connection
from helpers.approvals.desk import Desk
from helpers.approvals.question import Approver
from helpers.apps.audit import AuditLog
from helpers.labs.retail.season import CARD, STORES
from helpers.sites.network import Network
from helpers.sites.topology import Topology

TOPOLOGY = Path(__file__).parents[3] / "labs/retail/three-stores.toml"
REGION = "oregon"
MCP = {
    "supportedVersions": ["2025-11-25"],
    "sessionConfiguration": {"sessionTimeoutInSeconds": 3600},
    "streamingConfiguration": {"enableResponseStreaming": True},
}
SECONDS = 300  # that AWS may take for a gateway or a target
Target = Callable[[str, str, str], dict[str, Any]]


class Chain:
    """Three stores with their programs, a Region with a gateway, and the ledger of what crosses between them."""

    def __init__(self, network: Network) -> None:
        """Start the Region and the stores, and make a gateway without targets."""
        self.network = network
        self._end = ExitStack()
        self._end.callback(network.close)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def add(self, target: Target) -> list[str]:
        """Add all stores to the gateway, each by what `target` says of it; returns the status of each."""
        return [self._add(target, store) for store in self.stores]

    def connection(self, approver: Approver, patience: float = 20) -> Connection:
        """The tools of all stores; `approver` answers what they ask."""
        answers = Answers(self.folder / "answers.sqlite")
        desk = Desk(approver, self.log, server="gateway", answers=answers)
        calls = Calls(self.folder / "calls.sqlite")
        url = self._gateway["gatewayUrl"]
        return Connection(url, desk, headers=self._headers, calls=calls, mode="auto", patience=patience)

    def line(self, store: str) -> Any:  # noqa: ANN401 - a Link
        """The link between the Region and a store."""
        return self.network.link(REGION, f"store-{store}")

    def close(self) -> None:
        """Delete what was made in the Region, and end all programs."""
        self._end.close()

    def _begin(self) -> None:
        network = self.network
        region.start(network[REGION])
        self.stores = {
            store: network[f"store-{store}"].start("helpers.labs.retail.store", "--store", store) for store in STORES
        }
        self.name = f"stores-{uuid4().hex[:8]}"
        self.folder = Path(tempfile.mkdtemp(prefix="stores-"))
        self._end.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = AuditLog(self.folder / "audit.sqlite")
        self._control = boto3.client("bedrock-agentcore-control")
        discovery, self._headers = self._pool()
        self._gateway = self._made(discovery, self._role())

    def _pool(self) -> tuple[str, dict[str, str]]:
        """Who lets callers in, and what this caller shows."""
        cognito = boto3.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName=self.name)["UserPool"]["Id"]
        self._end.callback(cognito.delete_user_pool, UserPoolId=pool)
        scope = {"ScopeName": "invoke", "ScopeDescription": "call tools"}
        cognito.create_resource_server(UserPoolId=pool, Identifier="gateway", Name="gateway", Scopes=[scope])
        cognito.create_user_pool_domain(UserPoolId=pool, Domain=self.name)
        self._end.callback(cognito.delete_user_pool_domain, UserPoolId=pool, Domain=self.name)
        client = cognito.create_user_pool_client(
            UserPoolId=pool,
            ClientName="region",
            GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=["gateway/invoke"],
        )["UserPoolClient"]
        self._client = client["ClientId"]
        discovery = f"{cognito.meta.endpoint_url}/{pool}/.well-known/openid-configuration"
        issuer = httpx.get(discovery).raise_for_status().json()
        grant = {"grant_type": "client_credentials", "scope": "gateway/invoke"}
        told = httpx.post(issuer["token_endpoint"], data=grant, auth=(self._client, client["ClientSecret"]))
        return discovery, {"Authorization": f"Bearer {told.raise_for_status().json()['access_token']}"}

    def _role(self) -> str:
        iam = boto3.client("iam")
        service = {"Service": "bedrock-agentcore.amazonaws.com"}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role: str = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        self._end.callback(iam.delete_role, RoleName=self.name)
        allowed = ["bedrock-agentcore:Get*", "secretsmanager:GetSecretValue"]
        rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": allowed}]}
        iam.put_role_policy(RoleName=self.name, PolicyName="gateway", PolicyDocument=json.dumps(rights))
        self._end.callback(iam.delete_role_policy, RoleName=self.name, PolicyName="gateway")
        return role

    def _made(self, discovery: str, role: str) -> dict[str, Any]:
        jwt = {"discoveryUrl": discovery, "allowedClients": [self._client]}
        made = self._control.create_gateway(
            name=self.name,
            roleArn=role,
            protocolType="MCP",
            protocolConfiguration={"mcp": MCP},
            authorizerType="CUSTOM_JWT",
            authorizerConfiguration={"customJWTAuthorizer": jwt},
            exceptionLevel="DEBUG",
        )
        place = {"gatewayIdentifier": made["gatewayId"]}
        self._end.callback(self._control.delete_gateway, **place)
        return _settled(self._control.get_gateway, **place)

    def _add(self, target: Target, store: str) -> str:
        program, place = self.stores[store], {"gatewayIdentifier": self._gateway["gatewayId"]}
        key = self.network.issuer.token(REGION, program.identity)
        name = f"{self.name}-{store}"
        provider = self._control.create_api_key_credential_provider(name=name, apiKey=key)["credentialProviderArn"]
        self._end.callback(self._control.delete_api_key_credential_provider, name=name)
        given = target(store, program.url_from(REGION), provider)
        made = self._control.create_gateway_target(**place, **given)
        self._end.callback(_gone, self._control, place, made["targetId"])
        status: str = _settled(self._control.get_gateway_target, **place, targetId=made["targetId"])["status"]
        return status


def open_chain() -> Chain:
    """Three stores and a Region, on this machine or, on the profile aws, where `WORKSHOP_APPS` says.

    Raises:
        ProgramFailed, NoRegion: something does not start, or does not answer.
    """
    return Chain(Network(Topology.read(TOPOLOGY), classified={"card": CARD}))


@retry(
    retry=retry_if_result(lambda found: found["status"].endswith("ING")),
    wait=wait_fixed(0.5),
    stop=stop_after_delay(SECONDS),
)
def _settled(get: Callable[..., dict[str, Any]], **place: str) -> dict[str, Any]:
    return get(**place)


def _gone(control: Any, place: dict[str, str], target: str) -> None:  # noqa: ANN401 - a client of boto3
    """Delete a target, and wait until it is."""
    control.delete_gateway_target(**place, targetId=target)

    @retry(retry=retry_if_result(bool), wait=wait_fixed(0.5), stop=stop_after_delay(SECONDS))
    def there() -> bool:
        return target in [each["targetId"] for each in control.list_gateway_targets(**place)["items"]]

    there()
