"""Functions of Lambda, run: each call in a process of its own, with a folder, an environment, a time limit and a log.

On AWS a function runs in a microVM, which is kept for the next call; here each call is a first call. `bootstrap.py` is
what runs in the process; it ends with this one.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

from helpers.region.bootstrap import INIT_SECONDS
from helpers.region.calls import LOG_BYTES, Answer, Call, Function, answer
from helpers.region.errors import TooManyRequests
from helpers.region.packages import unpack

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
AT_ONCE = 16  # calls, on a laptop
WORKERS = 4  # of which this many are such that nobody waits for
WAITING = 100  # calls that nobody waits for
SPARE_SECONDS = 10  # beyond its limits, before this process ends it


class Functions:
    """Runs them. Folders are in `folder`; each process is given `environment` too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: Mapping[str, str] = {}
        self.running: set[subprocess.Popen[bytes]] = set()
        self.slots = threading.BoundedSemaphore(AT_ONCE)
        self.waiting: queue.Queue[tuple[Function, Call]] = queue.Queue(WAITING)
        self.workers: list[threading.Thread] = []

    def run(self, function: Function, call: Call) -> Answer:
        """Call a function and wait for its answer.

        Raises:
            TooManyRequests: as many run as may.
            InvalidZip: its code is no good package.
        """
        if not self.slots.acquire(blocking=False):
            raise TooManyRequests(f"Rate Exceeded. {AT_ONCE} calls run at once on this laptop.")
        try:
            return self._run(function, call)
        finally:
            self.slots.release()

    def later(self, function: Function, call: Call) -> None:
        """Call a function; nobody waits for its answer.

        Raises:
            TooManyRequests: too many are waiting.
        """
        while len(self.workers) < WORKERS:
            self.workers.append(threading.Thread(target=self._work, daemon=True, name="lambda"))
            self.workers[-1].start()
        try:
            self.waiting.put_nowait((function, call))
        except queue.Full:
            raise TooManyRequests(f"Rate Exceeded. {WAITING} calls are waiting already.") from None

    def end_all(self) -> None:
        """End all calls, also those that are waiting."""
        with suppress(queue.Empty):
            while True:
                self.waiting.get_nowait()
        for process in list(self.running):
            assert process.stdin
            process.stdin.close()  # it ends what it runs, and itself

    def _work(self) -> None:
        while True:
            function, call = self.waiting.get()
            with self.slots, suppress(Exception):  # nobody is there to be told; the next call must be served
                self._run(function, call)

    def _run(self, function: Function, call: Call) -> Answer:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(mkdtemp(prefix="call-", dir=self.folder))
        try:
            unpack(function.code, folder / "task")
            (folder / "tmp").mkdir()
            (folder / "call.json").write_text(_told(function, call))
            printed = self._process(function, folder)
            return answer(function, call, folder, printed)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _process(self, function: Function, folder: Path) -> bytes:
        """Run the process until it ends; what it printed."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-u", str(BOOTSTRAP), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(function, folder, self.environment),
            cwd=folder,
            start_new_session=True,
        )
        self.running.add(process)
        log = Log(process)
        limit = threading.Timer(INIT_SECONDS + function.seconds + SPARE_SECONDS, process.kill)
        limit.daemon = True
        limit.start()  # `wait` with a limit of time would look only every 50 ms
        try:
            process.wait()
        finally:
            limit.cancel()
            self.running.discard(process)
            _end(process, folder)
        return log.read()


class Log(threading.Thread):
    """Reads what a process prints, so that it never waits, and keeps the end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True, name="log")
        assert process.stdout
        self.pipe, self.kept = process.stdout, b""
        self.start()

    def run(self) -> None:
        """Read to the end."""
        while piece := os.read(self.pipe.fileno(), 64 * 1024):
            self.kept = (self.kept + piece)[-LOG_BYTES:]
        self.pipe.close()

    def read(self) -> bytes:
        """What is kept. A process that has got away may hold the other end for ever; it is not waited for."""
        self.join(2)
        return self.kept


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Nothing of a call is left, even if the process that should see to it was killed."""
    assert process.stdin
    process.wait()
    process.stdin.close()
    if not (folder / "outcome.json").exists() and (folder / "child").exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(int((folder / "child").read_text()), signal.SIGKILL)


def _told(function: Function, call: Call) -> str:
    return json.dumps(
        {
            "request_id": call.request_id,
            "arn": function.arn,
            "handler": function.handler,
            "timeout": function.seconds,
            "client_context": call.client_context,
            "event": call.event,
        }
    )


def _environment(function: Function, folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """All that a function sees; nothing of this process's own."""
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": "UTC",
        "PYTHONUTF8": "1",
        "HOME": str(folder / "tmp"),  # else boto3 finds its user's own keys, by way of the table of users
        "TMPDIR": str(folder / "tmp"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
        **function.variables,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[{function.version}]{uuid4().hex}",
        "LAMBDA_TASK_ROOT": str(folder / "task"),
        "_HANDLER": function.handler,
    }
