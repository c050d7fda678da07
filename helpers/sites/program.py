"""A program that runs at a site: started, waited for until it answers, its log kept, ended with this process."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from helpers.sites.errors import ProgramFailed
from helpers.sites.tether import tethered

READY_SECONDS = 60
STOP_SECONDS = 10
TRIES = 3  # the port that was free may be taken before the program has it
TAKEN = "address already in use"


@dataclass
class Program:
    """A program of a site. `identity` is site/name, the audience of its tokens; `url` is for its own site."""

    identity: str
    url: str
    route: Callable[[str, str], str]
    process: subprocess.Popen[bytes] | None = None  # None: it runs elsewhere, on AWS
    log_file: Path | None = None

    def url_from(self, caller: str) -> str:
        """Where programs of the site `caller` reach it: through the link, if that is another site.

        Raises:
            UnknownSite, NotLinked: there is no such site, or no way from there.
        """
        return self.route(self.url, caller)

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self.answers() if self.process is None else self.process.poll() is None

    def answers(self) -> bool:
        """Whether it says that it is well: `GET /ping`, as AgentCore Runtime asks."""
        try:
            return httpx.get(f"{self.url}/ping", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def log(self, lines: int = 40) -> str:
        """The last lines of what it wrote."""
        text = self.log_file.read_text(errors="replace") if self.log_file and self.log_file.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """End it in good order, or by force after 10 s."""
        process = self._process()
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        process = self._process()
        process.kill()
        process.communicate()

    def wait_until_ready(self) -> None:
        """Return when it listens and says that it is well.

        Raises:
            ProgramFailed: it has ended, or 60 s are over; the message has its last words.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not (self._listens() and self.answers()):
            if not self.running or time.monotonic() > deadline:
                what = "did not get ready in time" if self.running else "has ended"
                raise ProgramFailed(f"{self.identity} {what}. Its last words:\n{self.log(15)}")
            time.sleep(0.05)

    def _listens(self) -> bool:
        """Whether this process, and not another that was quicker, has the port."""
        port = httpx.URL(self.url).port
        try:
            sockets = psutil.Process(self._process().pid).net_connections("inet")
        except psutil.Error:
            return False
        return any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets)

    def _process(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise ProgramFailed(f"{self.identity} runs at {self.url}, not on this machine; end or restart it there.")
        return self.process

    def __repr__(self) -> str:
        return f"{self.identity} at {self.url}"


def run(module: str, arguments: list[str], environment: Mapping[str, str | None], program: Program) -> Program:
    """Run `python -m module --port N arguments` as `program` and wait until it answers; it gets a port and a process.

    It has this process's environment and what is in `environment`, without what is None there.

    Raises:
        ProgramFailed: it ends, or does not answer within 60 s; the message has its last words.
    """
    for _ in range(TRIES):
        _spawn(module, arguments, environment, program)
        try:
            program.wait_until_ready()
        except BaseException as error:
            program.kill()
            if not (isinstance(error, ProgramFailed) and TAKEN in program.log().lower()):
                raise
        else:
            return program
    raise ProgramFailed(f"{program.identity} found no free port in {TRIES} tries. Start it again.")


def _spawn(module: str, arguments: list[str], environment: Mapping[str, str | None], program: Program) -> None:
    assert program.log_file
    variables = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
    port = free_port()
    program.url = f"http://127.0.0.1:{port}"
    with program.log_file.open("wb") as log:
        program.process = subprocess.Popen(
            tethered(module, "--port", str(port), *arguments),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in variables.items() if value is not None},
            start_new_session=True,  # a Ctrl-C in the terminal is for the notebook
        )


def free_port() -> int:
    """A port of loopback that nobody listens at just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
