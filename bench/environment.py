"""Environments of peers: each peer is installed in one of its own, away from the kit's packages."""

import subprocess
import sys
from functools import cache
from pathlib import Path


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
