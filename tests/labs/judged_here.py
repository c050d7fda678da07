"""A verdict without a fresh interpreter: many wrong answers are judged in a fraction of the time.

The learner's value runs in a forked process as ever. That the judge cannot be reached is proved in `test_running`.
"""

import os
import secrets
import signal
import socket

from helpers.labs.judge import judged
from helpers.labs.running import _fork


def verdict(lab, step, value, progress):
    """As of `helpers.labs.running.run`, but judged in this process."""
    ours, theirs = socket.socketpair()
    with ours:
        child = _fork(value, ours, theirs, secrets.token_hex(8))
        about = {"lab": lab, "step": step, "seed": secrets.randbits(32), "folder": str(progress.path.parent)}
        try:
            return judged(about | {"progress": str(progress.path), "learner": progress.learner}, ours)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
