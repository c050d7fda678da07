"""A server that all notebooks share: found or started by whoever comes first, ended with its last user.

Who uses it is told by file locks, which the kernel releases however a process ends. Every process that asked for the
server holds a shared lock until it is gone. The server ends when it can take the same lock for itself alone. So it
outlives the notebook that started it, and is never left behind by the last.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import psutil
from filelock import FileLock, Timeout

START_SECONDS = STOP_SECONDS = 60

_held: dict[Path, int] = {}


class ServerFailed(Exception):
    """The server did not start; the message is its last words."""


class AlreadyServed(Exception):
    """Another process is the server; the message is where it is, if that is known."""


class Record(TypedDict):
    """Where the server is."""

    url: str
    pid: int


class Lease:
    """The state of one shared server, in `folder`: who serves, where, and who uses it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.log = folder / "server.log"
        self._starting = FileLock(folder / "starting.lock")
        self._serving = FileLock(folder / "serving.lock", thread_local=False)

    def server(self, module: str, *arguments: str, answers: Callable[[Record], bool]) -> Record:
        """The server that `python -m module arguments` is, started unless one answers; kept while this process lives.

        Raises:
            ServerFailed: it does not start within 60 s.
        """
        self.hold()
        if record := self.answering(answers):
            return record
        with self._starting:  # whoever comes second finds the server that the first has started
            return self.answering(answers) or self._start([sys.executable, "-m", module, *arguments], answers)

    def stop(self, answers: Callable[[Record], bool]) -> bool:
        """End the server, and wait until it is gone, by force if 60 s are not enough; False if none answers."""
        record = self.answering(answers)
        if not record:
            return False
        process = psutil.Process(record["pid"])
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()
        return True

    def answering(self, answers: Callable[[Record], bool]) -> Record | None:
        """Where the server is, if it answers."""
        record = self.record()
        return record if record and answers(record) else None

    def hold(self) -> None:
        """Keep the server running until this process ends. Waits while a server is just ending."""
        path = self.folder / "clients.lock"
        if path not in _held:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            _held[path] = descriptor

    def end_if_unused(self) -> bool:
        """True when no process holds the lease; from then on new ones wait until this process is gone."""
        descriptor = os.open(self.folder / "clients.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        return True  # the descriptor stays open: it is the lock

    def claim(self, seconds: float = 0) -> None:
        """Become the server; no other process can until this one is gone. Waits so long for one that is just ending.

        Raises:
            AlreadyServed: another process is the server.
        """
        try:
            self._serving.acquire(timeout=seconds)
        except Timeout:
            record = self.record()
            raise AlreadyServed(record["url"] if record else "") from None

    def announce(self, url: str) -> None:
        """Tell where this process serves."""
        scratch = self.folder / "server.new"
        scratch.write_text(json.dumps(Record(url=url, pid=os.getpid())))
        scratch.replace(self.folder / "server.json")

    def withdraw(self) -> None:
        """Take the announcement back."""
        (self.folder / "server.json").unlink(missing_ok=True)
        self._serving.release()

    def record(self) -> Record | None:
        """What the last server announced; it may be gone."""
        try:
            record: Record = json.loads((self.folder / "server.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return record

    def _start(self, command: list[str], answers: Callable[[Record], bool]) -> Record:
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # it serves other notebooks too, and must not end with this one's Ctrl-C
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if record := self.answering(answers):
                return record
            time.sleep(0.05)
        if process.poll() is None:
            process.kill()
        process.wait()
        raise ServerFailed(self.log.read_text()[-600:].strip() or "(none)")
