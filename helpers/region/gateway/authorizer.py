"""Who may call a gateway: a bearer token of an OpenID issuer, a signature of AWS, or anyone."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt

from helpers.region import signatures
from helpers.region.credentials import Keys
from helpers.region.errors import BadSignature, RegionError
from helpers.region.gateway.messages import UNAUTHORIZED, Json, Refused
from helpers.region.gateway.reach import beyond
from helpers.region.gateway.resources import Gateway

SKEW_SECONDS = 60  # between two clocks
FRESH_SECONDS = 300.0  # how long an issuer's keys are taken as known
AGAIN_SECONDS = 5.0  # an unknown key makes them be fetched anew, but not more often
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ISSUER_SECONDS = 5.0
AWAY = (aiohttp.ClientError, TimeoutError)
NO_ISSUER = (ValueError, KeyError, TypeError, AttributeError)  # what it says is JSON of another form
TIMEOUT = aiohttp.ClientTimeout(total=ISSUER_SECONDS)


class NoKeys(Exception):
    """An issuer is away, or says nothing that an issuer would."""


@dataclass(frozen=True)
class Caller:
    """Who calls. Sessions belong to `name`, which is None where nobody is asked."""

    name: str | None
    token: str | None = None


@dataclass(frozen=True)
class Request:
    """What is looked at to find out who calls; names of headers in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Issuer:
    """An issuer, as its discovery document says; when that was read, and when it was last tried to read it."""

    name: str
    keys: dict[str, jwt.PyJWK]
    read: float
    tried: float

    def has(self, key: str) -> bool:
        """Whether a key is among its keys, and these are not old."""
        return key in self.keys and time.monotonic() - self.read < FRESH_SECONDS


class Authorizer:
    """Checks callers. It fetches the keys of issuers with `http`, from this machine alone."""

    def __init__(self, http: aiohttp.ClientSession, keys: Keys) -> None:
        self.http, self.keys = http, keys
        self.issuers: dict[str, Issuer] = {}
        self.failed: dict[str, float] = {}  # when an issuer was last found to be away
        self.locks: dict[str, asyncio.Lock] = {}

    async def check(self, gateway: Gateway, request: Request) -> Caller:
        """Who calls, if that caller may.

        Raises:
            Refused: the caller may not; status 401 or 403, for MCP clients with the address of the metadata.
        """
        if gateway.authorizer_type == "NONE":
            return Caller(None)
        if gateway.authorizer_type == "CUSTOM_JWT":
            return await self._by_token(gateway, request)
        return self._by_signature(request)

    def _by_signature(self, request: Request) -> Caller:
        try:
            signed = signatures.read(dict(request.headers), urlsplit(request.url).query)
            if signed.service != "bedrock-agentcore":
                raise BadSignature("Credential should be scoped to correct service: 'bedrock-agentcore'.")
            signatures.check(signed, request.method, request.url, dict(request.headers), request.body, self.keys)
        except RegionError as error:
            raise Refused(UNAUTHORIZED, error.message, 403) from error
        return Caller(self.keys.principal(signed.access_key, signed.token))

    async def _by_token(self, gateway: Gateway, request: Request) -> Caller:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise _unknown(gateway, "Missing Bearer token")
        configured = gateway.authorizer_configuration["customJWTAuthorizer"]
        try:
            claims = await self._claims(token.strip(), configured["discoveryUrl"])
        except jwt.PyJWTError as error:
            raise _unknown(gateway, f"Invalid Bearer token: {_reason(error)}", "invalid_token") from error
        except NoKeys as error:
            raise _unknown(gateway, "The issuer's keys cannot be had. Is the discovery URL right?") from error
        _check_claims(gateway, claims, configured)
        return Caller(f"{claims['iss']}#{claims.get('sub')}", token.strip())

    async def _claims(self, token: str, discovery: str) -> Json:
        header = jwt.get_unverified_header(token)
        issuer = await self._issuer(discovery, header.get("kid", ""))
        key = issuer.keys.get(header.get("kid", ""))
        if key is None:
            raise jwt.InvalidKeyError("the issuer has no such key")
        claims: Json = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
            issuer=issuer.name,
            leeway=SKEW_SECONDS,
            options={"require": ["exp", "iss"], "verify_aud": False},  # the audience may be one of several: below
        )
        return claims

    async def _issuer(self, discovery: str, key: str) -> Issuer:
        """The issuer, whose keys are fetched anew when they are old, or have not the one that is asked for."""
        came = time.monotonic()
        if (known := self.issuers.get(discovery)) and known.has(key):
            return known
        async with self.locks.setdefault(discovery, asyncio.Lock()):
            known = self.issuers.get(discovery)
            if known and (known.has(key) or time.monotonic() - known.tried < AGAIN_SECONDS):
                return known
            found = await self._read(discovery) if self.failed.get(discovery, 0.0) < came else None
            if found:
                self.issuers[discovery] = found
            elif known:  # an issuer that is away for a while locks nobody out
                known.tried = time.monotonic()
            else:
                raise NoKeys(discovery)
            return self.issuers[discovery]

    async def _read(self, discovery: str) -> Issuer | None:
        """What an issuer says of itself; None if it is away, or no issuer. Who waits meanwhile does not try again."""
        try:
            document = await self._fetch(discovery)
            found = jwt.PyJWKSet.from_dict(await self._fetch(document["jwks_uri"]))
        except (*AWAY, *NO_ISSUER, jwt.PyJWTError):
            self.failed[discovery] = time.monotonic()
            return None
        now = time.monotonic()
        return Issuer(str(document.get("issuer")), {each.key_id or "": each for each in found.keys}, now, now)

    async def _fetch(self, url: str) -> Any:  # noqa: ANN401 - JSON
        if reasons := beyond([url]):
            raise ValueError(reasons[0])
        async with self.http.get(url, timeout=TIMEOUT, allow_redirects=False) as answer:
            answer.raise_for_status()
            return await answer.json(content_type=None)


