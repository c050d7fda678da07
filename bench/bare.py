"""llama.cpp's own server and nothing else: the kit's runner process, reached directly."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from helpers.inference.runner_config import RunnerConfig
from helpers.inference.store import Store


@contextlib.contextmanager
def bare_server(name: str, embedding: bool, speculate: bool = True) -> Iterator[httpx.Client]:
    """llama.cpp's own server for the model `name`, as the engine would start it, with a client that talks to it."""
    store = Store()
    model = store.find(name)
    folder = Path(tempfile.mkdtemp(prefix="workshop-bench-"))
    config = RunnerConfig.of(model, store.file(model), folder / "llama.sock", embedding, model.context_length)
    config.speculate = speculate
    command = [sys.executable, "-m", "helpers.inference.runner"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        process.stdin.write(config.model_dump_json() + "\n")
        process.stdin.flush()
        assert process.stdout.readline(), "llama.cpp did not start"
        transport = httpx.HTTPTransport(uds=str(config.socket), limits=httpx.Limits(max_keepalive_connections=0))
        try:
            with httpx.Client(transport=transport, base_url="http://runner", timeout=600) as client:
                yield client
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)
