"""The knowledge base of one site: what notebooks, agents and the command line use."""

from pathlib import Path

import pandas as pd
from opentelemetry.trace import get_tracer

from helpers.knowledge.documents import storable
from helpers.knowledge.embedder import Embedder
from helpers.knowledge.errors import CollectionUnusable
from helpers.knowledge.ingest import ingest_folder
from helpers.knowledge.report import Report
from helpers.knowledge.search import Mode, Passage, Where, search
from helpers.knowledge.store import Store

tracer = get_tracer(__name__)


class KnowledgeBase:
    """A collection of documents, embedded by the local model, in the PostgreSQL of this site.

        knowledge = KnowledgeBase("hospital")
        knowledge.ingest("data/hospital")
        passages = knowledge.search("Who answers 4410?", k=5, where={"kind": "protocols"})

    `language` names a text search configuration of PostgreSQL ('english', 'german', 'simple', ...).

    Raises:
        CollectionUnusable: the name is not allowed.
    """

    def __init__(self, name: str = "documents", language: str = "english") -> None:
        self.name, self.language = name, language
        self._store = Store(name)
        self._embedder: Embedder | None = None

    def ingest(self, folder: str | Path) -> Report:
        """Make the collection mirror `folder`; safe to repeat and to interrupt. Errors: `ingest_folder`."""
        return ingest_folder(self._store, Path(folder), self.language)

    def search(self, question: str, k: int = 5, mode: Mode = "fused", where: Where | None = None) -> list[Passage]:
        """The `k` best passages, best first.

        `mode` is 'dense', 'text' (BM25) or 'fused'. `where` restricts the search to documents with these metadata,
        such as {'author': 'Pharmacy', 'kind': ['protocols', 'policies']}; a list means any of them.

        Raises:
            CollectionUnusable: nothing was ingested yet, or with another embedding model.
            EmbeddingFailed: the model server does not answer.
            StoreFailed: the database does not answer.
            ValueError: the question is empty, `k` is less than 1, or there is no such mode.
        """
        question = storable(question)
        if not question.strip():
            raise ValueError("The question is empty.")
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least 1 passage.")
        about = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": self.name, "workshop.mode": mode}
        with tracer.start_as_current_span(f"retrieval {self.name}", attributes=about) as span:
            vector = self._embedding_model().embed([question])[0]
            passages = search(self._store, question, vector, k, mode, where)
            span.set_attribute("workshop.passages", len(passages))
        return passages

    def documents(self) -> pd.DataFrame:
        """One row a document: path, title, characters, chunks, and a column for each of the metadata that one has."""
        rows = self._store.rows(
            "select path, title, metadata, length(documents.text) as characters, count(chunks.id) as chunks "
            "from documents left join chunks on chunks.document = documents.id group by documents.id order by path"
        )
        fixed = pd.DataFrame(rows, columns=["path", "title", "characters", "chunks"])
        return fixed.join(pd.DataFrame([row["metadata"] for row in rows]))

    def text(self, path: str) -> str:
        """The whole text of one document, which a passage's `start` and `stop` count in.

        Raises:
            CollectionUnusable: there is no such document.
        """
        rows = self._store.rows("select text from documents where path = %(path)s", {"path": path})
        if not rows:
            raise CollectionUnusable(f"There is no document {path!r} in {self.name!r}.")
        return str(rows[0]["text"])

    def drop(self) -> None:
        """Delete the collection; the folder stays."""
        self._store.drop()

    def close(self) -> None:
        """Give the database connection back; the next search opens another."""
        self._store.close()

    def _embedding_model(self) -> Embedder:
        if self._embedder is None:
            embedder = Embedder()
            (about,) = self._store.rows("select model from about")
            if about["model"] != embedder.model:
                raise CollectionUnusable(
                    f"The collection {self.name!r} was embedded with {about['model']}, but questions would be with "
                    f"{embedder.model}. Set WORKSHOP_EMBED_MODEL={about['model']}, or ingest into another collection."
                )
            self._embedder = embedder
        return self._embedder
