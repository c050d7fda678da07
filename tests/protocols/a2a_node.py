"""The foreign A2A package: its client and its server."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.protocols.npm import Node, node

HERE = Path(__file__).parent / "a2a_js"


class Foreign:
    """Runs the scripts of a2a_js."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def ask(self, url: str, token: str, *arguments: str) -> list[dict]:
        """What the client prints, a document a line."""
        done = self.node.run("client.mjs", url, token, *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    @contextmanager
    def server(self, token: str) -> Iterator[str]:
        """The address of the server; it ends with its standard input, so with this process too."""
        command = self.node.command("server.mjs", token)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().strip().rstrip("/")
        finally:
            process.communicate(timeout=10)
        assert process.returncode == 0, "it ends with its standard input"


@pytest.fixture(scope="session")
def foreign() -> Iterator[Foreign]:
    with node(HERE) as ready:
        yield Foreign(ready)
