"""Which Region the lessons talk to: the laptop's, started here, or AWS's. boto3 in the cells is the same for both."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from helpers.settings import settings
from helpers.sites.network import Network, Site
from helpers.sites.program import Program
from helpers.sites.topology import SiteSpec, Topology

REGION = "us-west-2"
_running: list[Program] = []  # the Region of this process, if there is one


class NoRegion(Exception):
    """AWS does not answer, or not to these credentials; the message says what mends it."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: a traceback would hide the sentence that helps."""
        return [f"NoRegion: {self}"]


def start(
    site: Site | None = None, images: Mapping[str, str] | None = None, state: Path | None = None
) -> Program | None:
    """Make boto3 in this process talk to the Region of the workshop.

    On `laptop` a Region is started at `site`, or at one of its own. It has `images` (the module for each repository) in
    place of a registry of containers, and keeps in the folder `state`, if there is one, what calls change. The
    environment of this process is set for it. On `aws` nothing is started; the credentials are checked.

    Raises:
        NoRegion: the profile is aws and there are no good credentials, or no connection.
        ProgramFailed: the laptop's Region does not start.
    """
    if settings().profile == "aws":
        _check_credentials()
        return None
    site = site or _alone()["region"]
    given = [part for name, module in (images or {}).items() for part in ("--image", f"{name}={module}")]
    kept = ["--state", str(state)] if state else []
    program = site.start("helpers.region", "serve", *given, *kept, name="region")
    _running[:] = [program]
    _talk_to(program.url, str((state or site.folder / "region") / "credentials"))
    return program


def url_from(site: str) -> str | None:
    """The `endpoint_url` with which programs of `site` reach the Region that was started last, over the link.

    None on `aws`: boto3 knows the address, and the way there is not the notebook's to choose.

    Raises:
        NoRegion: none was started.
    """
    if settings().profile == "aws":
        return None
    if not _running:
        raise NoRegion("No Region was started. Start one first: region.start(network[...])")
    return _running[0].url_from(site)


@cache
def _alone() -> Network:
    """A Region without sites around it; it ends with this process."""
    return Network(Topology(name="region", sites={"region": SiteSpec(kind="region")}))


def _talk_to(url: str, credentials: str) -> None:
    """Set boto3's environment; nothing of the learner's own AWS set-up counts any more in this process."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_SHARED_CREDENTIALS_FILE": credentials,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    boto3.setup_default_session()


def _check_credentials() -> None:
    try:
        boto3.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise NoRegion(
            f"The profile is aws, and AWS does not know who you are ({error}). Log in (`aws configure sso`, "
            "`aws sso login`) or set AWS_PROFILE and AWS_DEFAULT_REGION, then run this cell again."
        ) from None
