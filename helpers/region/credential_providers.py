"""AgentCore Identity's control plane: providers of API keys and of OAuth tokens, and identities of workloads.

moto has none of it. Secrets go to Secrets Manager and are never told again. Of the vendors of OAuth there is one,
`CustomOauth2`, which is any server that has a discovery document; the others have sites of their own, and this Region
reaches this machine only.
"""

from typing import Any

from moto.bedrockagentcorecontrol.responses import BedrockAgentCoreControlResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.secretsmanager.models import secretsmanager_backends
from moto.utilities.utils import get_partition

from helpers.region.errors import Conflict, NotFound, ValidationError
from helpers.region.vault import EXTERNAL, MANAGED, Identity, Json, Provider, Secret, Vault, vault

CUSTOM, CONFIG = "CustomOauth2", "customOauth2ProviderConfig"
SECRETS = {"clientSecret", "clientSecretConfig", "clientSecretSource"}
METHODS = ("CLIENT_SECRET_BASIC", "CLIENT_SECRET_POST")
MANAGED_KEYS = {"apikey": "api_key_value", "oauth2": "client_secret"}
MEMBERS = {
    "apikey": ("apiKey", "apiKeySecret"),
    "oauth2": ("clientSecret", "clientSecret"),
}  # and what begins its place


