"""What can go wrong in this room, one class per cause; the message says what happened, why, and what mends it."""


class KnowledgeError(Exception):
    """Base of this room's errors."""


class DocumentRefused(KnowledgeError):
    """One document cannot be taken; the rest can. The message is the reason that the report shows."""


class DocumentUnreadable(DocumentRefused):
    """A file or folder cannot be read now, but may be another time; what was taken from it stays."""


class FolderUnusable(KnowledgeError):
    """There is no such folder, or it holds nothing that can be read; the index stays as it was."""


class CollectionUnusable(KnowledgeError):
    """The collection is empty, was made with another model, or its name is not allowed."""


class StoreFailed(KnowledgeError):
    """PostgreSQL does not start, does not answer, or ended in the middle of the work."""


class StoreBusy(KnowledgeError):
    """Another process is writing to the collection."""


class StoreFull(KnowledgeError):
    """The disk of the database is full; what was committed stays."""


class EmbeddingFailed(KnowledgeError):
    """The model server does not answer or does not have the embedding model."""


class DataSetUnusable(KnowledgeError):
    """A folder is not in BEIR's layout, or a file of it or of questions cannot be read."""
