"""What the engine does when a model cannot be loaded. No weights are needed for these."""

import asyncio
from collections import namedtuple

import gguf
import pytest

from helpers.inference import NoSpace, RunnerFailed, engine
from helpers.inference.engine import Engine
from helpers.inference.store import Store


@pytest.fixture
def strange(tmp_path):
    """A store with a well-formed GGUF file of an architecture that llama.cpp does not know."""
    path = tmp_path / "strange.gguf"
    writer = gguf.GGUFWriter(path, "perpetuum")
    writer.add_context_length(64)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    store = Store(tmp_path / "models")
    store.add(path)
    return store


async def load(store, log):
    subject = Engine(store, log)
    try:
        async with subject.use(store.find("strange"), "chat"):
            pass
    finally:
        left = dict(subject.runners)
        await subject.close()
        assert left == {}, "nothing is kept of a model that did not load"


def test_a_file_that_llama_cpp_does_not_accept_is_told_with_the_log(strange, tmp_path, no_survivors):
    log = tmp_path / "endpoint.log"
    with pytest.raises(RunnerFailed, match=r"llama.cpp does not accept .*strange.*The reason is in"):
        asyncio.run(load(strange, log))
    assert "perpetuum" in log.read_text()


def test_a_model_that_does_not_fit_into_memory_is_not_tried(strange, tmp_path, monkeypatch):
    memory = namedtuple("memory", "available")
    monkeypatch.setattr(engine.psutil, "virtual_memory", lambda: memory(0))
    with pytest.raises(NoSpace, match=r"requires more system memory .* than is available"):
        asyncio.run(load(strange, tmp_path / "endpoint.log"))
