"""The foreign A2A package: installed once for each lock, into the cache folder and never into the repository."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import MODELS

HERE = Path(__file__).parent / "a2a_js"
FILES = ("package.json", "package-lock.json", ".npmrc")


class Foreign:
    """Runs the scripts of a2a_js, beside the package that they import."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, url: str, token: str, *arguments: str) -> list[dict]:
        """What the client prints, a document a line."""
        command = ["node", self.folder / "client.mjs", url, token, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    @contextmanager
    def server(self, token: str) -> Iterator[str]:
        """The address of the server; it ends with its standard input, so with this process too."""
        command = ["node", self.folder / "server.mjs", token]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().strip().rstrip("/")
        finally:
            process.communicate(timeout=10)
        assert process.returncode == 0, "it ends with its standard input"


@pytest.fixture(scope="session")
def foreign() -> Iterator[Foreign]:
    """`npm ci`, and the scripts as they are now. Without npm: skipped; in CI a failure."""
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        reason = f"the foreign A2A package needs {' and '.join(missing)}: apt-get install nodejs npm"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    folder = install()
    with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as scripts:
        for script in HERE.glob("*.mjs"):
            shutil.copy(script, scripts)
        yield Foreign(Path(scripts))


def install() -> Path:
    """The folder with `node_modules` of this lock."""
    lock = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = MODELS.parent / "a2a-js" / lock
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "install.lock"):
        if not (folder / "installed").exists():
            for name in FILES:
                shutil.copy(HERE / name, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
            (folder / "installed").touch()
    return folder
