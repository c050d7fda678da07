"""The kit's endpoint against llama.cpp's own server: same model file, same parameters, same prompt, in one run.

The peer is the kit's runner process reached directly, which is llama.cpp's server and nothing else. What the endpoint
adds is then the difference: a hop over HTTP and the translation to Ollama's shapes.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import ollama

from bench.measure import Ratio, in_turns
from helpers.inference.client import own_endpoint, processes
from helpers.inference.runner_config import RunnerConfig
from helpers.inference.store import Store
from helpers.settings import settings

WORDS = 96
ROUNDS = 8
FIRST_ROUNDS = 16
TEXTS = 256
SUBJECTS = ("a harbour", "a mountain village", "a railway station", "a market hall", "an orchard", "a lighthouse")
RECORDS = "\n".join(
    f"Bed {n}: patient P-{100 + n}, ward {n % 4}, pressure {110 + n}/{70 + n}, pulse {60 + n}, seen at 9:{10 + n}."
    for n in range(12)
)


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


def ratios() -> list[Ratio]:
    """Generation, time to first token and embedding, each against the bare server."""
    return [*_chat_ratios(), _embedding_ratio(), _speculation_ratio()]


def notes() -> list[str]:
    """Memory of the endpoint with both models loaded."""
    client = ollama.Client(own_endpoint())
    client.chat(settings().chat_model, [])
    client.embed(settings().embed_model, "x")
    sizes = [process.memory_info().rss for process in processes(own_endpoint())]
    return [f"Memory of the endpoint with both models loaded: {sum(sizes) / 2**30:.2f} GiB resident, weights included"]


def _chat_ratios() -> list[Ratio]:
    ours = ollama.Client(own_endpoint(), timeout=600)
    with bare_server(settings().chat_model, embedding=False) as bare:
        _ours_streamed(ours, "warm up")
        _bare_streamed(bare, "warm up")
        speed = in_turns(
            lambda turn: _ours_streamed(ours, _question(turn, "rate"))[0],
            lambda turn: _bare_streamed(bare, _question(turn, "rate"))[0],
            ROUNDS,
        )
        first = in_turns(
            lambda turn: _ours_streamed(ours, _question(turn, "first"), words=1)[1],
            lambda turn: _bare_streamed(bare, _question(turn, "first"), words=1)[1],
            FIRST_ROUNDS,
        )
    return [
        Ratio("tokens per second, wall clock", "1/s", speed, bound=0.97),
        Ratio("time to first streamed token", "s", first, bound=1.1, more_is_better=False),
    ]


def _question(turn: int, kind: str) -> str:
    return f"Note {kind} {turn}. Describe {SUBJECTS[turn % len(SUBJECTS)]} in a long paragraph."


def _ours_streamed(client: ollama.Client, question: str, words: int = WORDS) -> tuple[float, float]:
    """Tokens per second after the first, and seconds to the first."""
    options = {"temperature": 0, "num_predict": words, "top_k": 40, "top_p": 0.9, "min_p": 0.0}
    started, first = time.perf_counter(), 0.0
    messages = [{"role": "user", "content": question}]
    for part in client.chat(settings().chat_model, messages, stream=True, options=options):
        first = first or time.perf_counter()
        last = part
    return (last.eval_count or 0) / (time.perf_counter() - first), first - started


def _bare_streamed(client: httpx.Client, question: str, words: int = WORDS) -> tuple[float, float]:
    body = {
        "messages": [{"role": "user", "content": question}],
        "stream": True,
        "temperature": 0,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.0,
        "max_tokens": words,
    }
    started, first, tokens = time.perf_counter(), 0.0, 0
    with client.stream("POST", "/v1/chat/completions", json=body) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {"):
                event = json.loads(line.removeprefix("data: "))
                tokens = event.get("timings", {}).get("predicted_n", tokens)
                if event["choices"] and event["choices"][0]["delta"].get("content"):
                    first = first or time.perf_counter()
    return tokens / (time.perf_counter() - first), first - started


def _embedding_ratio() -> Ratio:
    texts = [
        f"Protocol {n}: staff check the {SUBJECTS[n % 6]} log, then note {n * 7} and sign it." for n in range(TEXTS)
    ]
    ours = ollama.Client(own_endpoint(), timeout=600)
    with bare_server(settings().embed_model, embedding=True) as bare:

        def through_endpoint(turn: int) -> float:
            started = time.perf_counter()
            vectors = ours.embed(settings().embed_model, [f"{turn} {text}" for text in texts]).embeddings
            return len(vectors) / (time.perf_counter() - started)

        def direct(turn: int) -> float:
            started = time.perf_counter()
            reply = bare.post("/v1/embeddings", json={"input": [f"{turn} {text}" for text in texts]})
            return len(reply.json()["data"]) / (time.perf_counter() - started)

        through_endpoint(-1), direct(-1)
        speed = in_turns(through_endpoint, direct, ROUNDS)
    return Ratio(f"embeddings per second, {TEXTS} texts a call", "1/s", speed, bound=0.95)


def _speculation_ratio() -> Ratio:
    """An answer that quotes its source, as agents' answers do, with and without n-gram speculation."""
    question = f"{RECORDS}\n\nRepeat the lines of the beds in ward 1 and ward 2, word for word."
    speeds = []
    for speculate in (True, False):
        with bare_server(settings().chat_model, embedding=False, speculate=speculate) as bare:
            _bare_streamed(bare, question, words=1)
            speeds.append(_bare_streamed(bare, question)[0])
    return Ratio("quoting, with speculation against without", "1/s", [(speeds[0], speeds[1])], bound=1.2)
