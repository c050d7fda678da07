"""How surprised a model is by a text: perplexity, over llama.cpp's HTTP API.

    before = perplexity("qwen2.5-coder:1.5b", texts)
    after = perplexity("qwen2.5-coder:1.5b-q4_0", texts)
    print(before.value, ratio(before, after))

llama.cpp's server tells no probabilities of a prompt, only of what it generates. So each token is generated: given all
tokens before it in its text, one token is asked for, and a bias of 100 on the true one makes it win. The probability
that the server tells beside it is of the logits before any bias. A text of n tokens takes n requests, each of which
computes one token, for the rest is in the cache.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from helpers.evaluation.errors import ModelFailed
from helpers.inference import endpoint

TOKENS = 256  # of each text
BIAS = 100.0
AT_ONCE = 4  # texts; the endpoint decodes so many requests together
Z = 1.96  # of a 95 % interval
SECONDS = 120.0


@dataclass(frozen=True)
class Perplexity:
    """The log-probabilities (natural logarithm) of all tokens but the first of each text, in their order."""

    log_probabilities: tuple[float, ...] = field(repr=False)

    @property
    def value(self) -> float:
        """The perplexity: 1 is a text foretold, 2 is one coin toss a token."""
        return math.exp(-_mean(self.log_probabilities))

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, were the tokens drawn independently; neighbours are not, so it is rather wider."""
        return _interval([-each for each in self.log_probabilities])

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.2f} ({low:.2f} to {high:.2f}, {len(self.log_probabilities)} tokens)"


def perplexity(model: str, texts: Sequence[str], tokens: int = TOKENS, url: str | None = None) -> Perplexity:
    """The perplexity of `model` on the first `tokens` tokens of each of `texts`, each read by itself.

    Raises:
        ValueError: no text has two tokens.
        ModelFailed: the server does not answer, has no such model, or is not llama.cpp's.
    """
    with httpx.Client(base_url=url or endpoint("llamacpp"), timeout=SECONDS, trust_env=False) as client:
        read = [_post(client, "/tokenize", {"model": model, "content": text})["tokens"][:tokens] for text in texts]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda ids: _log_probabilities(client, model, ids), read))
    every = tuple(each for text in found for each in text)
    if not every:
        raise ValueError("No text has two tokens, so there is nothing to foretell.")
    return Perplexity(every)


def ratio(before: Perplexity, after: Perplexity) -> tuple[float, float, float]:
    """The perplexity `after` by that `before`, and its 95 % interval; over the same tokens, which makes it narrow.

    Raises:
        ValueError: they are not of the same tokens.
    """
    pairs = zip(before.log_probabilities, after.log_probabilities, strict=True)
    differences = [one - other for one, other in pairs]
    return math.exp(_mean(differences)), *_interval(differences)


def _log_probabilities(client: httpx.Client, model: str, ids: list[int]) -> list[float]:
    return [_log_probability(client, model, ids[:end], ids[end]) for end in range(1, len(ids))]


def _log_probability(client: httpx.Client, model: str, before: list[int], token: int) -> float:
    asked = {"model": model, "prompt": before, "max_tokens": 1, "temperature": 0, "logprobs": 1}
    answer = _post(client, "/v1/completions", asked | {"logit_bias": {str(token): BIAS}})
    try:
        (told,) = answer["choices"][0]["logprobs"]["content"]
        found, probability = told["id"], told["logprob"]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelFailed(
            f"The server tells no log-probabilities of {model}: it is not llama.cpp's. {REMEDY}"
        ) from error
    if found != token:
        raise ModelFailed(f"{model} answered with another token than the one with a bias of {BIAS:g}. {REMEDY}")
    return float(probability)


REMEDY = "Set WORKSHOP_LLAMACPP_URL to a llama.cpp server."


def _post(client: httpx.Client, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        reply = client.post(path, json=asked)
    except httpx.HTTPError as error:
        raise ModelFailed(f"{client.base_url} does not answer ({type(error).__name__}). {REMEDY}") from error
    if reply.status_code != 200:
        raise ModelFailed(f"{client.base_url} refused {path} for {asked['model']}: {reply.text[:300]}")
    answer: dict[str, Any] = reply.json()
    return answer


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the exponential of a mean."""
    mean, n = _mean(values), len(values)
    spread = math.sqrt(sum((each - mean) ** 2 for each in values) / max(n - 1, 1) / n)
    return math.exp(mean - Z * spread), math.exp(mean + Z * spread)
