"""Texts to vectors, with Ollama's rules: long texts are cut, vectors can be shortened."""

import time

from pydantic_core import from_json

from helpers.inference import wire
from helpers.inference.catalogue import Model
from helpers.inference.engine import Engine, Runner
from helpers.inference.errors import BadRequest
from helpers.inference.http import post, refusal, too_long
from helpers.inference.shapes import EmbedRequest

EMBEDDINGS = "/v1/embeddings"


async def embed(engine: Engine, asked: EmbedRequest, texts: list[str]) -> tuple[list[list[float]], int, int]:
    """The vectors of `texts` (each of length 1), the tokens read, and the nanoseconds spent on loading the model.

    Raises:
        ModelNotFound: the model is not here.
        BadRequest: the model does not embed, or a text is too long and may not be cut.
    """
    model = engine.store.find(asked.model)
    check_embeds(model)
    wire.sampling(asked.options)  # refuses what is misspelt
    started = time.perf_counter_ns()
    async with engine.use(model, "embed", keep_alive=wire.seconds(asked.keep_alive)) as runner:
        load = time.perf_counter_ns() - started
        if not texts:
            return [], 0, load
        response = await post(runner, EMBEDDINGS, {"input": texts})
        if response.status_code != 200:
            response = await post(
                runner, EMBEDDINGS, {"input": [await _fitting(runner, t, asked.truncate) for t in texts]}
            )
        if response.status_code != 200:
            raise BadRequest(refusal(response.content))
    answer = from_json(response.content)  # many floats, and Python's own json is slow at them
    vectors = [entry["embedding"] for entry in sorted(answer["data"], key=lambda entry: entry["index"])]
    return [_shortened(vector, asked.dimensions) for vector in vectors], answer["usage"]["prompt_tokens"], load


def check_embeds(model: Model) -> None:
    """Refuse embeddings of a model that is not made for them.

    Raises:
        BadRequest: it is not.
    """
    if "embedding" not in model.capabilities:
        raise BadRequest(f'"{model.name}" does not support embeddings')


async def _fitting(runner: Runner, text: str, truncate: bool) -> str | list[int]:
    """`text`, or its first tokens where it is longer than the context."""
    if len(text) < runner.n_ctx:  # a token is at least one character
        return text
    reply = await post(runner, "/tokenize", {"content": text, "add_special": True})
    tokens = list(reply.json()["tokens"])
    if len(tokens) <= runner.n_ctx:
        return text
    if not truncate:
        raise BadRequest(too_long(len(tokens), runner.n_ctx))
    return tokens[: runner.n_ctx - 1] + tokens[-1:]  # the last one closes the sequence


def _shortened(vector: list[float], dimensions: int | None) -> list[float]:
    if not dimensions or dimensions >= len(vector):
        return vector
    head = vector[:dimensions]
    length = sum(x * x for x in head) ** 0.5 or 1.0
    return [x / length for x in head]
