"""Amazon Cognito's user pools and their clients: moto's, each pool with a key of its own.

moto signs what users get with a key that is public, whatever pool they are of. What is done with pools is in
`user_pools_control.py`, and what they answer to those who have no key of AWS in `token_issuer.py`.
"""

import base64
import hashlib
import string
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm
from moto.cognitoidp import models
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from helpers.region.errors import StateDamaged
from helpers.sites.private import write_private

Json = dict[str, Any]

ALGORITHM = "RS256"
CLIENT_CREDENTIALS = "client_credentials"
LETTERS = string.ascii_lowercase + string.digits
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


class Pool(models.CognitoIdpUserPool):  # type: ignore[misc]
    """A user pool, which issues tokens."""

    folder = Path()
    base_url = "http://127.0.0.1"
    making = threading.Lock()

    def __init__(self, account_id: str, region: str, name: str, extended_config: Json) -> None:
        super().__init__(account_id, region, name, extended_config)
        self.id = f"{region}_{mock_random.get_random_string(9)}"
        self.arn = f"arn:{get_partition(region)}:cognito-idp:{region}:{account_id}:userpool/{self.id}"
        self._key: RSAPrivateKey | None = None

    @property
    def issuer(self) -> str:
        """Who its tokens say that they are from."""
        return f"{self.base_url}/{self.id}"

    @property
    def has_domain(self) -> bool:
        """Whether there is one; without it a pool has no token endpoint."""
        return any(domain.user_pool_id == self.id for domain in list(self.backend.user_pool_domains.values()))

    @property
    def scopes(self) -> set[str]:
        """What its resource servers define."""
        servers = list(self.resource_servers.values())
        return {f"{server.identifier}/{scope['ScopeName']}" for server in servers for scope in server.scopes or []}

    @property
    def path(self) -> Path:
        """Where its key is."""
        return self.folder / f"{self.id}.pem"

    @property
    def key(self) -> RSAPrivateKey:
        """The key that signs; it is made when it is first needed, and found again."""
        with self.making:
            if self._key is None:
                self._key = key_in(self.path)
            return self._key

    @cached_property
    def public_key(self) -> Json:
        """What those need who check, as a JSON web key."""
        public = self.key.public_key()
        told = RSAAlgorithm.to_jwk(public, as_dict=True)
        digest = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        kid = base64.b64encode(digest).decode()
        return {"alg": ALGORITHM, "e": told["e"], "kid": kid, "kty": "RSA", "n": told["n"], "use": "sig"}

    def sign(self, claims: Json) -> str:
        """A token that says so."""
        return jwt.encode(claims, self.key, ALGORITHM, headers={"kid": self.public_key["kid"]})

    def create_jwt(self, *given: Any, **named: Any) -> tuple[str, int]:  # noqa: ANN401 - moto's
        """What a user gets, signed by the pool itself."""
        token, seconds = super().create_jwt(*given, **named)
        claims = jwt.decode(token, options={"verify_signature": False})
        return self.sign(claims | {"iss": self.issuer}), seconds


class Client(models.CognitoIdpUserPoolClient):  # type: ignore[misc]
    """A client of a pool, with an id and a secret in the form of the service."""

    def __init__(self, user_pool_id: str, generate_secret: bool, extended_config: Json | None) -> None:
        super().__init__(user_pool_id, generate_secret, extended_config)
        self.id, self.secret = _letters(26), _letters(51)

    @property
    def seconds(self) -> int:
        """How long its access tokens are good."""
        return seconds_of(self.extended_config)


def _letters(many: int) -> str:
    return "".join(mock_random.choice(LETTERS) for _ in range(many))


def seconds_of(configuration: Json) -> int:
    """How long access tokens of a client that is configured like this are good."""
    if not (many := configuration.get("AccessTokenValidity")):
        return 3600
    return int(many) * UNITS[configuration.get("TokenValidityUnits", {}).get("AccessToken", "hours")]


def key_in(path: Path) -> RSAPrivateKey:
    """The key in a file; it is made when there is none.

    Raises:
        StateDamaged: what is there is no such key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = generate_private_key(public_exponent=65537, key_size=2048)
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (TypeError, ValueError):  # a password is needed; it is no key
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise StateDamaged(
            f"{path} holds no RSA key. Delete it: another is made, and older tokens are not good any more."
        )
    return key
