"""The `ollama` client, unmodified, against the kit's endpoint: it must not notice the difference."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import ollama
import psutil
import pytest
from pydantic import BaseModel

from helpers.inference import processes
from helpers.settings import settings
from tests.waiting import until

pytestmark = pytest.mark.model

CHAT, EMBED, TINY = "qwen2.5-coder:1.5b", "all-minilm", "smollm2:135m"
CALM = {"temperature": 0, "num_predict": 24}


@pytest.fixture
def client(own_endpoint):
    return ollama.Client(host=own_endpoint, timeout=120)


def user(text):
    return [{"role": "user", "content": text}]


def test_the_list_has_sizes_digests_and_details(client):
    listed = {model.model: model for model in client.list().models}
    assert {CHAT, TINY, f"{EMBED}:latest"} <= set(listed)
    assert listed[CHAT].size == 1117320768 and len(listed[CHAT].digest) == 64
    assert listed[CHAT].details.quantization_level == "Q4_K_M"


def test_show_tells_capabilities_template_and_metadata(client):
    shown = client.show(CHAT)
    assert shown.capabilities == ["completion", "tools"]
    assert "function" in shown.template and shown.license == "Apache-2.0"
    assert shown.modelinfo["qwen2.context_length"] == 32768


def test_a_chat_is_answered_with_counts_and_durations(client):
    reply = client.chat(TINY, user("Say hello."), options=CALM)
    assert reply.message.role == "assistant" and reply.message.content
    assert reply.done and reply.done_reason in ("stop", "length")
    assert 0 < reply.eval_count <= 24 and reply.prompt_eval_count > 5
    assert reply.total_duration >= reply.eval_duration > 0


def test_a_streamed_chat_has_the_same_text_in_pieces(client):
    whole = client.chat(TINY, user("Count to five."), options=CALM)
    parts = list(client.chat(TINY, user("Count to five."), options=CALM, stream=True))
    assert "".join(part.message.content for part in parts) == whole.message.content
    assert len(parts) > 3 and [part.done for part in parts[:-1]] == [False] * (len(parts) - 1) and parts[-1].done


def test_num_predict_ends_an_answer_for_its_length(client):
    reply = client.chat(TINY, user("Tell a long story."), options={"temperature": 0, "num_predict": 5})
    assert reply.eval_count == 5 and reply.done_reason == "length"


def test_stop_words_end_an_answer(client):
    reply = client.generate(TINY, "A B C D", raw=True, options=CALM | {"stop": ["F"]})
    assert "F" not in reply.response and reply.done_reason == "stop"


def test_a_seed_makes_a_hot_answer_repeatable(client):
    def ask(seed):
        options = {"temperature": 1.5, "seed": seed, "num_predict": 12}
        return client.generate(TINY, "The sea is", options=options).response

    ask(1)  # the first answer computes the prompt, later ones find it cached
    assert ask(1) == ask(1)
    assert len({ask(seed) for seed in (1, 2, 3, 4)}) > 1


def test_generate_answers_streamed_and_with_a_system_prompt(client):
    parts = list(client.generate(TINY, "Hello", system="You are brief.", stream=True, options=CALM))
    assert "".join(part.response for part in parts) and parts[-1].eval_count > 0


def test_code_is_filled_in_between_prefix_and_suffix(client):
    options = {"temperature": 0, "num_predict": 8}
    reply = client.generate(CHAT, "def add(a, b):\n    return ", suffix="\n\nprint(add(1, 2))", options=options)
    assert reply.response.strip().startswith("a + b")


def test_no_messages_load_the_model_and_keep_alive_zero_unloads_it(client):
    assert client.chat(TINY, []).done_reason == "load"
    running = {model.model: model for model in client.ps().models}
    assert running[TINY].size > 90e6 and running[TINY].context_length == 8192
    assert client.generate(TINY, keep_alive=0).done_reason == "unload"
    until(lambda: TINY not in {model.model for model in client.ps().models})


def test_a_json_schema_binds_the_answer(client):
    class City(BaseModel):
        city: str
        inhabitants: int

    reply = client.chat(
        TINY, user("Name a city."), format=City.model_json_schema(), options={"num_predict": 80, "seed": 1}
    )
    City.model_validate_json(reply.message.content)


def test_json_format_binds_the_answer(client):
    reply = client.chat(
        CHAT, user("Give the colours of a traffic light as JSON."), format="json", options={"temperature": 0}
    )
    assert isinstance(json.loads(reply.message.content), dict | list)


def test_embeddings_reproduce_the_model_cards_example(client):
    texts = ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    first, *others = client.embed(EMBED, texts).embeddings
    products = [sum(a * b for a, b in zip(first, other, strict=True)) for other in others]
    assert products == pytest.approx([0.695, 0.943, 0.257], abs=0.002)  # all-MiniLM-L6-v2's model card


def test_embed_and_embeddings_agree_and_dimensions_shorten(client):
    new = client.embed(EMBED, "harbour")
    assert new.prompt_eval_count > 2 and len(new.embeddings[0]) == 384
    assert client.embeddings(EMBED, "harbour").embedding == pytest.approx(new.embeddings[0])
    short = client.embed(EMBED, "harbour", dimensions=64).embeddings[0]
    assert len(short) == 64 and sum(x * x for x in short) == pytest.approx(1)


def test_no_text_gives_no_embedding(client):
    assert client.embed(EMBED, []).embeddings == []


def test_a_text_longer_than_the_context_is_cut_unless_that_is_forbidden(client):
    long = "edge " * 2000
    assert len(client.embed(EMBED, ["short", long]).embeddings) == 2
    with pytest.raises(ollama.ResponseError, match="exceeds the context length") as refusal:
        client.embed(EMBED, long, truncate=False)
    assert refusal.value.status_code == 400


def test_a_model_without_a_template_for_tools_refuses_them_in_ollamas_words(client):
    with pytest.raises(ollama.ResponseError, match="does not support tools") as refusal:
        client.chat(TINY, user("x"), tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}])
    assert refusal.value.status_code == 400


def test_an_embedding_model_refuses_to_chat(client):
    with pytest.raises(ollama.ResponseError, match="does not support chat"):
        client.chat(EMBED, user("x"))


def test_a_chat_model_refuses_to_embed(client):
    with pytest.raises(ollama.ResponseError, match="does not support embeddings"):
        client.embed(TINY, "x")


def test_thinking_and_images_are_refused_by_a_model_without(client):
    with pytest.raises(ollama.ResponseError, match="does not support thinking"):
        client.chat(TINY, user("x"), think=True)
    with pytest.raises(ollama.ResponseError, match="does not support images"):
        client.chat(TINY, [{"role": "user", "content": "x", "images": [b"\x89PNG"]}])


def test_an_unknown_option_is_refused_with_the_nearest(client):
    with pytest.raises(ollama.ResponseError, match="did you mean temperature"):
        client.chat(TINY, user("x"), options={"temprature": 1})


def test_a_prompt_of_a_megabyte_is_refused_with_its_length(client):
    with pytest.raises(ollama.ResponseError, match=r"exceeds the context length: \d+ tokens, the context holds 8192"):
        client.chat(TINY, user("hospital " * 120_000))


def test_more_context_than_the_model_was_trained_for_is_refused(client):
    with pytest.raises(ollama.ResponseError, match="the most is 8192"):
        client.chat(TINY, user("x"), options={"num_ctx": 100_000})


def test_pulling_what_is_here_succeeds_at_once(client):
    assert client.pull(TINY).status == "success"
    statuses = [progress.status for progress in client.pull(TINY, stream=True)]
    assert statuses == ["pulling manifest", "success"]


def test_requests_at_once_are_answered_each_with_its_own(own_endpoint):
    client = ollama.AsyncClient(host=own_endpoint, timeout=120)

    async def spell(word):
        reply = await client.chat(
            CHAT, user(f"Repeat this word only: {word}"), options={"temperature": 0, "num_predict": 8}
        )
        return word in reply.message.content.lower()

    async def all_of_them():
        return await asyncio.gather(
            *(spell(word) for word in ("banana", "violin", "harbour", "copper", "winter", "castle"))
        )

    assert all(asyncio.run(all_of_them()))


def test_more_context_is_given_and_an_answer_under_way_is_finished_first(client):
    client.chat(CHAT, [])
    options = {"temperature": 0, "num_predict": 40}
    stream = client.chat(CHAT, user("Count from one to fifty in words."), stream=True, options=options)
    next(stream)
    with ThreadPoolExecutor(1) as pool:
        grown = pool.submit(client.chat, CHAT, user("Hi"), options={"num_ctx": 20_000, "num_predict": 3})
        assert list(stream)[-1].eval_count == 40
        assert grown.result().done
    assert {model.model: model.context_length for model in client.ps().models}[CHAT] == 20_000


def test_no_prompt_is_in_the_endpoints_log(client):
    client.chat(TINY, user("The password is xyzzy-plugh."), options=CALM)
    with pytest.raises(ollama.ResponseError):
        client.chat(TINY, user("xyzzy-plugh " * 20_000))
    assert "plugh" not in (settings().cache_dir / "endpoint" / "server.log").read_text()


def test_a_client_that_goes_away_stops_the_work(own_endpoint):
    options = {"temperature": 0, "num_predict": 4000, "stop": []}
    body = {"model": TINY, "messages": user("Write a very long story."), "options": options}
    with httpx.stream("POST", f"{own_endpoint}/api/chat", json=body, timeout=60) as reply:
        next(reply.iter_lines())
    assert_idle(own_endpoint)


def test_a_client_that_goes_away_before_the_first_token_stops_the_work(own_endpoint):
    ollama.Client(host=own_endpoint).chat(CHAT, [])
    body = {"model": CHAT, "stream": False, "messages": user("Summarise: " + "patient beds ward " * 3000)}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{own_endpoint}/api/chat", json=body, timeout=httpx.Timeout(10, read=1))
    assert_idle(own_endpoint)


def assert_idle(url):
    """The runners stop computing: within the wait there is half a second in which they use nearly no processor."""
    runners = [process for process in processes(url) if "helpers.inference.runner" in process.cmdline()]
    assert runners
    for runner in runners:
        runner.cpu_percent()
    pause = threading.Event()
    until(lambda: pause.wait(0.5) or max(runner.cpu_percent() for runner in runners) < 20, seconds=30)


def test_a_runner_that_is_killed_ends_the_stream_with_a_reason_and_the_next_request_works(client, own_endpoint):
    client.chat(TINY, [])
    stream = client.chat(TINY, user("Write a very long story."), stream=True, options={"num_predict": 4000})
    next(stream)
    size = {model.model: model.size for model in client.ps().models}[TINY]
    runner = min(
        (process for process in processes(own_endpoint) if "helpers.inference.runner" in process.cmdline()),
        key=lambda process: abs(process.memory_info().rss - size),
    )
    runner.kill()
    with pytest.raises(ollama.ResponseError, match="ended unexpectedly"):
        list(stream)
    assert client.chat(TINY, user("Say hello."), options=CALM).message.content
    assert not psutil.pid_exists(runner.pid) or runner.status() == psutil.STATUS_ZOMBIE
