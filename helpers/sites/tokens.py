"""Bearer tokens between sites: signed with a key of this user, for one program, for a limited time.

    token = Issuer.of_this_user().token("campus-a", audience="campus-b/pharmacy")
    check(token, public_key, audience="campus-b/pharmacy")  # "campus-a"

Who checks needs the public key only, so a program that is broken into cannot make tokens. On AWS an identity provider
issues them (notebook 08); its tokens are taken too by a program that is given its keys.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from helpers.settings import settings
from helpers.sites.errors import KeyDamaged, TokenRefused
from helpers.sites.private import read_or_make

ISSUER = "hybrid-agents-workshop"
ALGORITHM = "EdDSA"
REQUIRED = ["exp", "iat", "sub", "aud", "iss"]
SIGNED_BY_PROVIDERS = "RS256"


class Issuer:
    """Makes tokens."""

    def __init__(self, folder: Path) -> None:
        """The issuer whose key is in `folder`; it is made when there is none.

        Raises:
            KeyDamaged: what is there is no such key.
        """
        path = folder / "private.pem"
        self._key = _loaded(read_or_make(path, _made), path)

    @classmethod
    def of_this_user(cls) -> Self:
        """The issuer that all networks of this user share."""
        return cls(settings().cache_dir / "tokens")

    @property
    def public_key(self) -> str:
        """What those need who check, as PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, subject: str, audience: str, seconds: float = 3600) -> str:
        """A token with which `subject` may call `audience` for so many seconds."""
        now = time.time()
        claims = {"iss": ISSUER, "sub": subject, "aud": audience, "iat": now, "exp": now + seconds}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)


def check(token: str, public_key: str, audience: str) -> str:
    """Who calls, if the token is good.

    Raises:
        TokenRefused: it is expired, made by someone else, or for someone else.
    """
    try:
        claims = jwt.decode(
            token,
            public_key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            options={"require": REQUIRED, "verify_iat": False},  # the issuer's clock may be a moment ahead
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("The token has expired. Ask the issuer for a new one.") from None
    except jwt.InvalidAudienceError:
        raise TokenRefused(f"The token is for another program than {audience}. Ask the issuer for one.") from None
    except jwt.InvalidTokenError as error:
        raise TokenRefused(f"The token is not good: {error}.") from None
    return str(claims["sub"])


class Provider(NamedTuple):
    """An identity provider whose access tokens are taken, such as a user pool of Amazon Cognito.

    Its public keys are given, as a JWK set: a program at a site has no way to the internet, and a pool with a domain
    cannot be reached through an interface endpoint. Access tokens of Cognito name no audience, so a scope decides.
    """

    issuer: str
    keys: str
    scope: str

    @classmethod
    def of_the_settings(cls) -> Self | None:
        """The one that is set, if one is."""
        given = settings()
        if given.token_issuer is None or given.token_keys is None:
            return None
        return cls(given.token_issuer, given.token_keys, given.token_scope)

    def issued(self, token: str) -> bool:
        """Whether a token says that it is of this provider; whether that is true, `check` finds out."""
        try:
            return jwt.decode(token, options={"verify_signature": False}).get("iss") == self.issuer
        except jwt.InvalidTokenError:
            return False

    def check(self, token: str) -> str:
        """Who calls, if the token is good: the client that it was issued to.

        Raises:
            TokenRefused: it is expired, made by someone else, no access token, or without the scope.
        """
        try:
            key = jwt.PyJWKSet.from_json(self.keys)[jwt.get_unverified_header(token).get("kid", "")]
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[SIGNED_BY_PROVIDERS],
                issuer=self.issuer,
                options={"require": ["exp", "iat", "sub", "iss"], "verify_aud": False, "verify_iat": False},
            )
        except jwt.ExpiredSignatureError:
            raise TokenRefused("The token has expired. Ask the issuer for a new one.") from None
        except KeyError:
            raise TokenRefused(
                f"The token is signed with a key that {self.issuer} did not have when this program was deployed. Put "
                "its present keys into WORKSHOP_TOKEN_KEYS."
            ) from None
        except jwt.PyJWTError as error:
            raise TokenRefused(f"The token is not good: {error}.") from None
        if claims.get("token_use") != "access" or self.scope not in str(claims.get("scope", "")).split():
            raise TokenRefused(f"The token is no access token with the scope {self.scope}. Ask the issuer for one.")
        return str(claims["sub"])


def main() -> None:
    """Print a token for the program that is named."""
    parser = argparse.ArgumentParser(prog="python -m helpers.sites.tokens", description="A token for a program")
    parser.add_argument("audience", help="the program: its name, or site/name")
    parser.add_argument("--subject", default="someone", help="who calls")
    parser.add_argument("--seconds", type=float, default=3600, help="how long it is good")
    given = parser.parse_args()
    print(Issuer.of_this_user().token(given.subject, given.audience, given.seconds))


def _loaded(pem: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise KeyDamaged(
            f"{path} holds no key that tokens can be signed with. Delete it; a new one is made."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyDamaged(f"{path} holds a key of another kind. Delete it; a new one is made.")
    return key


def _made() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


if __name__ == "__main__":
    main()
