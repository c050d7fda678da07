"""Retrieval: dense vectors, full text (BM25), and both fused, each one SQL statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pgvector import HalfVector
from psycopg import sql

from helpers.knowledge.embedder import Vectors
from helpers.knowledge.store import Store

Mode = Literal["dense", "text", "fused"]
Where = Mapping[str, str | Sequence[str]]

DEPTH = 50  # how many candidates each of the two ways brings into the fusion

DENSE = """
select chunks.id, row_number() over (order by embedding <=> %(vector)s) as rank,
       1 - (embedding <=> %(vector)s) as score
from chunks {filter} order by embedding <=> %(vector)s limit %(depth)s
"""

# BM25 as Robertson and Zaragoza give it (2009), k1 = 1.2, b = 0.75. PostgreSQL's own ts_rank does not know that a rare
# word says more than a frequent one.
TEXT = """
select chunk as id, row_number() over (order by sum(weight) desc, chunk) as rank, sum(weight) as score
from (select distinct unnest(tsvector_to_array(to_tsvector(language, %(question)s))) collate "C" as term,
             greatest(chunks, 1) as n, greatest(words, 1) / greatest(chunks, 1)::float4 as mean from about) as query,
     lateral (select ln(1 + (greatest(n - count(*), 0) + 0.5) / (count(*) + 0.5))::float4 as rarity
              from postings where postings.term = query.term) as known,
     lateral (select chunk, rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * words / mean)) as weight
              from postings where postings.term = query.term) as found
{filter} group by chunk order by score desc, chunk limit %(depth)s
"""

# Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009, who found 60 to do well everywhere.
FUSED = "select id, sum(1.0 / (60 + rank)) as score from (table dense union all table text) as both_ways group by id"

STATEMENT = """
with dense as ({dense}), text as ({text}), best as ({ranking} order by score desc, id limit %(k)s)
select best.score, path, title, metadata, heading, page, start, stop, chunks.text,
       1 - (embedding <=> %(vector)s) as similarity
from best join chunks using (id) join documents on documents.id = chunks.document
order by best.score desc, chunks.id
"""

RANKING = {"dense": "select id, score from dense", "text": "select id, score from text", "fused": FUSED}


@dataclass(frozen=True)
class Passage:
    """A chunk that was found; `similarity` is its cosine with the question, `score` what its way of search ranks by."""

    path: str
    title: str
    heading: str
    page: int | None
    start: int
    stop: int
    text: str
    metadata: dict[str, str]
    score: float
    similarity: float

    @property
    def source(self) -> str:
        """Where it stands, as a citation names it."""
        place = f", page {self.page}" if self.page else f", {self.heading}" if self.heading else ""
        return f"{self.path}{place}"


def search(store: Store, question: str, vector: Vectors, k: int, mode: Mode, where: Where | None) -> list[Passage]:
    """The `k` best passages, best first; see `KnowledgeBase.search`."""
    values: dict[str, Any] = {"question": question, "vector": HalfVector(vector), "k": k, "depth": max(DEPTH, k)}
    for number, (name, wanted) in enumerate((where or {}).items()):
        values |= {f"name{number}": name, f"wanted{number}": [wanted] if isinstance(wanted, str) else list(wanted)}
    rows = store.rows(statement(mode, len(where or {})), values)
    return [Passage(**row) for row in rows]


def statement(mode: Mode, conditions: int = 0) -> sql.Composed:
    """The SQL of one way of search, restricted by so many `conditions`: metadata name0 is one of wanted0, and so on.

    Raises:
        ValueError: there is no such way.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"{mode!r} is no way of search; choose from {', '.join(get_args(Mode))}")
    matching = sql.SQL("join documents on documents.id = chunks.document and {}").format(
        sql.SQL(" and ").join(
            sql.SQL("metadata->>{} = any({}::text[])").format(
                sql.Placeholder(f"name{number}"), sql.Placeholder(f"wanted{number}")
            )
            for number in range(conditions)
        )
    )
    return sql.SQL(STATEMENT).format(
        dense=sql.SQL(DENSE).format(filter=matching if conditions else sql.SQL("")),
        text=sql.SQL(TEXT).format(
            filter=sql.SQL("join chunks on chunks.id = found.chunk ") + matching if conditions else sql.SQL("")
        ),
        ranking=sql.SQL(RANKING[mode]),
    )
