"""Waiting for a condition, bounded; never for a length of time."""

import subprocess
import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Return when `condition()` is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)


def end(*processes: subprocess.Popen) -> None:
    """Kill, and wait until they are gone."""
    for process in processes:
        process.kill()
        process.communicate()
