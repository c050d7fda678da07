"""Who calls: AWS's Signature Version 4, checked by botocore's own signer.

The keys are the Region's own, which are in its file of credentials, and those that IAM and STS give out. Presigned
addresses are checked too.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from helpers.region.errors import AccessDenied, BadSignature, MissingToken, UnknownToken

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=5)
TIMESTAMP = "%Y%m%dT%H%M%SZ"
SIGNERS = {  # for S3 or not, presigned or not
    (False, False): SigV4Auth,
    (False, True): SigV4QueryAuth,
    (True, False): S3SigV4Auth,
    (True, True): S3SigV4QueryAuth,
}
Secrets = Callable[[str, str | None], Credentials | None]  # of an access key, with its session token


@dataclass(frozen=True)
class Signed:
    """What a request says of its signature."""

    access_key: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    timestamp: str
    token: str | None
    seconds: int | None = None  # how long a presigned address is good


def read(headers: dict[str, str], query: str) -> Signed:
    """The signature of a request, from its headers (names in lower case) or its query.

    Raises:
        MissingToken: there is none.
        BadSignature: it is not in the form of AWS.
    """
    given = dict(parse_qsl(query))
    authorization = headers.get("authorization", "")
    try:
        if authorization.startswith(ALGORITHM):
            parts = dict(part.strip().split("=", 1) for part in authorization.removeprefix(ALGORITHM).split(","))
            when, token, seconds = headers["x-amz-date"], headers.get("x-amz-security-token"), None
        elif given.get("X-Amz-Algorithm") == ALGORITHM:
            parts = {name: given[f"X-Amz-{name}"] for name in ("Credential", "SignedHeaders", "Signature")}
            when, token = given["X-Amz-Date"], given.get("X-Amz-Security-Token")
            seconds = int(given["X-Amz-Expires"])
        else:
            raise MissingToken("Missing Authentication Token")
        key, _, region, service, _ = parts["Credential"].split("/")
        names = tuple(parts["SignedHeaders"].split(";"))
        return Signed(key, region, service, names, parts["Signature"], when, token, seconds)
    except (KeyError, ValueError) as error:
        raise BadSignature("The authorization header is not in the form of AWS Signature Version 4.") from error


def check(signed: Signed, method: str, url: str, headers: dict[str, str], body: bytes, secrets: Secrets) -> None:
    """Refuse a request whose signature is not that of a known key for just these bytes, now.

    Raises:
        UnknownToken: nobody has such a key.
        BadSignature: the signature is another, or was made at another time.
        AccessDenied: the address was presigned and has expired.
    """
    credentials = secrets(signed.access_key, signed.token)
    if credentials is None:
        raise UnknownToken("The security token included in the request is invalid.")
    _check_time(signed)
    digest = headers.get("x-amz-content-sha256", "")
    if len(digest) == sha256().digest_size * 2 and digest != sha256(body).hexdigest():
        raise BadSignature("The body is not the one that was signed.")
    if not hmac.compare_digest(_signature(signed, method, url, headers, body, credentials), signed.signature):
        raise BadSignature(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def _check_time(signed: Signed) -> None:
    try:
        made = datetime.strptime(signed.timestamp, TIMESTAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSignature("X-Amz-Date is not a date in the form of AWS.") from error
    age = datetime.now(UTC) - made
    if signed.seconds is not None and age > timedelta(seconds=signed.seconds):
        raise AccessDenied("Request has expired")
    if age < -SKEW or (signed.seconds is None and age > SKEW):
        raise BadSignature(f"Signature expired: {signed.timestamp} is not now. Is the clock right?")


def _signature(
    signed: Signed, method: str, url: str, headers: dict[str, str], body: bytes, credentials: Credentials
) -> str:
    """The signature that the request should have."""
    presigned = signed.seconds is not None
    signer: Any = SIGNERS[signed.service.startswith("s3"), presigned](credentials, signed.service, signed.region)
    address, _, query = url.partition("?")
    if presigned:
        query = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
    only_signed = {name: headers.get(name, "") for name in signed.headers}
    request = AWSRequest(method, f"{address}?{query}", only_signed, body)
    request.context["timestamp"] = signed.timestamp
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))
