"""Who uses the kit's endpoint, told by file locks, which the kernel releases however a process ends.

Every process that asked for the endpoint holds a shared lock until it is gone. The endpoint ends when it can take the
same lock for itself alone. So it outlives the notebook that started it, and is never left behind by the last.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import TypedDict

from filelock import FileLock, Timeout

from helpers.inference.errors import EndpointFailed

KIT_HEADER = "x-workshop-endpoint"  # of the kit's own endpoint; its value is the process id

_held: dict[Path, int] = {}


class Record(TypedDict):
    """Where the endpoint is."""

    url: str
    pid: int


class Lease:
    """The state of one endpoint, in `folder`: who serves, where, and who uses it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.log = folder / "endpoint.log"
        self.starting = FileLock(folder / "starting.lock")
        self._serving = FileLock(folder / "serving.lock", thread_local=False)

    def hold(self) -> None:
        """Keep the endpoint running until this process ends. Waits while an endpoint is just ending."""
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

    def serve(self, url: str) -> None:
        """Announce this process as the endpoint.

        Raises:
            EndpointFailed: another process is the endpoint already.
        """
        try:
            self._serving.acquire(timeout=0)
        except Timeout:
            record = self.record()
            where = f" at {record['url']}" if record else ""
            raise EndpointFailed(
                f"An endpoint already runs{where}, and one is enough for all notebooks. To start it anew, end it "
                "first: python -m helpers.inference stop"
            ) from None
        scratch = self.folder / "endpoint.new"
        scratch.write_text(json.dumps(Record(url=url, pid=os.getpid())))
        scratch.replace(self.folder / "endpoint.json")

    def withdraw(self) -> None:
        """Take the announcement back."""
        (self.folder / "endpoint.json").unlink(missing_ok=True)
        self._serving.release()

    def record(self) -> Record | None:
        """What the last endpoint announced; it may be gone."""
        try:
            record: Record = json.loads((self.folder / "endpoint.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return record
