"""Environments of peers: each peer is installed in one of its own, away from the kit's packages."""

import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import httpx


@cache
def missing(folder: Path, package: str) -> str:
    """Why `package` cannot be run in the environment at `folder`, after an attempt to install it; empty when it can."""
    uv = str(Path(sys.executable).with_name("uv"))
    create = [] if folder.exists() else [[uv, "venv", "--quiet", str(folder)]]
    install = [uv, "pip", "install", "--quiet", "--python", str(folder), package]
    try:
        for command in (*create, install):
            subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return (getattr(error, "stderr", None) or str(error)).strip()
    return ""


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Return when the peer that `process` is answers at `url`.

    Raises:
        RuntimeError: it ended, or takes longer.
    """
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args!s} did not start; what it said is above.")
