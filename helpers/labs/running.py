"""A check from outside: the learner's value in a forked process, the judge in a fresh one, and an end to both.

A thread cannot be killed, a process can: so whatever the learner's code does, the check ends. Fork, not pickling: a
notebook's functions need all that its cells have defined. Threads of the notebook are not in the copy; servers that
they run are still reached by their address.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from helpers.labs.errors import JudgeFailed
from helpers.labs.learner_side import serve
from helpers.labs.progress import Progress
from helpers.labs.verdict import Verdict

ROOT = Path(__file__).resolve().parents[2]
MARK = "WORKSHOP_CHECKED"  # in the environment of what the learner's code starts
MOST_SECONDS = 180  # for a check in all
# -I: neither variables nor the folder of the notebook decide which helpers the judge imports.
START = "import sys; sys.path.insert(0, sys.argv[1]); from helpers.labs.judge import main; main()"
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


def run(lab: str, step: str, value: object, progress: Progress, seed: int | None = None) -> Verdict:
    """The verdict on `value`; hidden cases are drawn by `seed`, or anew each time.

    Raises:
        JudgeFailed: the check itself is broken.
    """
    ours, theirs = socket.socketpair()
    token = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as folder, ours:
        order = {
            "lab": lab,
            "step": step,
            "seed": secrets.randbits(32) if seed is None else seed,
            "folder": folder,
            "progress": str(progress.path),
            "learner": progress.learner,
            "socket": ours.fileno(),
        }
        child = _fork(value, ours, theirs, token)
        left: list[str] = []
        try:
            verdict = _judge(order)
        finally:
            left = _end(child, token)
    return _with_left(verdict, left)


def _fork(value: object, ours: socket.socket, theirs: socket.socket, token: str) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the notebook has threads; see above
        child = os.fork()
    if child == 0:
        try:
            ours.close()
            os.environ[MARK] = token
            serve(value, theirs)
        finally:
            os._exit(1)
    theirs.close()
    return child


def _judge(order: dict[str, Any]) -> Verdict:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-I", "-c", START, str(ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        pass_fds=[order["socket"]],
        start_new_session=True,  # an interrupt ends it below, without a traceback of its own
    ) as judge:
        try:
            out, error = judge.communicate(json.dumps(order).encode(), timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            return Verdict(order["step"], False, f"a check that ends within {MOST_SECONDS} s", "it was still running")
        finally:
            judge.kill()
    try:
        told = json.loads(out)
    except ValueError:
        last = error.decode(errors="replace").strip().splitlines()[-1:]
        raise JudgeFailed(f"The check of {order['step']!r} is broken: {''.join(last)}. Please report it.") from None
    return Verdict(**{**told, "notes": tuple(told["notes"])})


def _end(child: int, token: str) -> list[str]:
    """Kill the learner's side and all that it has started; returns what that was, without the learner's side."""
    left = _started(child, token)
    names = [name for process in left if (name := _name(process))]
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    for process in (psutil.Process(child), *left):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    psutil.wait_procs(left, timeout=5)
    return names


def _started(child: int, token: str) -> list[psutil.Process]:
    """Its children, and those of theirs that have cut themselves off, which the environment tells."""
    found = set[psutil.Process]()
    with suppress(psutil.NoSuchProcess):
        found = set(psutil.Process(child).children(recursive=True))
    begun = time.time() - MOST_SECONDS - 5
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.create_time() > begun and process.environ().get(MARK) == token:
                found.add(process)
    return sorted(found, key=lambda process: process.pid)


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:80] if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.Error:
        return ""


def _with_left(verdict: Verdict, left: list[str]) -> Verdict:
    if not left:
        return verdict
    note = f"Your code left processes running, which were ended: {'; '.join(left)}."
    return Verdict(**{**vars(verdict), "notes": (*verdict.notes, note)})
