"""Sentences into vectors at the model server of this site, a few at a time, and those seen lately from memory."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache

import httpx
import numpy as np
import ollama
from numpy.typing import NDArray

from helpers.guardrails.errors import CheckFailed
from helpers.inference import endpoint
from helpers.settings import settings

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
BATCH = 64
SECONDS = 60.0  # of one batch; without an answer by then, the check has failed


def site_embed(texts: Sequence[str]) -> Vectors:
    """One vector of length 1 a text, of the kit's embedding model: an array of shape (texts, dimensions).

    Raises:
        CheckFailed: the server does not answer or does not have the model.
    """
    model = settings().embed_model
    try:
        try:
            vectors = _embedded(model, texts)
        except (httpx.HTTPError, ConnectionError):  # it may have ended, and started elsewhere
            _client.cache_clear()
            vectors = _embedded(model, texts)
    except (ollama.ResponseError, httpx.HTTPError, ConnectionError) as error:
        raise CheckFailed(
            f"The embedding model {model} does not answer ({error}), so that the meaning of the text is not known. "
            "Look for what is wrong: make doctor"
        ) from error
    return np.asarray(vectors, np.float32)


def _embedded(model: str, texts: Sequence[str]) -> list[Sequence[float]]:
    batches = (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
    return [vector for batch in batches for vector in _client().embed(model, batch).embeddings]


@lru_cache(maxsize=1)
def _client() -> ollama.Client:
    """Kept, for to find the server and make a client takes longer than to embed a sentence."""
    return ollama.Client(endpoint(), timeout=SECONDS)


class Remembered:
    """`embed` that keeps the vectors of the last `most` texts: documents that ground answers come again and again."""

    def __init__(self, embed: Embed, most: int = 4096) -> None:
        self._embed, self._most = embed, most
        self._vectors = OrderedDict[str, Vectors]()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """As `embed`.

        Raises:
            CheckFailed: what came back are not as many vectors.
        """
        found = {text: self._vectors[text] for text in texts if text in self._vectors}
        if new := [text for text in dict.fromkeys(texts) if text not in found]:
            vectors = self._embed(new)
            if len(vectors) != len(new) or not np.isfinite(vectors).all():
                raise CheckFailed(
                    f"The embedding of {len(new)} texts is not whole. Look at the embedding server's log."
                )
            found.update(zip(new, vectors, strict=True))
            self._keep(found)
        return np.stack([found[text] for text in texts]) if texts else np.zeros((0, 1), np.float32)

    def _keep(self, found: dict[str, Vectors]) -> None:
        for text, vector in list(found.items())[-self._most :]:
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
        while len(self._vectors) > self._most:
            self._vectors.popitem(last=False)
