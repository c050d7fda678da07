"""The suite's own corner of the machine: the models that are here, an endpoint and a state of its own."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from helpers.settings import settings

MODELS = settings().cache_dir / "models"
CACHE = Path(tempfile.mkdtemp(prefix="workshop-tests-"))
OURS = "TEST_RUN_OF_WORKSHOP"  # in the environment of each process that this run starts


def pytest_configure() -> None:
    """No test may disturb the notebooks that someone has open, nor use their Ollama."""
    (CACHE / "models").symlink_to(MODELS)
    os.environ["WORKSHOP_CACHE_DIR"] = os.environ[OURS] = str(CACHE)
    settings.cache_clear()


def pytest_unconfigure() -> None:
    from helpers import inference
    from helpers.knowledge import postgres

    inference.stop()
    postgres.stop()
    shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture(autouse=True, scope="session")
def own_endpoint() -> Iterator[str]:
    """The kit's endpoint of this run. Notebooks under nbval inherit the variable, so they use it too."""
    from helpers.inference.client import own_endpoint

    url = own_endpoint()
    os.environ["WORKSHOP_OLLAMA_URL"] = os.environ["WORKSHOP_LLAMACPP_URL"] = os.environ["WORKSHOP_VLLM_URL"] = url
    settings.cache_clear()
    yield url


@pytest.fixture
def no_survivors() -> Iterator[None]:
    """Fails when a test leaves a process behind; ends it, by its id."""
    before = {process.pid for process in _ours()}
    yield
    left = [process for process in _ours() if process.pid not in before]
    names = [" ".join(process.cmdline()) for process in left]
    for process in left:
        process.send_signal(signal.SIGKILL)
    assert not names


def _ours() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if (
                any("helpers." in word or word.endswith("/postgres") for word in process.cmdline())
                and process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(OURS) == str(CACHE)  # others may be at work, or testing, on this machine
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture(params=["legacy", "auto"], ids=["2025-11-25", "2026-07-28"])
def era(request: pytest.FixtureRequest) -> str:
    """The mode of an MCP client with a session, and of one without."""
    return str(request.param)
