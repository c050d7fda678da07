"""Access tokens of an identity provider, as a user pool of Cognito issues them, are taken by who has its keys."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from helpers.apps.guards import TokenGuard
from helpers.settings import settings
from helpers.sites.errors import TokenRefused
from helpers.sites.tokens import Issuer, Provider

POOL = "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_fiction"
KEY, OTHER = (generate_private_key(65537, 2048) for _ in range(2))
SET = json.dumps(
    {"keys": [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "a", "alg": "RS256"}]}
)
PROVIDER = Provider(POOL, SET, "workshop/tools")


def token(key=KEY, kid="a", algorithm="RS256", **claims):
    said = {"iss": POOL, "sub": "gateway", "token_use": "access", "scope": "workshop/tools x", "iat": 1}
    return jwt.encode(said | {"exp": time.time() + 60} | claims, key, algorithm, headers={"kid": kid})


def test_a_good_token_tells_the_client():
    assert PROVIDER.issued(token()) and PROVIDER.check(token()) == "gateway"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"exp": 1}, "expired"),
        ({"scope": "workshop/invoke"}, "scope workshop/tools"),
        ({"scope": "workshop/tools2"}, "scope workshop/tools"),
        ({"token_use": "id"}, "no access token"),
        ({"iss": f"{POOL}x"}, "issuer"),
        ({"key": OTHER}, "Signature"),
        ({"kid": "b"}, "WORKSHOP_TOKEN_KEYS"),
        ({"key": b"x" * 32, "algorithm": "HS256"}, "alg"),
    ],
)
def test_a_token_that_is_not_good_is_refused(given, said):
    with pytest.raises(TokenRefused, match=said):
        PROVIDER.check(token(**given))


def test_keys_that_are_none_refuse():
    with pytest.raises(TokenRefused, match="not good"):
        PROVIDER._replace(keys="{}").check(token())


@pytest.mark.parametrize("text", ["", "a.b.c", "e30"])
def test_what_is_no_token_is_of_no_provider(text):
    assert not PROVIDER.issued(text)


def test_the_guard_takes_both_kinds_and_neither_for_the_other(tmp_path):
    own = Issuer(tmp_path)
    guard = TokenGuard(None, "campus-a/stock", own.public_key, PROVIDER)
    assert guard._caller(token()) == "gateway"
    assert guard._caller(own.token("campus-a", "campus-a/stock")) == "campus-a"
    with pytest.raises(TokenRefused):
        TokenGuard(None, "campus-a/stock", own.public_key)._caller(token())
    with pytest.raises(TokenRefused):
        guard._caller(own.token("campus-a", "campus-b/stock"))


def test_a_provider_needs_its_issuer_and_its_keys(monkeypatch):
    try:
        for issuer, keys, found in [(POOL, SET, PROVIDER), (POOL, "none", None), ("none", SET, None)]:
            monkeypatch.setenv("WORKSHOP_TOKEN_ISSUER", issuer)
            monkeypatch.setenv("WORKSHOP_TOKEN_KEYS", keys)
            settings.cache_clear()
            assert Provider.of_the_settings() == found
    finally:
        settings.cache_clear()
