"""What is predicted for the workshop's endpoint is what its processes take, measured as resident memory.

The figures of `overhead` were fitted to such measurements; the cache, the weights and their copies were not.
"""

import ollama
import pytest

from helpers import inference
from helpers.inference.catalogue import catalogue
from helpers.sizing.memory import gib, needs

pytestmark = pytest.mark.model
PROMPT = "Count the words: " + "lorem ipsum dolor sit amet " * 200
CHAT = "qwen2.5-coder:1.5b"
TINY = "smollm2:135m"


@pytest.fixture
def client():
    client = ollama.Client(host=inference.endpoint())
    assert inference.is_kits_own(inference.endpoint())
    yield client
    for name in (CHAT, TINY):
        unload(client, name)


def unload(client, name):
    """Give its memory back, if it is loaded: the kit's endpoint would load it first to do so."""
    if any(model.model == name for model in client.ps().models):
        client.generate(name, keep_alive=0)


def resident(name):
    """Resident bytes of the runner that has mapped the model's file."""
    folder = name.replace(":", "--")
    return sum(
        process.memory_info().rss
        for process in inference.processes(inference.endpoint())
        if any(folder in mapped.path for mapped in process.memory_maps())
    )


def used(client, name, context):
    """Resident bytes after a short and a long prompt, loaded anew with so many tokens of context."""
    unload(client, name)
    for prompt in ("Hello", PROMPT):
        client.generate(name, prompt, options={"num_ctx": context, "num_predict": 8, "temperature": 0})
    return resident(name)


@pytest.mark.parametrize(("name", "context"), [(CHAT, 16384), (CHAT, 32768), (TINY, 8192)])
def test_a_chat_model_takes_what_is_predicted_within_ten_percent(client, name, context):
    memory = needs(name, catalogue()[name].quantization_level, context, engine="endpoint")
    measured = used(client, name, context)
    print(f"\n{memory}\nmeasured {gib(measured)}, predicted {memory.total / measured - 1:+.1%}")
    assert context >= catalogue()[name].context_length, "the endpoint gives no less"
    assert memory.total == pytest.approx(measured, rel=0.1)
    assert measured < memory.most


def test_the_difference_of_two_contexts_is_the_cache_s(client):
    short, long = (used(client, CHAT, context) for context in (16384, 32768))
    token = 28 * 2 * (128 + 128) * 2  # layers, pairs of heads, numbers of key and value, bytes
    assert long - short == pytest.approx(16384 * token, rel=0.05)


def test_the_embedding_model_takes_what_is_predicted_when_it_has_much_to_do(client):
    client.embed("all-minilm", [" ".join(["word"] * 400)] * 8)
    memory, measured = needs("all-minilm", context=512, engine="endpoint"), resident("all-minilm:latest")
    print(f"\n{memory}\nmeasured {gib(measured)}, predicted {memory.total / measured - 1:+.1%}")
    assert memory.total == pytest.approx(measured, rel=0.1)


def test_the_server_before_the_runners_is_small(client):
    client.ps()
    server = inference.processes(inference.endpoint())[0]
    assert server.memory_info().rss < 0.1 * needs(CHAT, context=16384, engine="endpoint").total
