"""What AgentCore Gateway refuses when a gateway or a target is made or changed, beyond what its service model says."""

import re
from typing import Any

from mcp_types.version import KNOWN_PROTOCOL_VERSIONS

from helpers.region.errors import QuotaExceeded, ValidationError
from helpers.region.gateway.messages import Json
from helpers.region.gateway.resources import Gateway, Target
from helpers.region.tokens import is_here

MOST_TARGETS = 100
ROLE, CALLER, OAUTH, KEY, PASSED_ON = (
    "GATEWAY_IAM_ROLE", "CALLER_IAM_CREDENTIALS", "OAUTH", "API_KEY", "JWT_PASSTHROUGH",
)  # fmt: skip
CREDENTIALS: dict[str, set[str | None]] = {  # by kind; None means without
    "mcpServer": {None, ROLE, OAUTH, KEY},
    "openApiSchema": {None, ROLE, OAUTH, KEY},
    "lambda": {ROLE},
    "smithyModel": {ROLE, OAUTH},
    "apiGateway": {None, ROLE, KEY},
    "agentcoreRuntime": {ROLE, CALLER, OAUTH, PASSED_ON},
    "passthrough": {None, ROLE, CALLER, OAUTH, KEY, PASSED_ON},
}
GRANT = "CLIENT_CREDENTIALS"  # the only one of OAuth that needs nobody else
NO_TOKENS = "Its agents take signatures of AWS only. Use GATEWAY_IAM_ROLE, or an agent of your own and a passthrough."
PROVIDERS = {OAUTH: "oauthCredentialProvider", KEY: "apiKeyCredentialProvider"}
NAMES_ITS_SERVICE = {"mcpServer", "openApiSchema", "passthrough"}  # with the gateway's role
LIVE = "A target that is listed live (DYNAMIC) cannot be searched; the gateway has SEMANTIC search."
SESSIONS = "This gateway has sessions of its own: Mcp-Session-Id cannot be passed on."
HEADER = re.compile(r"[A-Za-z0-9_-]+")
RESERVED = {
    *("authorization", "accept", "host", "cookie", "set-cookie", "user-agent", "connection", "keep-alive", "te"),
    *("transfer-encoding", "upgrade", "trailer", "proxy-authorization", "proxy-authenticate", "origin"),
}
RESERVED_STARTS = ("content-", "x-forwarded-", "access-control-", "x-amzn-")
RUNTIME_CUSTOM = "x-amzn-bedrock-agentcore-runtime-custom-"
NOT_HERE = {
    "interceptorConfigurations": "Interceptors are not run here.",
    "policyEngineConfiguration": "Policies are not enforced here.",
    "domainOverride": "A gateway has the address of this Region.",
    "customTransformConfiguration": "Transforms are not run here.",
}
NOT_HERE_FOR_TOKENS = {"allowedWorkloadConfiguration": "Which workloads a request came through is not checked here."}
NOT_HERE_FOR_TARGETS = {"stickinessConfiguration": "A target is one server here, which gets all requests."}
NO_RESPONSE_HEADERS = {"allowedResponseHeaders": "Over MCP no headers of a target's answer are passed on here."}
NO_QUERY = {"allowedQueryParameters": "Only passthrough targets get the query of a request here."}


def check_gateway(params: Json) -> None:
    """Refuse a gateway that the service would refuse, or that this Region cannot serve.

    Raises:
        ValidationError: what is wrong.
    """
    kind, configuration = params["authorizerType"], params.get("authorizerConfiguration")
    if (kind == "CUSTOM_JWT") != bool(configuration):
        raise ValidationError(f"authorizerConfiguration is for CUSTOM_JWT, which needs it; this is {kind}.")
    if configuration:
        _check_jwt(configuration["customJWTAuthorizer"])
    _check_absent(params, NOT_HERE)
    versions = ((params.get("protocolConfiguration") or {}).get("mcp") or {}).get("supportedVersions") or []
    if unknown := [version for version in versions if version not in KNOWN_PROTOCOL_VERSIONS[1:]]:
        raise ValidationError(f"Unsupported MCP versions: {unknown}. Known are {list(KNOWN_PROTOCOL_VERSIONS[1:])}.")


def _check_absent(given: Json, names: dict[str, str]) -> None:
    """Refuse what would be accepted and do nothing; `names` says why it does."""
    for name, why in names.items():
        if given.get(name):
            raise ValidationError(f"This Region on a laptop has no {name}. {why} Leave it out.")


def _check_jwt(given: Json) -> None:
    _check_absent(given, NOT_HERE_FOR_TOKENS)
    if not re.search(r"/\.well-known/(openid-configuration|oauth-authorization-server)", given["discoveryUrl"]):
        raise ValidationError("The discovery URL has to end with /.well-known/openid-configuration.")
    if not any(given.get(name) for name in ("allowedAudience", "allowedClients", "allowedScopes", "customClaims")):
        raise ValidationError(
            "Say whose tokens are good: allowedAudience, allowedClients, allowedScopes or customClaims."
        )


