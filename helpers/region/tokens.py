"""Tokens of OAuth for a client's secret: whom to ask, and what comes of it.

Only servers on this machine are asked. What they answer is not repeated: it may hold the secret that they were shown.
"""

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from helpers.region.vault import Json, Provider
from helpers.settings.settings import LOOPBACK

EARLY = 60  # seconds before its end from which on a token is not used
WAIT = 10  # seconds for an answer
BASIC, POST = "client_secret_basic", "client_secret_post"
ERRORS = {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"}


class NoCredentials(Exception):
    """A target cannot be shown the credentials that it wants."""


@dataclass(frozen=True)
class Token:
    """A token, and until when it is used."""

    text: str = field(repr=False)
    until: float

    @property
    def good(self) -> bool:
        """Whether it is still used; by the clock of the day, since a laptop that slept has no other that went on."""
        return time.time() < self.until


def is_here(url: str) -> bool:
    """Whether an address is one of this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.port != 0 and is_loopback(parts.hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether it is this computer; names other than localhost are not looked up."""
    try:
        return host in LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def can_be_header(text: str) -> bool:
    """Whether a text can stand in a header; clients that find out later tell it in their error."""
    return bool(text) and text.isascii() and text.isprintable()


async def fetched(provider: Provider, secret: str, scopes: tuple[str, ...], more: Mapping[str, str]) -> Token:
    """A token of a provider's server for its client.

    Raises:
        NoCredentials: it gives none, or is not on this machine.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=WAIT) as client:
        endpoint, methods = await _endpoint(client, provider)
        form = {**more, "grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
        login, headers = (provider.config["clientId"], secret), {"Accept": "application/json"}
        auth = None
        if _shown(provider, methods) == POST:
            form |= {"client_id": login[0], "client_secret": login[1]}
        else:
            auth = httpx.BasicAuth(*(quote(part, safe="") for part in login))  # RFC 6749, 2.3.1
        answer = await _answer(client, provider, "POST", endpoint, data=form, headers=headers, auth=auth)
    return _read(answer, provider)


async def _endpoint(client: httpx.AsyncClient, provider: Provider) -> tuple[str, list[str]]:
    """Where tokens are given, and how a secret is shown there."""
    found = provider.config["oauthDiscovery"]
    if metadata := found.get("authorizationServerMetadata"):
        return metadata["tokenEndpoint"], metadata.get("tokenEndpointAuthMethods", [])
    answer = await _answer(client, provider, "GET", found["discoveryUrl"])
    document = _document(answer)
    endpoint, methods = document.get("token_endpoint"), document.get("token_endpoint_auth_methods_supported", [])
    if not isinstance(endpoint, str) or not isinstance(methods, list):
        raise NoCredentials(
            f"The discovery document of {provider.arn} names no token_endpoint (status {answer.status_code}). Is its "
            "discoveryUrl right? A Cognito user pool has one when it has a domain."
        )
    return endpoint, methods


async def _answer(
    client: httpx.AsyncClient,
    provider: Provider,
    method: str,
    url: str,
    **given: Any,  # noqa: ANN401 - httpx's
) -> httpx.Response:
    """What a server on this machine answers; it is not followed to another address."""
    if not is_here(url):
        raise NoCredentials(
            f"This Region on a laptop reaches this machine only, and {provider.arn} has {urlsplit(url).netloc}. "
            "Use a server on 127.0.0.1, such as a Cognito user pool of this Region."
        )
    try:
        return await client.request(method, url, **given)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        where = urlsplit(url).netloc
        raise NoCredentials(f"{where} of {provider.arn} does not answer ({type(error).__name__}).") from None


def _read(answer: httpx.Response, provider: Provider) -> Token:
    document = _document(answer)
    text, seconds = document.get("access_token"), document.get("expires_in", 3600)
    if answer.status_code != httpx.codes.OK or not isinstance(text, str) or not can_be_header(text):
        error = str(document.get("error"))
        why = error if error in ERRORS else "no known error"
        raise NoCredentials(
            f"{provider.arn} gives no token: status {answer.status_code}, {why}. "
            "Are its clientId, its clientSecret and the target's scopes those of a client with client_credentials?"
        )
    return Token(text, time.time() + (seconds if isinstance(seconds, int) else 3600) - EARLY)


def _shown(provider: Provider, methods: list[str]) -> str:
    """How the secret is shown: as it is configured, else in the header if the server takes it there."""
    if method := provider.config.get("clientAuthenticationMethod"):
        return str(method).lower()
    return POST if POST in methods and BASIC not in methods else BASIC


def _document(answer: httpx.Response) -> Json:
    try:
        document: Any = answer.json()
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {}
