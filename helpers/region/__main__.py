"""A Region on a laptop, for boto3.

python -m helpers.region serve --port 4566
export AWS_ENDPOINT_URL=http://127.0.0.1:4566
"""

from helpers.apps.serving import parser, run
from helpers.region.server import serve
from helpers.settings.settings import LOOPBACK


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    arguments.add_argument("command", nargs="?", choices=["serve"], default="serve")
    given = arguments.parse_args()
    serve(given.host, given.port, LOOPBACK | {given.host, *given.allow_host})


if __name__ == "__main__":
    run(main)
