"""`python -m helpers.inference`: serve, pull, list, show, add, create, rm, stop."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from helpers.inference.catalogue import Model, catalogue
from helpers.inference.client import stop
from helpers.inference.creation import create
from helpers.inference.errors import InferenceError
from helpers.inference.levels import LEVELS
from helpers.inference.server import serve
from helpers.inference.store import Store
from helpers.settings import SettingsError, settings
from helpers.sites.lease import Lease

console = Console()


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors are told in a sentence, without a traceback."""
    given = parser().parse_args(arguments)
    try:
        given.run(given)
    except (InferenceError, SettingsError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    parser = argparse.ArgumentParser(prog="python -m helpers.inference", description="The kit's model endpoint")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("serve", help="serve Ollama's API until Ctrl-C")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback unless you say otherwise")
    command.add_argument("--port", type=_port, help="port; another is chosen and printed when it is taken")
    command.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="Host header to answer too")
    command.add_argument("--linger", action="store_true", help="end when no process uses the endpoint any more")
    command.set_defaults(run=_serve)
    command = commands.add_parser("pull", help="fetch models of the catalogue")
    command.add_argument("models", nargs="*", metavar="MODEL", help="names; all that the notebooks use if none")
    command.set_defaults(run=_pull)
    commands.add_parser("list", help="models here and in the catalogue").set_defaults(run=_list)
    for name, run, about in (("show", _show, "what a model is"), ("rm", _remove, "delete a model")):
        command = commands.add_parser(name, help=about)
        command.add_argument("model", metavar="MODEL")
        command.set_defaults(run=run)
    command = commands.add_parser("add", help="add a GGUF file of your own")
    command.add_argument("path", type=Path, help="the file; it is copied")
    command.add_argument("--name", help="name to give it; the file's own if none")
    command.set_defaults(run=_add)
    command = commands.add_parser("create", help="bring a model to another level of quantisation")
    command.add_argument("model", metavar="NEW", help="name to give it")
    command.add_argument("--from", dest="source", required=True, metavar="MODEL", help="the model to start from")
    command.add_argument("--quantize", required=True, metavar="LEVEL", help=", ".join(LEVELS))
    command.set_defaults(run=_create)
    commands.add_parser("stop", help="end the endpoint that the notebooks share").set_defaults(run=_stop)
    return parser


def _port(text: str) -> int:
    if text.isdecimal() and 0 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port; give a number from 0 to 65535")


def _serve(given: argparse.Namespace) -> None:
    lease = Lease(settings().cache_dir / "endpoint")
    linger = settings().linger_seconds if given.linger else None
    serve(given.host, given.port, lease, linger, allowed=frozenset({given.host, *given.allow_host}))


def _pull(given: argparse.Namespace) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        for name in given.models or list(catalogue()):
            _pull_one(name, bars, bars.add_task(name, total=None))


def _pull_one(name: str, bars: Progress, bar: TaskID) -> None:
    store = Store()
    for progress in store.pull(name):
        bars.update(bar, description=f"{name}: {progress['status'].split(' ')[0]}")
        if "total" in progress:
            bars.update(bar, total=progress["total"], completed=progress["completed"])
    size = store.find(name).size
    bars.update(bar, description=f"{name}: ready", total=size, completed=size)


def _list(given: argparse.Namespace) -> None:
    here = {model.name: model for model in Store().models()}
    table = Table("model", "here", "size", "licence", "what it is")
    for model in (here | catalogue()).values():
        table.add_row(model.name, "yes" if model.name in here else "-", _size(model), model.licence, model.about)
    console.print(table)


def _show(given: argparse.Namespace) -> None:
    store = Store()
    model = store.find(given.model)
    console.print_json(model.model_dump_json(exclude={"carrier"}))
    console.print_json(json.dumps({k: v for k, v in store.info(model).items() if "template" not in k}))


def _remove(given: argparse.Namespace) -> None:
    Store().remove(given.model)
    print(f"{given.model} was deleted.")


def _add(given: argparse.Namespace) -> None:
    model = Store().add(given.path, given.name)
    print(f"{model.name} is in the store ({_size(model)}, {', '.join(model.capabilities)}).")


def _create(given: argparse.Namespace) -> None:
    store = Store()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(given.model, total=None)
        for told in create(store, given.model, given.source, given.quantize):
            bars.update(bar, description=told["status"], total=told.get("total"), completed=told.get("completed", 0))
    model = store.find(given.model)
    print(f"{model.name} is in the store ({_size(model)}).")


def _stop(given: argparse.Namespace) -> None:
    print("The endpoint has ended." if stop() else "No endpoint of the kit was running.")


def _size(model: Model) -> str:
    return f"{model.size / 1e6:,.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
