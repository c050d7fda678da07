"""`python -m helpers.deploy`: plan, up, status, down."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from helpers.deploy.deployment import Deployment
from helpers.deploy.errors import DeployError, Interrupted
from helpers.deploy.layers import TEMPLATES, Layers, read_layers
from helpers.deploy.plan import Plan
from helpers.deploy.progress import Bars
from helpers.settings import SettingsError

console = Console()


def main(arguments: list[str] | None = None) -> int:
    """Run one command: 0 when all is as asked, 1 when not, 130 after Ctrl-C; errors are told in a sentence."""
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except Interrupted as error:
        print(f"\n{error}", file=sys.stderr)
        return 130
    except (DeployError, SettingsError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    parser = argparse.ArgumentParser(prog="python -m helpers.deploy", description="CloudFormation in layers")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, words, run in (
        ("plan", "what would be made or changed, and what it costs an hour; makes nothing", _plan),
        ("up", "make or update all layers; shows prices and asks first", _up),
        ("status", "what is there", _status),
        ("down", "delete all that this run made, and list what is left", _down),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("--name", required=True, help="the run's name, which all its stacks begin with")
        command.set_defaults(run=run)
        if name in ("plan", "up"):
            _layers_of(command)
        if name == "up":
            command.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _layers_of(command: argparse.ArgumentParser) -> None:
    command.add_argument("--templates", type=Path, default=TEMPLATES, metavar="FOLDER", help="with a layers.toml")
    command.add_argument(
        "--set", type=_pair, action="append", default=[], metavar="LAYER.PARAMETER=VALUE", help="a parameter's value"
    )
    command.add_argument("--without", action="append", default=[], metavar="LAYER", help="leave a layer out")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text} is not LAYER.PARAMETER=VALUE, as in network.VpcCidr=10.1.0.0/16")
    return name, value


def _layers(given: argparse.Namespace) -> Layers:
    return read_layers(given.templates).changed(dict(given.set), set(given.without))


def _plan(given: argparse.Namespace) -> int:
    plan = Deployment(given.name, _layers(given)).plan()
    console.print(str(plan), highlight=False, markup=False)
    return 0


def _up(given: argparse.Namespace) -> int:
    deployment = Deployment(given.name, _layers(given))
    with Bars(console) as bars:
        bars.progress.stop()  # until the person has agreed
        status = deployment.up(lambda plan: _agreed(plan, given.yes) and _started(bars), bars)
    if status is None:
        print("Nothing was made.")
        return 1
    status.print(console)
    return 0


def _agreed(plan: Plan, yes: bool) -> bool:
    plan.print(console)
    if yes or not plan.changes:
        return True
    if not sys.stdin.isatty():
        print("Nobody is there to ask; to go on without asking, add --yes.", file=sys.stderr)
        return False
    return console.input("Make this? Type yes: ").strip().lower() == "yes"


def _started(bars: Bars) -> bool:
    bars.progress.start()
    return True


def _status(given: argparse.Namespace) -> int:
    Deployment(given.name).status().print(console)
    return 0


def _down(given: argparse.Namespace) -> int:
    with Bars(console) as bars:
        left = Deployment(given.name).down(bars)
    for one in left:
        console.print(f"Still there: {one}", highlight=False, markup=False, soft_wrap=True)
    if left:
        print(f"{len(left)} left. Delete them as it says, then: python -m helpers.deploy down --name {given.name}")
        return 1
    print(f"Nothing of run {given.name} is left.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
