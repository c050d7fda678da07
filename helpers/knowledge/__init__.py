"""Local RAG: documents, chunks, embeddings, an index in PostgreSQL, retrieval, and its measures.

Holds `KnowledgeBase`. Opens no connection but to the model server and the database.
May import: inference, sites, settings.
"""

from helpers.knowledge.errors import (
    CollectionUnusable,
    DataSetUnusable,
    DocumentRefused,
    EmbeddingFailed,
    FolderUnusable,
    KnowledgeError,
    StoreBusy,
    StoreFailed,
    StoreFull,
)
from helpers.knowledge.knowledge_base import KnowledgeBase
from helpers.knowledge.postgres import database_url
from helpers.knowledge.search import Passage

__all__ = [
    "CollectionUnusable",
    "DataSetUnusable",
    "DocumentRefused",
    "EmbeddingFailed",
    "FolderUnusable",
    "KnowledgeBase",
    "KnowledgeError",
    "Passage",
    "StoreBusy",
    "StoreFailed",
    "StoreFull",
    "database_url",
]
