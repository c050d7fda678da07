"""The account that is deployed to: boto3's clients, and who and where they are."""

import os
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

from helpers.deploy.errors import WrongRegion
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK

Client = Any
RETRIES = Config(retries={"mode": "adaptive", "max_attempts": 8})  # a stack of many resources is asked for often


class Account:
    """Clients of one session, made when they are first asked for."""

    def __init__(self, session: boto3.Session | None = None, endpoint: str | None = None) -> None:
        """boto3's default session and endpoint unless others are given."""
        self.session = session or boto3.Session()
        self.endpoint = endpoint
        self._clients: dict[str, Client] = {}

    def client(self, service: str) -> Client:
        """The client of a service."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service, endpoint_url=self.endpoint, config=RETRIES)
        return self._clients[service]

    @property
    def region(self) -> str:
        """The Region's name."""
        return str(self.client("cloudformation").meta.region_name)

    @property
    def local(self) -> bool:
        """Whether that is the laptop's Region."""
        try:
            return urlsplit(self.client("cloudformation").meta.endpoint_url).hostname in LOOPBACK
        except NoRegionError:
            return False

    def check(self, run: str, command: str) -> None:
        """Nobody pays for a lesson that was meant for the laptop.

        Raises:
            WrongRegion: the profile is laptop, and the clients are AWS's.
        """
        if settings().profile == "laptop" and not self.local:
            raise WrongRegion("", run, command)

    def told(self) -> str:
        """Account and Region in words."""
        if self.local:
            return f"the laptop's Region ({self.region}), where nothing costs anything"
        number = self.client("sts").get_caller_identity()["Account"]
        profile = os.environ.get("AWS_PROFILE")
        return f"account {number} in {self.region}" + (f" (profile {profile})" if profile else "")
