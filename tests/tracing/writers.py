"""Those who write to a store in processes of their own: several at once, or on a disk that is full or read only."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from helpers.settings.settings import ROOT
from helpers.tracing.errors import StoreFailed
from helpers.tracing.store import Store
from tests.tracing.made import span, trace_id

OWN_DISK = ["unshare", "--map-root-user", "--mount"]
ON_A_DISK = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -m tests.tracing.writers "$3" "$1"'


def write(path, trace, number):
    """Write so many spans of a trace, one by one."""
    with closing(Store(path)) as store:
        for each in range(number):
            store.add_spans([span(each + 1, trace=trace)])


def on_a_disk_of_its_own(what, folder):
    """What `full` or `read_only` tell; None if this system does not let its users mount a disk."""
    if subprocess.run([*OWN_DISK, "true"], capture_output=True).returncode:
        return None
    command = [*OWN_DISK, "sh", "-c", ON_A_DISK, "sh", str(folder), sys.executable, what]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def fail(store, number):
    """Write more and more until it fails; what was said, and the number of spans that were written."""
    while True:
        try:
            store.add_spans([span(number + 1, attributes={"text": "x" * 4000})])
        except StoreFailed as error:
            return str(error), number
        number += 1


def full(folder):
    """A disk without space, which gets some."""
    (folder / "ballast").write_bytes(bytes(2**18))
    store = Store(folder / "traces.sqlite")
    write(store.path, 1, 2)
    said = fail(store, 2)
    there = len(store.trace(trace_id()))
    (folder / "ballast").unlink()
    return store, *said, there


def read_only(folder):
    """A disk that is mounted again to be read only, and then to be written."""
    store = Store(folder / "traces.sqlite")
    write(store.path, 1, 2)
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    said = fail(store, 2)
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    return store, *said, len(store.trace(trace_id()))


if __name__ == "__main__":
    store, said, kept, there = {"full": full, "read_only": read_only}[sys.argv[1]](Path(sys.argv[2]))
    store.add_spans([span(9999)])
    print(json.dumps({"said": said, "before": 2, "kept": kept, "while": there, "after": len(store.trace(trace_id()))}))
