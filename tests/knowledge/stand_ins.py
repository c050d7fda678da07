"""What stands in for the embedding model where a test is about the database."""

import hashlib
import sys
from functools import partial

import numpy as np

from helpers.knowledge.documents import from_text
from helpers.knowledge.sources import Source


class Embedder:
    """The same text gives the same vector, and another text another one."""

    model = "stand-in"

    def embed(self, texts):
        return np.asarray([list(hashlib.sha256(text.encode()).digest()[:8]) for text in texts], np.float32)


def source(path, text):
    """A document of one text for `ingest`."""
    return Source(path, hashlib.sha256(text.encode()).hexdigest(), partial(from_text, text))


def install():
    """Put the stand-in in the model's place, in this process; for scripts that tests run."""
    for module in ("helpers.knowledge.ingest", "helpers.knowledge.knowledge_base"):
        sys.modules[module].Embedder = Embedder


def content(store):
    """All that a collection holds, without the numbers that the database gives."""
    documents = "select path, hash, title, metadata, text from documents order by path"
    chunks = (
        "select path, start, stop, heading, page, chunks.text, words, embedding::text "
        "from chunks join documents on documents.id = document order by path, start"
    )
    postings = (
        "select path, start, term, count, postings.words from postings join chunks on chunks.id = chunk "
        "join documents on documents.id = document order by path, start, term"
    )
    return [store.rows(query) for query in (documents, chunks, postings, "select * from about")]
