"""The model endpoint of a site: Ollama's API, as `python -m helpers.inference serve`, but one of the site's own.

python -m helpers.apps.inference --port 11500
"""

from helpers.apps.command import hosts, parser, run
from helpers.inference.server import serve
from helpers.settings import settings
from helpers.sites.lease import Lease


def main() -> None:
    given = parser(__doc__ or "", agent=False).parse_args()
    lease = Lease(settings().site_folder / "inference")
    serve(given.host, given.port, lease, allowed=hosts(given))


if __name__ == "__main__":
    run(main)