def check_target(gateway: Gateway, params: Json, others: int) -> None:
    """Refuse a target that does not go with its gateway, or whose credentials do not go with it.

    Raises:
        ValidationError: what is wrong.
        QuotaExceeded: the gateway has `others` targets, which are as many as it may have.
    """
    if others >= MOST_TARGETS:
        raise QuotaExceeded(f"A gateway has at most {MOST_TARGETS} targets.")
    (group, of_group), *_ = params["targetConfiguration"].items()
    kind, given = next(iter(of_group.items()))
    if kind not in CREDENTIALS:
        raise ValidationError(f"This Region on a laptop has no targets of the kind {group}.{kind}.")
    if (group == "mcp") != bool(gateway.protocol_type):
        raise ValidationError(
            f"A target of {group} does not go with this gateway: one with protocolType MCP has mcp targets, "
            "one without has http targets."
        )
    _check_credentials(kind, gateway, params.get("credentialProviderConfigurations") or [])
    _check_metadata(gateway, kind, params.get("metadataConfiguration") or {})
    _check_absent(given, NOT_HERE_FOR_TARGETS)
    if kind == "mcpServer" and given.get("listingMode") == "DYNAMIC" and gateway.searches:
        raise ValidationError(LIVE)
    if kind in ("mcpServer", "passthrough"):
        _check_endpoint(given["endpoint"])


def check_change(params: Json, targets: list[Target]) -> None:
    """Refuse a change of a gateway that does not go with the targets that it has.

    Raises:
        ValidationError: what is wrong.
    """
    mcp = (params.get("protocolConfiguration") or {}).get("mcp") or {}
    for target in targets:
        if target.live and mcp.get("searchType") == "SEMANTIC":
            raise ValidationError(LIVE)
        _check_caller(target.credentials.get("credentialProviderType"), params["authorizerType"])
        if "sessionConfiguration" in mcp and "mcp-session-id" in map(
            str.lower, _headers(target.metadata_configuration)
        ):
            raise ValidationError(SESSIONS)


def _check_caller(chosen: str | None, authorizer_type: str) -> None:
    """Refuse to pass on what callers of such a gateway do not show."""
    if chosen == CALLER and authorizer_type not in ("AWS_IAM", "AUTHENTICATE_ONLY"):
        raise ValidationError(f"{CALLER} needs a gateway whose callers sign: AWS_IAM or AUTHENTICATE_ONLY.")
    if chosen == PASSED_ON and authorizer_type != "CUSTOM_JWT":
        raise ValidationError(f"{PASSED_ON} needs a gateway whose callers have tokens: CUSTOM_JWT.")


def _headers(metadata: Json | None) -> list[str]:
    given = metadata or {}
    return [*(given.get("allowedRequestHeaders") or []), *(given.get("allowedResponseHeaders") or [])]


def _check_endpoint(endpoint: str) -> None:
    if not endpoint.startswith("https://") and not is_here(endpoint):
        raise ValidationError(f"The endpoint {endpoint} has to begin with https://.")


def _check_credentials(kind: str, gateway: Gateway, given: list[Json]) -> None:
    chosen = given[0]["credentialProviderType"] if given else None
    allowed = CREDENTIALS[kind]
    if chosen not in allowed:
        names = ", ".join(sorted(str(each or "none") for each in allowed))
        raise ValidationError(
            f"A target of the kind {kind} cannot have the credentials {chosen or 'none'}; it has {names}."
        )
    provider = (given[0].get("credentialProvider") or {}) if given else {}
    with_service = bool((provider.get("iamCredentialProvider") or {}).get("service"))
    if chosen == ROLE and with_service != (kind in NAMES_ITS_SERVICE):
        raise ValidationError(
            f"With {ROLE}, iamCredentialProvider.service {'is missing' if not with_service else 'is not for ' + kind}."
        )
    if chosen in PROVIDERS and PROVIDERS[chosen] not in provider:
        raise ValidationError(f"The credentials {chosen} need credentialProvider.{PROVIDERS[chosen]}, with its ARN.")
    if kind == "agentcoreRuntime" and chosen in (OAUTH, PASSED_ON):
        raise ValidationError(f"This Region on a laptop has no {chosen} for targets of the kind {kind}. {NO_TOKENS}")
    if chosen == OAUTH and (grant := provider[PROVIDERS[OAUTH]].get("grantType", GRANT)) != GRANT:
        raise ValidationError(
            f"This Region on a laptop has no grant {grant}: no user logs in, no token is exchanged. Use {GRANT}."
        )
    _check_caller(chosen, gateway.authorizer_type)


def _check_metadata(gateway: Gateway, kind: str, given: dict[str, Any]) -> None:
    for name in _headers(given):
        low = name.lower()
        if low in RESERVED or (low.startswith(RESERVED_STARTS) and not low.startswith(RUNTIME_CUSTOM)):
            raise ValidationError(f"The header {name} cannot be passed on.")
        if not HEADER.fullmatch(name):
            raise ValidationError(f"{name!r} is no name of a header.")
        if low == "mcp-session-id" and gateway.session_seconds is not None:
            raise ValidationError(SESSIONS)
    if gateway.protocol_type:
        _check_absent(given, NO_RESPONSE_HEADERS)
    if kind != "passthrough":
        _check_absent(given, NO_QUERY)
