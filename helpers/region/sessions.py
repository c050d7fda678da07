"""The sessions of AgentCore Runtime: one process each, started when first asked, ended when idle or too old.

On AWS a session is a microVM; here it is a process with a folder, a port of loopback and an environment of its own.
"""

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import httpx

from helpers.region.errors import QuotaExceeded, RuntimeClientError
from helpers.settings import settings
from helpers.sites.errors import ProgramFailed
from helpers.sites.program import Program, run

log = logging.getLogger(__name__)

Key = tuple[str, str, str]  # a runtime's id, the endpoint's name, the session's id
MOST = 32  # sessions at once: what a laptop holds
LOOK_SECONDS = 1.0  # how often sessions are looked at
PING_SECONDS = 10.0  # how often those that do nothing are asked how they are
PING_TIMEOUT = 5.0
MISSES = 1  # answers in a row that may be missing or bad: a core may be busy for a while
WELL = ("Healthy", "HealthyBusy")
# What a container sees of this process's environment; no key of its user's is among it.
KEPT = ("PATH", "HOME", "LANG", "LC_", "TZ", "PYTHON", "VIRTUAL_ENV", "XDG_", "LD_LIBRARY", "WORKSHOP_", "TEST_")
PATHS = {"HTTP": "/invocations", "MCP": "/mcp", "A2A": "/", "AGUI": "/invocations"}


@dataclass(frozen=True)
class Container:
    """What a version of a runtime runs."""

    program: str
    protocol: str = "HTTP"
    path: str = "/invocations"
    idle_seconds: int = 900
    most_seconds: int = 28800
    variables: Mapping[str, str] = field(default_factory=dict)


class InContainer(Program):
    """The process of a session. A server of MCP need not have `/ping`; that it listens is enough."""

    pings = True

    def answers(self) -> bool:
        """Whether it says that it is well."""
        return not self.pings or self.health() in WELL

    def let_end(self) -> None:
        """A connection to it broke: if the process is about to be gone, wait until it is."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process().wait(timeout=1)

    def kill(self) -> None:
        """End it, with all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process().pid, signal.SIGKILL)
        super().kill()

    def last_words(self) -> str:
        """The end of its log; of the SDK's lines of JSON, what went wrong."""
        lines = (_plain(line) for line in self.log(200).splitlines())
        return "\n".join([line[:300] for line in lines if line][-8:])

    def health(self) -> str | None:
        """What `/ping` says; None if it is not to be had."""
        try:
            answer = httpx.get(f"{self.url}/ping", timeout=PING_TIMEOUT, trust_env=False)
            return str(answer.json()["status"]) if answer.is_success else None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None


def _plain(line: str) -> str:
    try:
        entry = json.loads(line)
        return f"{entry['errorType']}: {entry['errorMessage']}" if "errorType" in entry else ""
    except (ValueError, KeyError, TypeError):
        return line


@dataclass
class Session:
    """One session; `active` calls are under way."""

    container: Container
    folder: Path
    program: InContainer
    started: float
    used: float
    looked: float
    active: int = 0
    resource: str = ""  # what its spans tell of it
    missed: int = 0  # answers to `/ping`, one after the other
    starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def gone(self) -> bool:
        """Whether its process has ended."""
        return self.program.process is not None and not self.program.running

    def end(self) -> None:
        """End the process and delete its folder."""
        with self.starting:
            if self.program.process:
                self.program.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


