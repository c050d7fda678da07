"""The command line of every program of a site, and which Host headers it answers to. Nothing heavy is imported here."""

import argparse
import sys
from collections.abc import Callable

from helpers.settings import settings
from helpers.settings.settings import LOOPBACK

SECONDS = 300.0  # for a task: as long as Strands' A2AAgent waits; and for an answer to a tool that asks


def parser(about: str, agent: bool = True, asks: bool = False) -> argparse.ArgumentParser:
    """The arguments that every program takes; those of an agent, if it is one, and of one whose tools ask."""
    spec = sys.modules["__main__"].__spec__
    parser = argparse.ArgumentParser(
        prog=f"python -m {spec.name.removesuffix('.__main__')}" if spec else None,
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_port, default=0, help="port to listen on; a free one, which is printed, if none"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback unless you say otherwise")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="Host header to answer too")
    if agent:
        parser.add_argument(
            "--task-seconds", type=float, default=SECONDS, metavar="N", help="how long a task may take (%(default)g)"
        )
    if asks:
        waits = "how long a tool waits for an answer to its question (%(default)g)"
        parser.add_argument("--question-seconds", type=float, default=SECONDS, metavar="N", help=waits)
    return parser


def run(main: Callable[[], None]) -> None:
    """Run a program. What goes wrong for a reason that the kit knows is told in a sentence, not in a traceback.

    It is traced where the settings say whereto, before anything makes a tracer of its own.
    """
    try:
        _trace()
        main()
    except Exception as error:
        if not type(error).__module__.startswith("helpers."):
            raise
        sys.exit(f"{type(error).__name__}: {error}")


def _trace() -> None:
    given = settings()
    if given.telemetry_url and given.identity:
        from helpers.tracing.provider import setup  # a program that is not traced need not load it

        site, _, service = given.identity.partition("/")
        setup(site, service, endpoint=given.telemetry_url, content=given.telemetry_content)


def hosts(given: argparse.Namespace) -> frozenset[str]:
    """The Host headers to answer to."""
    return LOOPBACK | {name.lower() for name in (given.host, *given.allow_host)}  # as they are compared


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"{port} is no port: ports go from 0 to 65535")
    return port
