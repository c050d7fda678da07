"""A Region on a laptop, for boto3.

python -m helpers.region serve --port 4566 --state region --image workshop/orchestrator=helpers.apps.orchestrator
"""

import argparse
import os
from pathlib import Path

from helpers.apps import command
from helpers.region.cloud import REGION
from helpers.region.gateway import tracing
from helpers.region.server import Region
from helpers.region.server import serving as server_of
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK


def main() -> None:
    given = parser().parse_args()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # keys that its user has for AWS are no business of the programs that run here
    folder = (given.state or settings().site_folder / "region").resolve()
    _trace_gateways()
    region = Region(folder, dict(given.image), LOOPBACK | {given.host, *given.allow_host}, keep=given.state is not None)
    with server_of(region, given.host, given.port) as server:
        print(f"The Region is here:\nexport AWS_ENDPOINT_URL=http://{given.host}:{server.server_port}")
        print(f"export AWS_SHARED_CREDENTIALS_FILE={region.keys.path} AWS_CONFIG_FILE={os.devnull}")
        print(f"export AWS_DEFAULT_REGION={REGION}", flush=True)
        server.serve_forever()


def _trace_gateways() -> None:
    """Gateways are a service of their own in traces, as on AWS, though they are served by this program."""
    given = settings()
    if given.telemetry_url and given.identity:
        from helpers.tracing.provider import setup  # a Region that is not traced need not load it

        site, content = given.identity.partition("/")[0], given.telemetry_content
        apart = setup(site, "gateway", endpoint=given.telemetry_url, content=content, glob=False)
        tracing.tracer = apart.provider.get_tracer(tracing.__name__)


def parser() -> argparse.ArgumentParser:
    """The arguments of every program, and the Region's own; `serve` is the only command."""
    arguments = command.parser(__doc__ or "", agent=False)
    arguments.add_argument("command", nargs="?", choices=["serve"], default="serve")
    arguments.add_argument("--state", type=Path, metavar="FOLDER", help="keep what calls change, in this folder")
    arguments.add_argument(
        "--image", type=_image, action="append", default=[], metavar="NAME=MODULE", help="program for a container image"
    )
    return arguments


def _image(text: str) -> tuple[str, str]:
    name, _, module = text.partition("=")
    if not (name and module):
        raise argparse.ArgumentTypeError(f"{text} is not NAME=MODULE, as in workshop/mine=helpers.apps.orchestrator")
    return name, module


if __name__ == "__main__":
    command.run(main)
