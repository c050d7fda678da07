"""The keys with which callers sign: the Region's own, in a file for this user alone, and those of IAM and STS."""

import configparser
import secrets
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.access_control import CreateAccessKeyFailure, create_access_key

from helpers.sites.private import write_private

ROOT = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:root"
SESSION_HEADER = "X-Amz-Security-Token"


class Keys:
    """Knows the secret of an access key."""

    def __init__(self, path: Path) -> None:
        """The Region's own are in `path`, in AWS's format; they are made when there is no such file."""
        self.path = path
        if not path.exists():
            _write(path)
        parser = configparser.ConfigParser()
        parser.read(path)
        own = parser["default"]
        self.own = Credentials(own["aws_access_key_id"], own["aws_secret_access_key"])

    def __call__(self, access_key: str, token: str | None) -> Credentials | None:
        """The secret of an access key; None if nobody has it, or its session token is another."""
        if access_key == self.own.access_key:
            return self.own
        try:
            found: Credentials = _key(access_key, token).create_credentials()
        except CreateAccessKeyFailure:
            return None
        return found

    def principal(self, access_key: str, token: str | None) -> str:
        """The ARN of who has an access key."""
        return ROOT if access_key == self.own.access_key else str(_key(access_key, token).arn)


def _key(access_key: str, token: str | None) -> Any:  # noqa: ANN401 - moto's, of a user or an assumed role
    return create_access_key(DEFAULT_ACCOUNT_ID, "aws", access_key, {SESSION_HEADER: token} if token else {})


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = "AKIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))
    text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secrets.token_urlsafe(30)}\n"
    write_private(path, text.encode())
