"""Foreign packages of npm: installed once for each lock, into the cache folder and never into the repository."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import MODELS

FILES = ("package.json", "package-lock.json", ".npmrc")


@dataclass(frozen=True)
class Node:
    """Runs the scripts of a folder beside the packages that they import."""

    scripts: Path
    packages: Path

    def command(self, script: str | Path, *arguments: str) -> list[str | Path]:
        """A script of the folder, or the path of another; on the Node that is among the packages, if one is."""
        own = self.packages / ".bin" / "node"
        return [own if own.exists() else "node", self.scripts / script, *arguments]

    def run(self, script: str | Path, *arguments: str, seconds: float = 30) -> subprocess.CompletedProcess[str]:
        """Its end. A package that keeps something at home has the folder of the scripts for one."""
        return subprocess.run(
            self.command(script, *arguments),
            capture_output=True,
            text=True,
            timeout=seconds,
            env=os.environ | {"HOME": str(self.scripts)},
        )


@contextmanager
def node(source: Path) -> Iterator[Node]:
    """`npm ci`, and the scripts as they are now. Without npm: skipped; in CI a failure."""
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        reason = f"the packages of {source.name} need {' and '.join(missing)}: apt-get install nodejs npm"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    folder = install(source)
    with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as scripts:
        for script in source.glob("*.mjs"):
            shutil.copy(script, scripts)
        yield Node(Path(scripts), folder / "node_modules")


def install(source: Path) -> Path:
    """The folder with `node_modules` of this lock."""
    lock = hashlib.sha256(b"".join((source / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = MODELS.parent / source.name.replace("_", "-") / lock
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "install.lock"):
        if not (folder / "installed").exists():
            for name in FILES:
                shutil.copy(source / name, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
            (folder / "installed").touch()
    return folder
