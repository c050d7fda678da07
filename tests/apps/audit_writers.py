"""Writers of an audit log in processes of their own: several at once, killed at a step, or on a disk of their own."""

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from helpers.apps.audit import AuditLog
from helpers.apps.seals import Anchor, AuditFailed
from helpers.settings.settings import ROOT
from tests.processes import deadly, die_at, end_of

NOBODY = 65534
OWN_DISK = ["unshare", "--map-root-user", "--mount"]
ON_A_DISK = 'mount -t tmpfs -o size=300k none "$1" && exec "$2" -m tests.apps.audit_writers "$3" "$1"'


def write(path, who, number):
    """Write so many entries."""
    log = AuditLog(path)
    for n in range(number):
        log.write("asked", who=who, arguments={"n": n})


def write_for_ever(path, told):
    """Write entries, and tell of each that it is there."""
    log = AuditLog(path)
    while True:
        told.send(log.write("asked").number)


def die(path, step):
    """Write an entry up to a step like "before commit", and die there; the process's exit code."""
    return end_of(_die, path, step)


def _die(path, step):
    when, what = step.split()
    if what == "anchor":  # it is written beside, and replaces the old one later
        die_at(when, Anchor, "prepare")
    elif what == "commit":
        connect = AuditLog._connect
        AuditLog._connect = lambda log: _Connection(connect(log), when)
    elif what == "replace":
        die_at(when, Path, "replace")
    AuditLog(path).write("asked", who="killed")


class _Connection:
    """A connection whose commit is deadly."""

    def __init__(self, connection, when):
        self._connection, self._when = connection, when

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, statement, *given):
        work = self._connection.execute
        return (deadly(self._when, work) if statement == "commit" else work)(statement, *given)


def fail(path):
    """Write an entry that cannot be; what is said of it."""
    try:
        AuditLog(path).write("asked", arguments={"text": "x" * 40_000})
    except AuditFailed as error:
        return str(error)
    raise AssertionError("it was written")


@contextmanager
def small_files(most):
    """As long as this is entered, no file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def limited(path, said):
    """A file that may not grow: what is said, and whether all is well afterwards."""
    write(path, "before", 2)
    with small_files(path.stat().st_size + 1000):
        words = fail(path)
    _tell(path, words, said)


def forbidden(folder, said):
    """A folder that becomes read-only, for somebody to whom permissions apply."""
    if os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
    os.environ["WORKSHOP_CACHE_DIR"] = str(folder / "cache")
    from helpers.settings import settings

    settings.cache_clear()
    path = folder / "log/audit.sqlite"
    write(path, "before", 2)
    path.parent.chmod(0o500)
    words = fail(path)
    path.parent.chmod(0o700)
    _tell(path, words, said)


def full(folder):
    """A disk without space: what is said."""
    path = folder / "audit.sqlite"
    write(path, "before", 2)
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    words = fail(path)
    ballast.unlink()
    return path, words


def read_only(folder):
    """A disk that is mounted again to be read only: what is said."""
    path = folder / "audit.sqlite"
    write(path, "before", 2)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    words = fail(path)
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    return path, words


def on_a_disk_of_its_own(what, folder, environment):
    """What `full` or `read_only` tell; None if this system does not let its users mount one."""
    if subprocess.run([*OWN_DISK, "true"], capture_output=True).returncode:
        return None
    command = [*OWN_DISK, "sh", "-c", ON_A_DISK, "sh", str(folder), sys.executable, what]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _afterwards(path, words):
    log = AuditLog(path)
    before = log.verify()
    log.write("asked", who="afterwards")
    left = sorted(each.name for each in path.parent.iterdir() if each.name.endswith((".new", "-journal")))
    return {"said": words, "before": before, "after": log.verify(), "left": left}


def _tell(path, words, said):
    said.write_text(json.dumps(_afterwards(path, words)))


if __name__ == "__main__":
    print(json.dumps(_afterwards(*{"full": full, "read_only": read_only}[sys.argv[1]](Path(sys.argv[2])))))
