"""Chroma, the peer of `bench.knowledge`: in an environment and a process of its own, with vectors that are given."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench import environment
from helpers.knowledge.embedder import Vectors
from helpers.settings.settings import ROOT

ENVIRONMENT = ROOT / ".venv-bench"
VERSION = "chromadb==1.5.9"


class Chroma:
    """Chroma in a process of its own, which tells how long each query took it: the pipe does not count."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder

    def fill(self, name: str, vectors: Vectors, texts: list[str], queries: Vectors) -> float:
        """Make the collection `name`, which `search` then asks; the seconds that it took."""
        folder = self._folder / name
        folder.mkdir()
        np.save(folder / "vectors.npy", vectors)
        np.save(folder / "queries.npy", queries)
        (folder / "texts.json").write_text(json.dumps(texts))
        return float(self._ask(fill=str(folder))["seconds"])

    def search(self, query: int, k: int) -> tuple[list[int], float]:
        """The rows nearest to the query of that number, and seconds."""
        answer = self._ask(query=query, k=k)
        return answer["rows"], answer["seconds"]

    def _ask(self, **request: object) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "Chroma ended; what it said is above"
        return json.loads(answer)


@contextlib.contextmanager
def chroma() -> Iterator[Chroma | None]:
    """Chroma with an empty folder, or None where it cannot be installed."""
    if missing():
        yield None
        return
    command = [str(ENVIRONMENT / "bin" / "python"), str(Path(__file__).with_name("chroma_peer.py"))]
    with (
        tempfile.TemporaryDirectory(prefix="bench_") as folder,
        subprocess.Popen([*command, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            yield Chroma(process, Path(folder))
        finally:
            process.kill()
            process.wait()  # before its folder is deleted


def missing() -> str:
    """Why Chroma cannot be run, after an attempt to install it; empty when it can."""
    return environment.missing(ENVIRONMENT, VERSION)
