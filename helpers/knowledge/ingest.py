"""A folder into a collection: what is new or changed is taken, what is gone is removed, the rest is left alone.

Documents are written in batches, each in one transaction: whenever the process ends, every document is in the
collection completely, as it was before, or not at all, and the next ingest goes on from there.
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from pgvector import HalfVector
from psycopg.types.json import Jsonb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from helpers.knowledge import chunks
from helpers.knowledge.chunks import Chunk
from helpers.knowledge.documents import LONGEST_NAME, Document, storable
from helpers.knowledge.embedder import BATCH, Embedder, Vectors
from helpers.knowledge.errors import CollectionUnusable, DocumentRefused, FolderUnusable
from helpers.knowledge.report import Report
from helpers.knowledge.sources import Source, distinct, sources
from helpers.knowledge.store import Connection, Store, line


@dataclass(frozen=True)
class Prepared:
    """A document on its way into the database."""

    source: Source
    document: Document
    chunks: list[Chunk]


def ingest_folder(store: Store, folder: Path, language: str) -> Report:
    """Make the collection mirror `folder`.

    Raises:
        FolderUnusable: there is no such folder, or nothing in it can be read; the collection stays as it was.
        CollectionUnusable: the collection was made with another model or language.
        EmbeddingFailed, StoreBusy, StoreFull, StoreFailed: see there; what was committed stays.
    """
    report = Report()
    found = list(sources(folder, report))
    if not found:
        raise FolderUnusable(f"Nothing in {folder} can be read, so the collection was left alone. {report.reasons()}")
    return ingest(store, found, language, report, copies=False)


def ingest(store: Store, found: list[Source], language: str, report: Report, copies: bool = True) -> Report:
    """Make the collection hold exactly what was `found`, with or without copies; see `ingest_folder`."""
    embedder = Embedder()
    with store.writing() as connection:
        known = _known(store, connection, embedder, language)
        found = found if copies else list(distinct(found, known, report))
        wanted = [source for source in found if known.get(source.path) != source.hash]
        report.unchanged += sorted({source.path for source in found} - {source.path for source in wanted})
        for batch in _batches(_prepared(wanted, report, known)):
            vectors = embedder.embed([chunk.in_context for document in batch for chunk in document.chunks])
            with connection.transaction():
                written = _write(connection, batch, vectors, report, known)
            for one in written:
                report.take(one.source.path, [one.document.note, one.source.note], len(one.chunks))
        if not (report.taken or report.unchanged):
            raise FolderUnusable(f"Nothing can be read, so the collection was left alone. {report.reasons()}")
        gone = sorted(path for path in known.keys() - {source.path for source in found} if not report.stays(path))
        connection.execute("delete from documents where path = any(%s)", [gone])
        connection.execute("update about set (chunks, words) = (select count(*), coalesce(sum(words), 0) from chunks)")
        # Vacuumed, postings are read from their index alone: a search by words takes a fifth of the time.
        connection.execute("vacuum (analyze) chunks, postings")
    report.removed += gone
    report.seconds = time.perf_counter() - report.started
    return report


def _known(store: Store, connection: Connection, embedder: Embedder, language: str) -> dict[str, str]:
    """The hash of each document in the collection, which is made if it is not there."""
    if not store.exists():
        store.create(connection, embedder.model, embedder.embed(["x"]).shape[1], language)
    (about,) = connection.execute("select model, language::text from about").fetchall()
    if (about["model"], about["language"]) != (embedder.model, language):
        raise CollectionUnusable(
            f"The collection {store.name!r} was made with {about['model']} for {about['language']}, not with "
            f"{embedder.model} for {language}. Use another name, or: python -m helpers.knowledge drop {store.name}"
        )
    return {row["path"]: row["hash"] for row in connection.execute("select path, hash from documents")}


def _prepared(wanted: list[Source], report: Report, known: dict[str, str]) -> Iterator[Prepared]:
    columns = (TextColumn("reading and embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not wanted) as bars:
        for source in bars.track(wanted):
            try:
                document = _storable(source.load())
                pieces = list(chunks.split(document))
                if not pieces:
                    raise DocumentRefused("it has headings only" if document.text.strip() else "there is no text in it")
            except (DocumentRefused, OSError) as error:
                report.refuse(source.path, error, stays=source.path in known)
                continue
            yield Prepared(source, document, pieces)


def _storable(document: Document) -> Document:
    """The document with what a database can hold of it, and names that leave room for the text below them."""
    sections = [replace(one, heading=storable(one.heading)[:LONGEST_NAME]) for one in document.sections]
    metadata = {name: storable(value) for name, value in document.metadata.items()}
    title = storable(document.title)[:LONGEST_NAME]
    return replace(document, text=storable(document.text), sections=sections, title=title, metadata=metadata)


def _batches(prepared: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Documents until their chunks fill a request to the model."""
    batch: list[Prepared] = []
    for one in prepared:
        batch.append(one)
        if sum(len(document.chunks) for document in batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _write(
    connection: Connection, batch: list[Prepared], vectors: Vectors, report: Report, known: dict[str, str]
) -> list[Prepared]:
    """Those of `batch` that the database takes, in place of their earlier versions; runs in a transaction."""
    rest, written = iter(vectors), []
    for one in batch:
        mine = list(itertools.islice(rest, len(one.chunks)))
        try:
            with connection.transaction():  # one document must not stop the others
                _replace(connection, one, mine)
        except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
            reason = DocumentRefused(f"the database refuses it: {line(error)}")
            report.refuse(one.source.path, reason, stays=one.source.path in known)
        else:
            written.append(one)
    return written


def _replace(connection: Connection, one: Prepared, vectors: list[Vectors]) -> None:
    connection.execute("delete from documents where path = %s", [one.source.path])
    row = (one.source.path, one.source.hash, one.document.title, Jsonb(one.document.metadata), one.document.text)
    made = connection.execute(
        "insert into documents (path, hash, title, metadata, text) values (%s, %s, %s, %s, %s) returning id", row
    ).fetchone()
    assert made
    values = [
        {"document": made["id"], "context": chunk.in_context, "embedding": HalfVector(vector), **vars(chunk)}
        for chunk, vector in zip(one.chunks, vectors, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_CHUNK, values)


INSERT_CHUNK = """
with terms as materialized (
    select lexeme, cardinality(positions) as count
    from unnest(to_tsvector((select language from about), %(context)s))
), chunk as (
    insert into chunks (document, start, stop, heading, page, text, words, embedding)
    select %(document)s, %(start)s, %(stop)s, %(heading)s, %(page)s, %(text)s, coalesce(sum(count), 0), %(embedding)s
    from terms
    returning id, words
)
insert into postings (term, chunk, count, words) select lexeme, id, count, words from terms, chunk
"""
