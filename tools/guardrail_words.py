"""Writes helpers/guardrails/words.npz: `python -m tools.guardrail_words`, some minutes with the kit's embedding model.

Each word of the model's vocabulary is embedded on its own, and the vectors are turned to their main directions,
shortened and rounded to a byte a number (the method of Model2Vec). The vocabulary is in the order
of how frequent its words are.
"""

import gguf
import numpy as np

from helpers.guardrails.embedding import site_embed
from helpers.guardrails.gate import WORDS
from helpers.inference.store import Store
from helpers.settings import settings

DIMENSIONS = 192


def main() -> None:
    store = Store()
    file = store.file(store.find(settings().embed_model))
    tokens = gguf.GGUFReader(file).fields["tokenizer.ggml.tokens"].contents()
    words = [token[1:] for token in tokens if token.startswith("▁") and token[1:].isascii() and token[1:].isalpha()]
    words = [word for word in words if len(word) > 1]
    write(words, site_embed(words))


def write(words: list[str], vectors: np.ndarray) -> None:
    """Shorten the vectors and save them."""
    centred = vectors - vectors.mean(axis=0)
    *_, directions = np.linalg.svd(centred, full_matrices=False)
    short = centred @ directions[:DIMENSIONS].T
    scale = 127 / np.abs(short).max()
    np.savez_compressed(WORDS, words=np.array(" ".join(words)), vectors=np.round(short * scale).astype(np.int8))
    print(f"{len(words)} words, {WORDS.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
