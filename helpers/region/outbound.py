"""What a gateway shows a target: an API key, a token of OAuth, or a signature of AWS.

    outbound = Outbound(vault.provider, role=region.keys.own)
    url, more = await outbound.headers(configuration, "POST", url, headers, body)
    if response.status_code == 401:
        outbound.forget(configuration, more)  # once, then the same again with a new token

`configuration` is the target's entry of `credentialProviderConfigurations`, or None. What it comes to is an address,
which has an API key in it if the key is sent there, and the headers that are added. The body is the one that is sent,
to the byte, since it is signed.
"""

import asyncio
from collections.abc import Callable, Mapping

import httpx
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from helpers.region.cloud import REGION
from helpers.region.errors import NotFound
from helpers.region.tokens import NoCredentials, Token, can_be_header, fetched
from helpers.region.vault import Json, Provider

SIGNED = ("content-type", "x-amzn-")  # besides Host; what else a client sends may still change on its way
Grant = tuple[object, ...]


class Outbound:
    """Credentials for targets; one for each event loop."""

    def __init__(self, provider: Callable[[str], Provider], role: Credentials, region: str = REGION) -> None:
        """`provider` finds a provider by its ARN; `role` signs where a target wants the gateway's role."""
        self._provider = provider
        self._role = role
        self._region = region
        self._tokens: dict[Grant, Token] = {}
        self._fetching: dict[Grant, asyncio.Task[Token]] = {}

    async def headers(
        self, configuration: Json | None, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[str, dict[str, str]]:
        """The address to call, and the headers to add.

        Raises:
            NoCredentials: there are none; the message says why, and holds no secret.
        """
        kind, given = _of(configuration)
        if kind == "API_KEY":
            return self._api_key(given, url)
        if kind == "OAUTH":
            return url, _bearer(await self._token(given))
        if kind == "GATEWAY_IAM_ROLE":
            return url, self._signature(given, method, url, headers, body)
        if kind:
            raise NoCredentials(f"{kind} passes on what the caller shows; a gateway has nothing of its own to add.")
        return url, {}

    def forget(self, configuration: Json | None, sent: Mapping[str, str]) -> None:
        """The target refused what was `sent`; a token among it is not used again, a newer one is."""
        kind, given = _of(configuration)
        if kind != "OAUTH":
            return
        for grant, token in list(self._tokens.items()):
            if grant[0] == given["providerArn"] and _bearer(token.text) == dict(sent):
                del self._tokens[grant]

    def _api_key(self, given: Json, url: str) -> tuple[str, dict[str, str]]:
        provider = self._found(given)
        value = " ".join(part for part in (given.get("credentialPrefix", "").rstrip(), _secret(provider)) if part)
        name = given.get("credentialParameterName", "Authorization")
        if given.get("credentialLocation") == "QUERY_PARAMETER":
            return str(httpx.URL(url).copy_set_param(name, value)), {}
        if not can_be_header(value):
            raise NoCredentials(f"What {provider.arn} gives cannot stand in a header: it is not printable ASCII.")
        return url, {name: value}

    async def _token(self, given: Json) -> str:
        """The token that is here, or another; who comes while it is fetched waits for it."""
        if (kind := given.get("grantType", "CLIENT_CREDENTIALS")) != "CLIENT_CREDENTIALS":
            raise NoCredentials(f"This Region on a laptop has no {kind}: nobody is there to log in. Use another grant.")
        provider = self._found(given)
        scopes, more = tuple(given["scopes"]), given.get("customParameters", {})
        grant: Grant = (provider.arn, provider.created, provider.updated, scopes, tuple(sorted(more.items())))
        token = self._tokens.get(grant)
        if token is None or not token.good:
            if grant not in self._fetching:
                self._fetching[grant] = asyncio.create_task(fetched(provider, _secret(provider), scopes, more))
                self._fetching[grant].add_done_callback(lambda _: self._fetching.pop(grant))
            # Others may wait for the same; who goes away does not take it along.
            token = self._tokens[grant] = await asyncio.shield(self._fetching[grant])
        return token.text

    def _signature(self, given: Json, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        service, region = given.get("service", "bedrock-agentcore"), given.get("region", self._region)
        signed = {name: value for name, value in headers.items() if name.lower().startswith(SIGNED)}
        return signature(self._role, service, region, method, url, signed, body)

    def _found(self, given: Json) -> Provider:
        try:
            return self._provider(given["providerArn"])
        except NotFound as error:
            raise NoCredentials(f"{error.message} Make it, or give the target another.") from None


def signature(
    role: Credentials, service: str, region: str, method: str, url: str, headers: dict[str, str], body: bytes
) -> dict[str, str]:
    """The headers that sign a request."""
    request = AWSRequest(method, url, headers, body)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(role, service, region).add_auth(request)
    return {name: value for name, value in request.headers.items() if name not in headers}


def _of(configuration: Json | None) -> tuple[str, Json]:
    """The kind of credentials, and what is configured for it."""
    if not configuration:
        return "", {}
    (given,) = (configuration.get("credentialProvider") or {"": {}}).values()
    return configuration["credentialProviderType"], given


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _secret(provider: Provider) -> str:
    try:
        return provider.secret.read()
    except NotFound as error:
        raise NoCredentials(error.message) from None