def metadata(gateway: Gateway) -> Json:
    """The document of RFC 9728: which issuer has tokens for a gateway."""
    configured = (gateway.authorizer_configuration or {}).get("customJWTAuthorizer") or {}
    issuer = configured.get("discoveryUrl", "").partition("/.well-known/")[0]
    scopes = _advertised(configured)
    return {
        "resource": gateway.gateway_url,
        "authorization_servers": [issuer] if issuer else [],
        "bearer_methods_supported": ["header"],
    } | ({"scopes_supported": scopes} if scopes else {})


def metadata_url(gateway: Gateway) -> str:
    """Where that document is."""
    return f"{gateway.base_url}/{gateway.gateway_id}/.well-known/oauth-protected-resource"


def _advertised(configured: Json) -> list[str]:
    """The scopes as clients ask the issuer for them, which may have other names in its tokens."""
    names = configured.get("advertisedScopeMapping") or {}
    return [names.get(scope, scope) for scope in configured.get("allowedScopes") or []]


def _check_claims(gateway: Gateway, claims: Json, configured: Json) -> None:
    if configured.get("allowedAudience") and not _texts(claims.get("aud")) & set(configured["allowedAudience"]):
        raise _unknown(gateway, "Invalid Bearer token: it is for another audience", "invalid_token")
    if configured.get("allowedClients") and claims.get("client_id") not in configured["allowedClients"]:
        raise _unknown(gateway, "Invalid Bearer token: it was given to another client", "invalid_token")
    for claim in configured.get("customClaims") or []:
        if not _fits(claims.get(claim["inboundTokenClaimName"]), claim["authorizingClaimMatchValue"]):
            raise _unknown(
                gateway, f"Invalid Bearer token: {claim['inboundTokenClaimName']} does not fit", "invalid_token"
            )
    scopes = claims.get("scope") or claims.get("scp")
    has = scopes.split() if isinstance(scopes, str) else scopes
    if configured.get("allowedScopes") and not _texts(has) & set(configured["allowedScopes"]):
        raise _refused(gateway, 403, "Insufficient scope", "insufficient_scope")


def _fits(value: Any, match: Json) -> bool:  # noqa: ANN401 - a claim
    wanted = match["claimMatchValue"]
    one, several = wanted.get("matchValueString"), wanted.get("matchValueStringList") or []
    if match["claimMatchOperator"] == "EQUALS":
        return bool(value == (one if one is not None else several))
    return bool(_texts(value) & ({one} if one is not None else set(several)))


def _texts(value: Any) -> set[str]:  # noqa: ANN401 - a claim
    """The texts of a claim that is one, or a list of several; what else may be in it is none."""
    return {each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)}


def _unknown(gateway: Gateway, message: str, error: str | None = None) -> Refused:
    return _refused(gateway, 401, message, error)


def _refused(gateway: Gateway, status: int, message: str, error: str | None) -> Refused:
    configured = gateway.authorizer_configuration["customJWTAuthorizer"]
    parts = {"error": error, "scope": " ".join(_advertised(configured)) or None}
    parts["resource_metadata"] = metadata_url(gateway)
    said = ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)
    return Refused(UNAUTHORIZED, message, status, WWW_Authenticate=f"Bearer {said}")


def _reason(error: jwt.PyJWTError) -> str:
    """Why, in words that hold nothing of the token."""
    reasons = {
        jwt.ExpiredSignatureError: "it has expired",
        jwt.InvalidIssuerError: "it is from another issuer",
        jwt.ImmatureSignatureError: "it is not valid yet",
        jwt.InvalidSignatureError: "its signature is wrong",
        jwt.MissingRequiredClaimError: "a claim is missing",
    }
    return next((words for kind, words in reasons.items() if isinstance(error, kind)), "it cannot be verified")
