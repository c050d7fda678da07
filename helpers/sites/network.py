"""Sites as processes and links between: what a notebook sets up, looks at, disturbs and closes.

network = Network(Topology.read("data/two-campuses.toml"), classified={"patient": patients})
pharmacy = network["campus-b"].start("pharmacy")
url = pharmacy.url_from("campus-a")
network.link("campus-a", "campus-b").cut()
network.ledger.assert_never_left("campus-a", "patient")
network.close()
"""

import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self, get_args

import httpx
from filelock import FileLock

from helpers.settings import settings
from helpers.settings.settings import ModelServer
from helpers.sites.classified import Classified, Given
from helpers.sites.errors import ProgramFailed
from helpers.sites.ledger import Ledger
from helpers.sites.links import Link, Links
from helpers.sites.program import Program, run
from helpers.sites.tokens import Issuer
from helpers.sites.topology import SiteSpec, Topology


class Network:
    """A topology that runs. It ends with this process, however that ends."""

    def __init__(self, topology: Topology, classified: Given | None = None) -> None:
        """Start the links; the sites are empty at first.

        Args:
            classified: what the ledger looks for: {"patient": ["P-1001", ...], "account": r"AC-[0-9]{5}"}.

        Raises:
            ValueError: a pattern is no regular expression, a value is empty or too long.
        """
        given = {
            name: what if isinstance(what, str) else [str(value) for value in what]
            for name, what in (classified or {}).items()
        }
        Classified(given)  # says at once what is wrong
        self.topology, self.classified = topology, given or None
        self.folder = _folder(topology.name)
        self.issuer = Issuer.of_this_user()
        ledger = self.folder / "ledger.sqlite"
        self._links = Links(topology, ledger, given, self.folder / "links.log", settings().profile == "aws")
        self.ledger = Ledger(ledger)
        self.telemetry: Program | None = None  # the OTLP receiver that programs send their spans to, from its start on
        self.sites = {name: Site(self, name, spec) for name, spec in topology.sites.items()}
        self._end = weakref.finalize(self, _close, self._links, self.sites, self.folder)

    def __getitem__(self, site: str) -> "Site":
        self.topology.require(site)
        return self.sites[site]

    def link(self, one: str, other: str) -> Link:
        """The link between two sites.

        Raises:
            NotLinked: there is none.
        """
        return self._links.between(self[one].name, self[other].name)

    def links(self) -> list[Link]:
        """All links."""
        return list(self._links.links.values())

    def route(self, url: str, caller: str, callee: str) -> str:
        """`url` of a program of `callee`, as programs of `caller` reach it: over the link, if they are two sites."""
        if self[caller] is self[callee]:
            return url
        address = httpx.URL(url)
        tls = address.scheme == "https"
        port = self._links.enter(caller, callee, address.host, address.port or (443 if tls else 80), tls)
        return str(address.copy_with(scheme="http", host="127.0.0.1", port=port)).rstrip("/")

    def close(self) -> None:
        """End all programs and links, and delete logs and ledger. If that was interrupted, do it again."""
        _close(self._links, self.sites, self.folder)
        self._end.detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Site:
    """One site: the programs that run there."""

    def __init__(self, network: Network, name: str, spec: SiteSpec) -> None:
        self._network: Network = weakref.proxy(network)
        self.name, self.kind, self.place = name, spec.kind, spec.place
        self.folder: Path = network.folder / name
        self.folder.mkdir(mode=0o700)
        self.programs: dict[str, Program] = {}

    def start(self, app: str, *arguments: str, name: str | None = None) -> Program:
        """Run the program `app` of `helpers.apps` (or any module, by its full name) at this site.

        `name` tells several of the same app apart; without it, the app's own is taken.
        Programs of a site use the model endpoint of their own site, if one was started there. On the aws profile
        nothing is started: `WORKSHOP_APPS` says where the program runs.

        Raises:
            ProgramFailed: it does not start, or runs here already; the message has its last words.
            SettingsError: the profile is aws and the address is not set.
        """
        name = name or app.rsplit(".", 1)[-1]
        if name in self.programs and self.programs[name].running:
            raise ProgramFailed(f"{name} runs at {self.name} already; stop() it first.")
        program = Program(f"{self.name}/{name}", "", self._route, log_file=self.folder / f"{name}.log")
        if address := settings().app_url(program.identity):
            program.url = address
        else:
            module = app if "." in app else f"helpers.apps.{app}"
            run(module, list(arguments), self._environment(program.identity), program)
        self.programs[name] = program
        return program

    def _route(self, url: str, caller: str) -> str:
        return self._network.route(url, caller, self.name)

    def _environment(self, identity: str) -> dict[str, str]:
        environment = {
            "WORKSHOP_IDENTITY": identity,
            "WORKSHOP_TOKEN_KEY": self._network.issuer.public_key,
            "WORKSHOP_SITE_FOLDER": str(self.folder),
        }
        if receiver := self._network.telemetry:
            environment["WORKSHOP_TELEMETRY_URL"] = receiver.url_from(self.name)
            environment["OTEL_INSTRUMENTATION_A2A_SDK_ENABLED"] = "false"  # it traces each of its own functions
        if model := self.programs.get("inference"):
            environment |= {f"WORKSHOP_{server.upper()}_URL": model.url for server in get_args(ModelServer)}
        return environment

    def __repr__(self) -> str:
        return f"{self.name} ({self.kind}): {', '.join(self.programs) or 'no program'}"


def _folder(name: str) -> Path:
    """A folder of this network, closed to other users; folders whose process is gone are deleted."""
    parent = settings().cache_dir / "sites"
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(parent / "folders.lock"):  # no other process may find a folder between its making and its lock
        for old in filter(Path.is_dir, parent.iterdir()):
            if (lock := _locked(old)) is not None:
                shutil.rmtree(old, ignore_errors=True)
                os.close(lock)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
        _locks[folder] = _locked(folder)
    return folder


def _locked(folder: Path) -> int | None:
    """A lock on `folder` that the kernel releases however this process ends; None if its process lives."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:  # its process has just closed it
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


_locks: dict[Path, int | None] = {}


def _close(links: Links, sites: dict[str, Site], folder: Path) -> None:
    for site in sites.values():
        for program in site.programs.values():
            if program.process:
                program.stop()
    links.close()
    shutil.rmtree(folder, ignore_errors=True)
    if (lock := _locks.pop(folder, None)) is not None:
        os.close(lock)
