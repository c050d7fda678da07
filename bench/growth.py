"""How a query grows from 1,000 to 100,000 chunks, and dense search beside Chroma at the largest size.

The chunks are made up: words by Zipf's law, and random vectors, which have no clusters and so are the hardest case
for an HNSW index. No model takes part: the time is that of retrieval alone.
"""

import contextlib
import statistics
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import get_args

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pgvector import HalfVector
from psycopg.types.json import Jsonb

from bench.chroma import VERSION, Chroma, chroma
from bench.measure import Part, Ratio, in_turns, milliseconds
from helpers.knowledge.embedder import Vectors
from helpers.knowledge.search import Mode, search
from helpers.knowledge.store import Connection, Store
from helpers.settings.settings import ROOT

PLOT = ROOT / "artefacts" / "knowledge-growth.png"
SIZES = (1_000, 10_000, 100_000)
LIMIT = 50.0  # milliseconds
QUERIES = 60
K = 5
DIMENSIONS = 384
VOCABULARY, STOP_WORDS = 30_000, 100
CHUNK_WORDS, QUESTION_WORDS = 100, 8  # 8 is the median of the hospital's questions, without stop words
DOCUMENT_CHUNKS = 10

Question = tuple[str, Vectors]

INDEXES = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
where indrelid in ('chunks'::regclass, 'postings'::regclass) and not indisprimary
"""

# As ingest counts them.
POSTINGS = """
insert into postings (term, chunk, count, words)
select lexeme, id, cardinality(positions), words
from chunks, unnest(to_tsvector((select language from about), text)) where id >= %s
"""


@cache
def measured() -> Part:
    """The growth as a table and a plot, its bound, and Chroma's ratio where it can be installed."""
    generator = np.random.default_rng(7)
    vectors, texts = _vectors(generator, SIZES[-1]), _texts(generator, SIZES[-1], CHUNK_WORDS)
    questions = list(zip(_texts(generator, QUERIES, QUESTION_WORDS), _vectors(generator, QUERIES), strict=True))
    with collection("bench_growth") as store, chroma() as peer:
        table = _table(store, vectors, texts, questions)
        _plot(table)
        beside = _beside(peer, store, vectors, texts, questions) if peer else Part([], [])
    largest = [(table.loc[SIZES[-1], "fused"], LIMIT)]
    limit = Ratio(f"{SIZES[-1]:,} chunks: fused search, against the limit", "ms", largest, 1.0, more_is_better=False)
    said = f"Growth, query p50 in ms by chunks; plot in {PLOT.relative_to(ROOT)}:\n{table.round(1).to_string()}"
    return Part([limit, *beside.ratios], [said, *beside.notes])


@contextlib.contextmanager
def collection(name: str) -> Iterator[Store]:
    """A collection that is not there before, and not afterwards."""
    store = Store(name)
    store.drop()  # a run that was killed may have left it
    try:
        yield store
    finally:
        store.drop()
        store.close()