class Sessions:
    """All sessions of this Region."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.clock = folder, clock
        shutil.rmtree(folder, ignore_errors=True)  # of sessions whose Region was killed
        self.environment: dict[str, str] = {}
        self.known: dict[Key, Session] = {}
        self.lock = threading.Lock()

    def watch(self) -> None:
        """Look at the sessions again and again, beside whatever else is done."""
        threading.Thread(target=self._watch, daemon=True, name="sessions").start()

    def use(self, key: Key, container: Container) -> Session:
        """The session, started if it is not there; its `active` counts this call until `leave`.

        A session stays with the version with which it began, wherever its endpoint has moved since.

        Raises:
            QuotaExceeded: there are too many.
            RuntimeClientError: it does not start.
        """
        with self.lock:
            before = session = self.known.get(key)
            if session is None or session.gone:
                session = self._new(key, container)
            session.active += 1
        if before and before is not session:
            before.end()
        try:
            with session.starting:
                if session.program.process is None:
                    self._start(session)
                elif session.gone:
                    raise RuntimeClientError("The container did not start; the call before this one says why.")
        except BaseException:
            self.end(key, session)
            raise
        return session

    def leave(self, key: Key, session: Session) -> None:
        """A call is over; a session whose process is gone is forgotten."""
        with self.lock:
            session.active -= 1
            session.used = self.clock()
        if session.gone:
            self.end(key, session)

    def end(self, key: Key, only: Session | None = None) -> bool:
        """End a session, and none that has come in its place since; whether there was one."""
        with self.lock:
            session = self.known.get(key)
            if session is None or only not in (None, session):
                return False
            del self.known[key]
        session.end()
        return True

    def end_all(self, runtime_id: str | None = None) -> None:
        """End all sessions, or those of one runtime."""
        for key in [key for key in list(self.known) if runtime_id in (None, key[0])]:
            self.end(key)

    def look(self) -> None:
        """End what is idle, too old, unwell or gone."""
        for key, session in list(self.known.items()):
            if self._over(session):
                self.end(key, session)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.look()
            except Exception:  # sessions that are not looked at never end
                log.exception("The sessions could not be looked at")

    def _over(self, session: Session) -> bool:
        now, limits = self.clock(), session.container
        if session.program.process is None:
            return False
        if session.gone or now - session.started > limits.most_seconds:
            return True
        idle = now - session.used > limits.idle_seconds
        if session.active or not (idle or now - session.looked > PING_SECONDS):
            return False
        session.looked = now
        health = session.program.health() if session.program.pings else "Healthy"
        session.missed = 0 if health in WELL else session.missed + 1
        if session.active:  # a call has begun meanwhile
            return False
        return session.missed > MISSES or (idle and health == "Healthy")

    def _new(self, key: Key, container: Container) -> Session:
        if len(self.known) >= MOST:
            raise QuotaExceeded(f"{MOST} sessions run at once, more than this machine should hold. Stop some.")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(mkdtemp(prefix="session-", dir=self.folder))
        program = InContainer(f"runtime/{key[0]}", "", lambda url, _: url, log_file=folder / "log")
        program.pings = container.protocol != "MCP"
        now = self.clock()
        session = self.known[key] = Session(container, folder, program, now, now, now, resource=_resource(key))
        return session

    def _start(self, session: Session) -> None:
        environment: dict[str, str | None] = {
            **{name: None for name in os.environ if not name.startswith(KEPT)},
            **self.environment,
            "WORKSHOP_IDENTITY": session.program.identity,
            "WORKSHOP_SITE_FOLDER": str(session.folder),
            "TMPDIR": str(session.folder),
            "AWS_EXECUTION_ENV": "AWS_BEDROCK_AGENTCORE_RUNTIME",
            "OTEL_RESOURCE_ATTRIBUTES": session.resource,
            **session.container.variables,
        }
        try:
            run(session.container.program, [], environment, session.program)
        except ProgramFailed as error:
            raise RuntimeClientError(
                f"The container did not start. {error}\nMend the program {session.container.program}, "
                "or the environment variables of the runtime, and call update_agent_runtime."
            ) from error
        session.used = self.clock()


def _resource(key: Key) -> str:
    """What AgentCore's distribution of OpenTelemetry tells of a session's process, and at which site it runs."""
    runtime_id, endpoint, _ = key
    site = (settings().identity or "region/").partition("/")[0]
    name = f"{runtime_id.rpartition('-')[0]}.{endpoint}"
    logs = f"/aws/bedrock-agentcore/runtimes/{runtime_id}-{endpoint}"
    about = {"service.namespace": site, "service.name": name, "aws.log.group.names": logs}
    about |= {"cloud.provider": "aws", "cloud.platform": "aws_bedrock_agentcore"}
    return ",".join(f"{key}={value}" for key, value in about.items())
