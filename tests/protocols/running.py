"""Programs of these tests, each in a process that ends with the test."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.sites.tether import tethered
from tests.waiting import end

ROOT = Path(__file__).parents[2]


@contextmanager
def running(module: str, *arguments: str) -> Iterator[str]:
    """The address that the program prints when it listens; it ends with its standard input."""
    command = tethered(module, *arguments)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http"), f"{module} did not start: exit code {process.wait(10)}"
        yield url
    finally:
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            end(process)
            raise