def _vectors(generator: np.random.Generator, count: int) -> Vectors:
    vectors = generator.standard_normal((count, DIMENSIONS), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _texts(generator: np.random.Generator, count: int, words: int) -> list[str]:
    """Words by Zipf's law but for the most frequent, which stand for the stop words that are not indexed."""
    chances = 1 / np.arange(STOP_WORDS + 1, STOP_WORDS + VOCABULARY + 1)
    names = np.array([f"w{rank}" for rank in range(VOCABULARY)], object)
    lengths = 1 + generator.poisson(words - 1, count)
    drawn = generator.choice(names, lengths.sum(), p=chances / chances.sum())
    return [" ".join(part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]


def _table(store: Store, vectors: Vectors, texts: list[str], questions: list[Question]) -> pd.DataFrame:
    """One row a size: the median milliseconds of each way of search."""
    with store.writing() as connection:
        store.create(connection, "made up", DIMENSIONS, "english")
    rows, first = {}, 0
    for size in SIZES:
        with store.writing() as connection, _indexed_afterwards(connection):
            _copy(connection, range(first, size), vectors, texts)
        rows[size], first = _times(store, questions), size
    return pd.DataFrame.from_dict(rows, orient="index")


@contextlib.contextmanager
def _indexed_afterwards(connection: Connection) -> Iterator[None]:
    """The schema's own indexes, made anew at the end: row by row, 100,000 vectors take more than seven minutes."""
    indexes = connection.execute(INDEXES).fetchall()
    for index in indexes:
        connection.execute(f"drop index {index['name']}")
    yield
    for index in indexes:
        connection.execute(index["definition"])
    connection.execute("update about set (chunks, words) = (select count(*), sum(words) from chunks)")
    connection.execute("vacuum (analyze) chunks, postings")


def _copy(connection: Connection, rows: range, vectors: Vectors, texts: list[str]) -> None:
    """What ingest would write of these rows."""
    with connection.cursor() as cursor:
        with cursor.copy("copy documents (id, path, hash, title, metadata, text) from stdin") as copy:
            for number in range(rows.start // DOCUMENT_CHUNKS, rows.stop // DOCUMENT_CHUNKS):
                copy.write_row((number, f"{number}.txt", str(number), f"Document {number}", Jsonb({}), ""))
        columns = "id, document, start, stop, heading, text, words, embedding"
        with cursor.copy(f"copy chunks ({columns}) from stdin (format binary)") as copy:
            copy.set_types(["int4", "int4", "int4", "int4", "text", "text", "int4", "halfvec"])
            for row in rows:
                text, vector = texts[row], HalfVector(vectors[row])
                copy.write_row((row, row // DOCUMENT_CHUNKS, 0, len(text), "", text, len(text.split()), vector))
    connection.execute(POSTINGS, [rows.start])


def _times(store: Store, questions: list[Question]) -> dict[str, float]:
    """The median milliseconds of each way of search, in turns, after a round that fills the caches."""
    asks = {way: [partial(search, store, *question, K, way, None) for question in questions] for way in get_args(Mode)}
    for ask in asks["fused"]:
        ask()
    times = [{way: milliseconds(asks[way][number]) for way in asks} for number in range(len(questions))]
    return {way: statistics.median(time[way] for time in times) for way in asks}


def _beside(peer: Chroma, store: Store, vectors: Vectors, texts: list[str], questions: list[Question]) -> Part:
    """Dense search in both, in turns, and how many of the true neighbours each finds."""
    queries = np.stack([vector for _, vector in questions])
    seconds = peer.fill("growth", vectors, texts, queries)
    nearest = np.argsort(-queries @ vectors.T, axis=1)[:, :K]
    asks = [partial(search, store, *question, K, "dense", None) for question in questions]
    places = {text: row for row, text in enumerate(texts)}
    ours = _share(nearest, lambda turn: [places[passage.text] for passage in asks[turn]()])  # fills the caches, too
    theirs = _share(nearest, lambda turn: peer.search(turn, K)[0])
    pairs = in_turns(lambda turn: milliseconds(asks[turn]), lambda turn: peer.search(turn, K)[1] * 1000, QUERIES)
    ratio = Ratio("", "ms", pairs, bound=1.0, more_is_better=False)
    said = (
        f"Dense search over {len(texts):,} chunks: {ratio.ours:.1f} ms here, {ratio.peer:.1f} ms in {VERSION}, "
        f"which searches in the caller's own process and took {seconds:.0f} s to take them. "
        f"Of the {K} true neighbours, ours finds {ours:.2f} and Chroma {theirs:.2f}: random vectors have no structure."
    )
    return Part([], [said])


def _share(nearest: np.ndarray, found: Callable[[int], list[int]]) -> float:
    return statistics.mean(len({*found(turn)} & {*rows.tolist()}) / K for turn, rows in enumerate(nearest))


def _plot(table: pd.DataFrame) -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for way in table:
        axes.loglog(table.index, table[way], marker="o", label=way)
    axes.axhline(LIMIT, color="grey", linestyle="--", label="limit")
    axes.set(xlabel="chunks", ylabel="query p50, ms", title="How a query grows with the collection")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend()
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, dpi=120)
