"""An OpenID issuer of the test's own, on loopback: what it says, with which keys, and how often it was asked."""

import base64
import hashlib
import hmac
import json
import threading
import time
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

DISCOVERY = ".well-known/openid-configuration"


@cache
def rsa_key(name):
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key(name):
    return ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """Has an RSA key `rsa` and an elliptic one `ec`; `away` and `gate` say how it answers."""

    def __init__(self, url):
        self.url = url
        self.discovery = f"{url}/{DISCOVERY}"
        self.keys = {"rsa": rsa_key("rsa"), "ec": ec_key("ec")}
        self.asked, self.away, self.document = [], False, None
        self.gate = threading.Event()
        self.gate.set()

    def answer(self, what):
        self.asked.append(what)
        self.gate.wait(10)
        if self.away:
            return Response(status_code=503)
        if what == "jwks":
            return JSONResponse(self.document or {"keys": [_public(kid, key) for kid, key in self.keys.items()]})
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})

    def claims(self, **changed):
        """What a good token says, but for what is changed; what is None is left out."""
        now = int(time.time())
        told = {"iss": self.url, "sub": "nurse", "client_id": "app", "aud": "store", "scope": "store/read"}
        told |= {"iat": now, "exp": now + 300} | changed
        return {name: value for name, value in told.items() if value is not None}

    def token(self, kid="rsa", key=None, **changed):
        key = key or self.keys[kid]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**changed), key, algorithm, headers={"kid": kid})

    def unsigned(self):
        return jwt.encode(self.claims(), None, "none", headers={"kid": "rsa"})

    def with_the_public_key_as_secret(self):
        """What a library accepts that lets the token choose how it is checked."""
        public = self.keys["rsa"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        head = {"alg": "HS256", "typ": "JWT", "kid": "rsa"}
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in (head, self.claims()))
        return (signed + b"." + _encoded(hmac.digest(public, signed, hashlib.sha256))).decode()


class Issuers:
    """As many issuers as are asked for, on one server."""

    def __init__(self):
        self.url, self.known = "", {}

    def app(self):
        return Starlette(routes=[Route("/{name}/{what:path}", self._answer)])

    def make(self):
        name = f"i{len(self.known)}"
        self.known[name] = Issuer(f"{self.url}/{name}")
        return self.known[name]

    def _answer(self, request):
        return self.known[request.path_params["name"]].answer(request.path_params["what"])


def _public(kid, key):
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return algorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