class CredentialProviders(BedrockAgentCoreControlResponse):  # type: ignore[misc]
    """The actions."""

    @property
    def vault(self) -> Vault:
        """What is kept."""
        return vault(self.backend)

    def create_api_key_credential_provider(self) -> ActionResult:
        """Someone who gives an API key."""
        return _told_key(self._create("apikey", self.vault.keys, self.params))

    def get_api_key_credential_provider(self) -> ActionResult:
        """All but the key."""
        return _told_key(self._found(self.vault.keys))

    def update_api_key_credential_provider(self) -> ActionResult:
        """Another key."""
        return _told_key(self._update("apikey", self.vault.keys, self.params))

    def delete_api_key_credential_provider(self) -> EmptyResult:
        """The provider and its key."""
        return self._delete(self.vault.keys)

    def list_api_key_credential_providers(self) -> ActionResult:
        """All, by name."""
        return self._page(self.vault.keys, "credentialProviders", 100)

    def create_oauth2_credential_provider(self) -> ActionResult:
        """Someone who gives tokens to a client that shows its secret."""
        given = self._custom()
        provider = self._create("oauth2", self.vault.oauth, given)
        provider.vendor, provider.config = CUSTOM, _open(given)
        return _told_oauth(provider)

    def get_oauth2_credential_provider(self) -> ActionResult:
        """All but the secret."""
        return _told_oauth(self._found(self.vault.oauth))

    def update_oauth2_credential_provider(self) -> ActionResult:
        """Another server, client or secret."""
        given = self._custom()
        provider = self._update("oauth2", self.vault.oauth, given)
        provider.config = _open(given)
        return _told_oauth(provider)

    def delete_oauth2_credential_provider(self) -> EmptyResult:
        """The provider and its secret."""
        return self._delete(self.vault.oauth)

    def list_oauth2_credential_providers(self) -> ActionResult:
        """All, by name."""
        return self._page(self.vault.oauth, "credentialProviders", 20)

    def create_workload_identity(self) -> ActionResult:
        """An identity."""
        name, urls = self.params["name"], self.params.get("allowedResourceOauth2ReturnUrls", [])
        self._check_new(self.vault.identities, name)
        identity = Identity(name, self._arn(f"workload-identity-directory/default/workload-identity/{name}"), urls)
        self.vault.identities[name] = identity
        self.backend.tag_resource(identity.arn, self.params.get("tags", {}))
        return ActionResult(identity.summary())

    def get_workload_identity(self) -> ActionResult:
        """An identity."""
        return ActionResult(self._found(self.vault.identities).summary())

    def update_workload_identity(self) -> ActionResult:
        """Where its users may come back to."""
        identity = self._found(self.vault.identities)
        identity.urls, identity.updated = self.params.get("allowedResourceOauth2ReturnUrls", []), utcnow()
        return ActionResult(identity.summary())

    def delete_workload_identity(self) -> EmptyResult:
        """An identity."""
        del self.vault.identities[self._found(self.vault.identities).name]
        return EmptyResult()

    def list_workload_identities(self) -> ActionResult:
        """All, by name."""
        return self._page(self.vault.identities, "workloadIdentities", 20)

    def _create(self, kind: str, among: dict[str, Provider], given: Json) -> Provider:
        name = self.params["name"]
        self._check_new(among, name)
        secret = self._secret(kind, given)
        provider = Provider(name, self._arn(f"token-vault/default/{kind}credentialprovider/{name}"), secret)
        among[name] = provider
        self.backend.tag_resource(provider.arn, self.params.get("tags", {}))
        return provider

    def _update(self, kind: str, among: dict[str, Provider], given: Json) -> Provider:
        provider: Provider = self._found(among)
        secret = self._secret(kind, given)
        if secret.source == EXTERNAL:
            provider.secret.delete()
        provider.secret, provider.updated = secret, utcnow()
        return provider

    def _delete(self, among: dict[str, Provider]) -> EmptyResult:
        provider = self._found(among)
        provider.secret.delete()
        del among[provider.name]
        return EmptyResult()

    def _secret(self, kind: str, given: Json) -> Secret:
        """Where the secret is that is given: in one that is kept for it, or in one of the learner's own."""
        member, place = MEMBERS[kind]
        value: str = given.get(member, "")
        reference, source = given.get(f"{place}Config"), given.get(f"{place}Source")
        if bool(value) == bool(reference) or source not in (None, EXTERNAL if reference else MANAGED):
            raise ValidationError(f"Give {member}, or {place}Config with the source {EXTERNAL}: a secret of your own.")
        if reference:
            secrets = secretsmanager_backends[self.current_account][self.region]
            own = secrets.describe_secret(reference["secretId"])
            return Secret(self.current_account, self.region, own.name, reference["jsonKey"], EXTERNAL, own.arn)
        name = f"bedrock-agentcore-identity!default/{kind}/{self.params['name']}"
        secret = Secret(self.current_account, self.region, name, MANAGED_KEYS[kind])
        secret.write(value)
        return secret

    def _custom(self) -> Json:
        """The configuration of a server of OAuth."""
        vendor, given = self.params["credentialProviderVendor"], self.params["oauth2ProviderConfigInput"].get(CONFIG)
        if vendor != CUSTOM or given is None:
            raise ValidationError(
                f"This Region on a laptop has no {vendor}: it reaches this machine only. Use {CUSTOM} with {CONFIG}, "
                "and the discoveryUrl of a server here, such as a Cognito user pool of this Region."
            )
        if given.get("clientAuthenticationMethod", METHODS[0]) not in METHODS:
            raise ValidationError(f"Of clientAuthenticationMethod this Region on a laptop has {' and '.join(METHODS)}.")
        if not given.get("clientId"):
            raise ValidationError(f"Give {CONFIG}.clientId.")
        return dict(given)

    def _arn(self, rest: str) -> str:
        return f"arn:{get_partition(self.region)}:bedrock-agentcore:{self.region}:{self.current_account}:{rest}"

    def _check_new(self, among: dict[str, Any], name: str) -> None:
        if name in among:
            raise Conflict(f"There is one with the name {name} already. Update it, or choose another name.")

    def _found(self, among: dict[str, Any]) -> Any:  # noqa: ANN401 - a provider or an identity
        name = self.params["name"]
        if name not in among:
            raise NotFound(f"There is none with the name {name}.")
        return among[name]

    def _page(self, among: dict[str, Any], member: str, most: int) -> ActionResult:
        """A page; its token is the last name on it, so it stays good whatever comes and goes."""
        after, many = self.params.get("nextToken", ""), self.params.get("maxResults", most)
        names = sorted(name for name in among if name > after)
        more = {"nextToken": names[many - 1]} if len(names) > many else {}
        return ActionResult({member: [among[name].summary() for name in names[:many]]} | more)


def _told_key(provider: Provider) -> ActionResult:
    secret = provider.secret
    where = {"apiKeySecretArn": {"secretArn": secret.arn}, "apiKeySecretJsonKey": secret.key}
    return ActionResult(provider.summary() | where | {"apiKeySecretSource": secret.source})


def _told_oauth(provider: Provider) -> ActionResult:
    secret = provider.secret
    where = {"clientSecretArn": {"secretArn": secret.arn}, "clientSecretJsonKey": secret.key, "status": "READY"}
    config = {"oauth2ProviderConfigOutput": {CONFIG: provider.config}, "clientSecretSource": secret.source}
    return ActionResult(provider.summary() | where | config)


def _open(given: Json) -> Json:
    return {name: value for name, value in given.items() if name not in SECRETS}
