"""A Region on a laptop, for boto3.

python -m helpers.region serve --port 4566
export AWS_ENDPOINT_URL=http://127.0.0.1:4566
"""

import argparse

from helpers.apps import serving
from helpers.region.server import serve
from helpers.settings.settings import LOOPBACK


def main() -> None:
    given = parser().parse_args()
    serve(given.host, given.port, LOOPBACK | {given.host, *given.allow_host})


def parser() -> argparse.ArgumentParser:
    """The arguments of every program; `serve` is the only command."""
    arguments = serving.parser(__doc__ or "", agent=False)
    arguments.add_argument("command", nargs="?", choices=["serve"], default="serve")
    return arguments


if __name__ == "__main__":
    serving.run(main)
