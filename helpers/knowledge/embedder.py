"""Texts into vectors, at the model server of this site."""

from collections.abc import Sequence

import httpx
import numpy as np
import ollama
from numpy.typing import NDArray

from helpers.inference import endpoint
from helpers.knowledge.errors import EmbeddingFailed
from helpers.settings import settings

BATCH = 64

Vectors = NDArray[np.float32]


class Embedder:
    """The embedding model behind Ollama's API; `model` names it."""

    def __init__(self) -> None:
        self.model = settings().embed_model
        self._client = ollama.Client(endpoint(), timeout=600)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector a text, as an array of shape (texts, dimensions).

        Raises:
            EmbeddingFailed: the server does not answer or does not have the model.
        """
        batches = (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
        try:
            vectors = [vector for batch in batches for vector in self._client.embed(self.model, batch).embeddings]
        except ollama.ResponseError as error:
            raise EmbeddingFailed(f"{error.error}. Fetch the model: python -m helpers.inference pull") from error
        except (httpx.HTTPError, ConnectionError) as error:
            raise EmbeddingFailed(
                f"The embedding model at {endpoint()} does not answer ({error}). Look for what is wrong: make doctor"
            ) from error
        return np.asarray(vectors, np.float32)
