"""AgentCore Identity's token vault: who may be asked for credentials, and where their secrets are.

The secrets themselves are in Secrets Manager, in one that this service keeps (`MANAGED`) or in one of the learner's own
(`EXTERNAL`); what is here may be shown to anyone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.bedrockagentcorecontrol.models import BedrockAgentCoreControlBackend, bedrockagentcorecontrol_backends
from moto.core.utils import utcnow
from moto.secretsmanager.models import SecretsManagerBackend, secretsmanager_backends

from helpers.region.errors import NotFound

Json = dict[str, Any]

MANAGED, EXTERNAL = "MANAGED", "EXTERNAL"


@dataclass
class Secret:
    """A place in Secrets Manager: which secret, and which key of the JSON in it."""

    account: str
    region: str
    name: str
    key: str
    source: str = MANAGED
    arn: str = ""

    @property
    def backend(self) -> SecretsManagerBackend:
        """moto's Secrets Manager."""
        return secretsmanager_backends[self.account][self.region]

    def write(self, value: str) -> None:
        """Keep a value here; the secret is made when there is none."""
        text = json.dumps({self.key: value})
        if dict.get(self.backend.secrets, self.name) is None:
            self.backend.create_secret(self.name, text, None, None, [], None, None, [], False)
        else:
            self.backend.put_secret_value(self.name, text, None, None, ["AWSCURRENT"])
        self.arn = dict.__getitem__(self.backend.secrets, self.name).arn

    def read(self) -> str:
        """The value that is here now.

        Raises:
            NotFound: there is none; the message says where it was looked for.
        """
        # Not through moto's lookup, which goes through all secrets while another thread may add one.
        secret: Any = dict.get(self.backend.secrets, self.name)
        if secret is None or secret.is_deleted():
            raise NotFound(f"There is no secret {self.name} in Secrets Manager.")
        text = secret.versions.get(secret.default_version_id, {}).get("secret_string")
        try:
            value = json.loads(text)[self.key]
        except (KeyError, TypeError, ValueError):
            value = None
        if not isinstance(value, str) or not value:
            raise NotFound(f"The secret {self.name} holds no JSON with a text {self.key!r}. Put it there.")
        return value

    def delete(self) -> None:
        """Forget it, if it is kept for the service and no secret of the learner's own."""
        if self.source == MANAGED:
            self.backend.delete_secret(self.name, None, force_delete_without_recovery=True)


@dataclass
class Provider:
    """Someone who may be asked for credentials, as it is told to everyone."""

    name: str
    arn: str
    secret: Secret
    vendor: str | None = None
    config: Json = field(default_factory=dict)
    created: datetime = field(default_factory=utcnow)
    updated: datetime = field(default_factory=utcnow)

    def summary(self) -> Json:
        """What lists tell."""
        told = {"name": self.name, "credentialProviderArn": self.arn, "credentialProviderVendor": self.vendor}
        return told | {"createdTime": self.created, "lastUpdatedTime": self.updated}


@dataclass
class Identity:
    """The identity of a workload."""

    name: str
    arn: str
    urls: list[str]
    created: datetime = field(default_factory=utcnow)
    updated: datetime = field(default_factory=utcnow)

    def summary(self) -> Json:
        """What is told of it."""
        told = {"name": self.name, "workloadIdentityArn": self.arn, "allowedResourceOauth2ReturnUrls": self.urls}
        return told | {"createdTime": self.created, "lastUpdatedTime": self.updated}


@dataclass
class Vault:
    """All of an account in a Region, by name."""

    keys: dict[str, Provider] = field(default_factory=dict)
    oauth: dict[str, Provider] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)


def vault(backend: BedrockAgentCoreControlBackend) -> Vault:
    """The vault beside what moto keeps of AgentCore."""
    found: Vault = vars(backend).setdefault("vault", Vault())
    return found


def provider(arn: str) -> Provider:
    """The provider with an ARN; this may be called from any thread.

    Raises:
        NotFound: there is none.
    """
    for backend in _backends():
        here = vault(backend)
        for found in [*here.keys.copy().values(), *here.oauth.copy().values()]:
            if found.arn == arn:
                return found
    raise NotFound(f"There is no credential provider {arn}.")


def _backends() -> Iterator[BedrockAgentCoreControlBackend]:
    for account in list(bedrockagentcorecontrol_backends.values()):
        yield from list(account.values())
