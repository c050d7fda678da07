"""What a user pool answers to everyone: its discovery document, its keys, and a token for a client's secret.

On AWS the first two are at `cognito-idp.{region}.amazonaws.com/{poolId}` and tokens are at the pool's domain; here all
three are at `{Region}/{poolId}`. Whoever reads the discovery document finds them on both. Errors have the codes of
OAuth (RFC 6749) and the status 400, as Cognito's have.
"""

import base64
import binascii
import hmac
import json
import re
import time
import uuid
from typing import Any
from urllib.parse import parse_qsl

from moto.cognitoidp.models import cognitoidp_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.request import Request
from werkzeug.wrappers import Response

from helpers.region.user_pools import ALGORITHM, CLIENT_CREDENTIALS, Client, Json, Pool

PATH = re.compile(r"/(?P<pool>[\w-]+_[0-9a-zA-Z]+)/(?P<what>\.well-known/[a-z.-]+|oauth2/token)")
MOST = 64 * 2**10  # bytes of a request for a token
FORM = "application/x-www-form-urlencoded"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Refused(Exception):
    """No token is given; `error` is OAuth's word for it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


def issued(environ: dict[str, Any]) -> Response | None:
    """The answer to a request for a pool's documents or tokens; None if it is a request for something else."""
    found = PATH.fullmatch(environ.get("PATH_INFO", ""))
    if not found:
        return None
    pool, what, method = _pool(found["pool"]), found["what"], environ["REQUEST_METHOD"]
    if pool is None:
        return _say({"message": f"User pool {found['pool']} does not exist."}, 404)
    if what == "oauth2/token":
        return _token_endpoint(pool, Request(environ))
    if what not in DOCUMENTS:
        return _say({"message": f"A user pool has {', '.join(DOCUMENTS)} and, with a domain, oauth2/token."}, 404)
    if method not in ("GET", "HEAD"):
        return _say({"message": f"{what} is read with GET."}, 405, {"Allow": "GET, HEAD"})
    return _say(DOCUMENTS[what](pool))


def discovery(pool: Pool) -> Json:
    """Who issues, and where; without a domain there is no token endpoint."""
    document: Json = {
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "issuer": pool.issuer,
        "jwks_uri": f"{pool.issuer}/.well-known/jwks.json",
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
    }
    if pool.has_domain:
        document["token_endpoint"] = f"{pool.issuer}/oauth2/token"
        document["token_endpoint_auth_methods_supported"] = ["client_secret_basic", "client_secret_post"]
        document["grant_types_supported"] = [CLIENT_CREDENTIALS]
    return document


def keys(pool: Pool) -> Json:
    """What checks the pool's tokens."""
    return {"keys": [pool.public_key]}


DOCUMENTS = {".well-known/openid-configuration": discovery, ".well-known/jwks.json": keys}


def _token_endpoint(pool: Pool, request: Request) -> Response:
    try:
        return _say(_grant(pool, request), 200, NO_STORE)
    except Refused as refused:
        return _say({"error": refused.error, "error_description": str(refused)}, refused.status, NO_STORE)


def _grant(pool: Pool, request: Request) -> Json:
    """A token for a client that has shown its secret."""
    if request.method != "POST":
        raise Refused("invalid_request", "A token is asked for with POST.", 405)
    form = _form(request)
    if not pool.has_domain:
        raise Refused("invalid_request", "A user pool without a domain has no token endpoint: create_user_pool_domain.")
    if not form.get("grant_type"):
        raise Refused("invalid_request", "grant_type is missing.")
    client = _client(pool, request, form)
    if form["grant_type"] != CLIENT_CREDENTIALS:
        raise Refused("unsupported_grant_type", f"This Region on a laptop grants {CLIENT_CREDENTIALS} only.")
    scopes = _scopes(client, form.get("scope", ""))
    return {
        "access_token": pool.sign(_claims(pool, client, scopes)),
        "expires_in": client.seconds,
        "token_type": "Bearer",
    }


def _form(request: Request) -> dict[str, str]:
    if request.mimetype != FORM:
        raise Refused("invalid_request", f"The Content-Type of a request for a token is {FORM}.")
    body = bytearray()
    while len(body) <= MOST and (piece := request.stream.read(MOST)):
        body += piece
    if len(body) > MOST:
        raise Refused("invalid_request", f"A request for a token has at most {MOST:,} bytes.", 413)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise Refused("invalid_request", "The body is no form.") from None
    if len(form := dict(pairs)) < len(pairs):
        raise Refused("invalid_request", "A parameter is there twice.")
    return form


def _client(pool: Pool, request: Request, form: dict[str, str]) -> Client:
    """Who asks; that there is no such client, and that its secret is another, is told with the same words."""
    identity, secret = _basic(request.headers.get("Authorization", "")) or (
        form.get("client_id", ""),
        form.get("client_secret", ""),
    )
    client: Client | None = pool.clients.get(identity)
    known = client.secret if client and client.generate_secret else ""
    same = hmac.compare_digest(secret.encode(), known.encode())
    if client is None or not known or not same or form.get("client_id", identity) != identity:
        raise Refused("invalid_client", "There is no client with this id and secret.")
    return client


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, given = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        identity, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Refused("invalid_client", "The header Authorization is no Basic one.") from None
    return identity, secret


def _scopes(client: Client, asked: str) -> list[str]:
    """What the token is good for: what is asked for, or all that the client may."""
    given = client.extended_config
    if not given.get("AllowedOAuthFlowsUserPoolClient"):
        raise Refused("invalid_grant", "The client does not use OAuth: set AllowedOAuthFlowsUserPoolClient.")
    if CLIENT_CREDENTIALS not in given.get("AllowedOAuthFlows", []):
        raise Refused("unauthorized_client", f"{CLIENT_CREDENTIALS} is not in the client's AllowedOAuthFlows.")
    allowed = given.get("AllowedOAuthScopes", [])
    if set(asked.split()) - set(allowed):
        raise Refused("invalid_scope", f"The client's AllowedOAuthScopes are {' '.join(allowed)}.")
    return asked.split() or list(allowed)


def _claims(pool: Pool, client: Client, scopes: list[str]) -> Json:
    now = int(time.time())
    return {
        "sub": client.id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": pool.issuer,
        "exp": now + client.seconds,
        "iat": now,
        "version": 2,
        "jti": str(uuid.uuid4()),
        "client_id": client.id,
    }


def _pool(pool_id: str) -> Pool | None:
    backends = list(cognitoidp_backends[DEFAULT_ACCOUNT_ID].values())
    return next((found for backend in backends if (found := backend.user_pools.get(pool_id))), None)


def _say(document: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(document), status, headers, content_type="application/json")
