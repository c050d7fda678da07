"""Chroma behind JSON lines, for `bench.knowledge`; runs in `.venv-bench`, which holds chromadb and nothing of the kit.

`{"fill": folder}` makes a collection of `vectors.npy` and `texts.json` in that folder, and takes `queries.npy` as its
questions; `{"query": row, "k": 5}` asks one of them. Each answer is a line: the seconds in Chroma, and the rows found.
"""

import json
import sys
import time
from pathlib import Path

import chromadb
import numpy as np
from chromadb.config import Settings


def main(store: str) -> None:
    client = chromadb.PersistentClient(store, Settings(anonymized_telemetry=False))
    for line in sys.stdin:
        request, found = json.loads(line), []
        started = time.perf_counter()
        if "fill" in request:
            collection = filled(client, Path(request["fill"]))
            queries = np.load(Path(request["fill"], "queries.npy"))
        else:
            found = collection.query(query_embeddings=[queries[request["query"]]], n_results=request["k"])["ids"][0]
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "rows": [int(name) for name in found]}), flush=True)


def filled(client: chromadb.ClientAPI, folder: Path) -> chromadb.Collection:
    """A collection named like `folder`, with Chroma's own settings but for cosine; ids count the rows from 0."""
    vectors, texts = np.load(folder / "vectors.npy"), json.loads((folder / "texts.json").read_text())
    cosine = {"hnsw": {"space": "cosine"}}
    collection = client.create_collection(folder.name, configuration=cosine, embedding_function=None)
    step = client.get_max_batch_size()
    for start in range(0, len(texts), step):
        rows = range(start, min(start + step, len(texts)))
        collection.add([str(row) for row in rows], embeddings=vectors[rows], documents=texts[start : rows.stop])
    return collection


if __name__ == "__main__":
    main(sys.argv[1])
