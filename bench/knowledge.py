"""The knowledge base against its own embedding model and against Chroma, on the hospital's documents, in one run.

Search and ingest are compared with the embedding that each contains; the bound is what the kit may add to it. How a
query grows with the collection is in `bench.growth`.
"""

import time
from functools import cache
from types import SimpleNamespace
from typing import cast
from unittest import mock

import numpy as np
import pandas as pd

from bench import growth
from bench.chroma import Chroma, chroma, missing
from bench.measure import Pairs, Part, Ratio, in_turns, milliseconds
from helpers.knowledge import KnowledgeBase
from helpers.knowledge.embedder import Embedder, Vectors
from helpers.knowledge.evaluation import evaluate, read_questions
from helpers.knowledge.search import Mode
from helpers.knowledge.store import Store
from helpers.settings.settings import ROOT

HOSPITAL = ROOT / "notebooks" / "data" / "hospital"
QUESTIONS = ROOT / "notebooks" / "data" / "questions.jsonl"
INGESTS = 2


def ratios() -> list[Ratio]:
    """Search, ingest and quality on the hospital's documents; growth; Chroma, where it can be installed."""
    return [*_hospital().ratios, *growth.measured().ratios]


def notes() -> list[str]:
    """Quality and growth as tables, and what is to be known of the peer."""
    absent = [f"Chroma was not measured, it cannot be installed: {missing()}"] if missing() else []
    return [*_hospital().notes, *growth.measured().notes, *absent]


@cache
def _hospital() -> Part:
    with growth.collection("bench_hospital") as store:
        knowledge = KnowledgeBase(store.name)
        try:
            ingesting = _ingest_pairs(knowledge)
            questions, relevant = read_questions(QUESTIONS)
            asking = _search_pairs(knowledge, list(questions.values()))
            ours = evaluate(knowledge, questions, relevant)
        finally:
            knowledge.close()
        found = [
            Ratio("hospital: search, against embedding alone", "ms", asking, 1.3, more_is_better=False),
            Ratio("hospital: ingest, against embedding alone", "chunks/s", ingesting, 0.85),
            _quality("fused, against the better of dense and text", ours, ours.drop("fused")["nDCG@10"].max()),
            Ratio("hospital: recall@5, fused, against all", "", [(ours.loc["fused", "recall@5"], 1.0)], 0.9),
        ]
        with chroma() as peer:
            if peer:
                theirs = evaluate(_filled(peer, store, questions), questions, relevant)
                found.append(_quality("fused, against Chroma", ours, theirs.loc["dense", "nDCG@10"]))
    return Part(found, [f"The hospital's questions:\n{ours.round(3).to_string()}"])


def _quality(name: str, ours: pd.DataFrame, peer: float) -> Ratio:
    return Ratio(f"hospital: nDCG@10, {name}", "", [(ours.loc["fused", "nDCG@10"], peer)], bound=1.0)


def _ingest_pairs(knowledge: KnowledgeBase) -> Pairs:
    """Chunks a second: fresh ingests, and the same texts in the same batches to the model only."""
    batches: list[list[str]] = []

    class Recorder(Embedder):
        def embed(self, texts: list[str]) -> Vectors:
            batches.append(texts)
            return super().embed(texts)

    def ingested(turn: int) -> float:
        knowledge.drop()
        report = knowledge.ingest(HOSPITAL)
        return report.chunks / report.seconds

    def embedded(turn: int) -> float:
        embedder, started = Embedder(), time.perf_counter()
        return sum(len(embedder.embed(batch)) for batch in batches) / (time.perf_counter() - started)

    with mock.patch("helpers.knowledge.ingest.Embedder", Recorder):
        knowledge.ingest(HOSPITAL)
    del batches[0]  # a single letter, which tells how many dimensions there are
    return in_turns(ingested, embedded, INGESTS)


def _search_pairs(knowledge: KnowledgeBase, questions: list[str]) -> Pairs:
    """Milliseconds of a search, and of embedding its question, each question once."""
    embedder = Embedder()
    for question in ("a first question", "a second one"):
        knowledge.search(question), embedder.embed([question])
    return in_turns(
        lambda turn: milliseconds(lambda: knowledge.search(questions[turn])),
        lambda turn: milliseconds(lambda: embedder.embed([questions[turn]])),
        len(questions),
    )


def _filled(peer: Chroma, store: Store, questions: dict[str, str]) -> KnowledgeBase:
    """Chroma with the chunks and vectors of `store`, as `evaluate` asks it; its one way of search stands for all."""
    rows = store.rows("select path, chunks.text, embedding from chunks join documents on documents.id = document")
    vectors = np.stack([row["embedding"].to_numpy() for row in rows]).astype(np.float32)
    peer.fill("hospital", vectors, [row["text"] for row in rows], Embedder().embed(list(questions.values())))
    numbers = {question: number for number, question in enumerate(questions.values())}

    def found(question: str, k: int, mode: Mode) -> list[SimpleNamespace]:
        return [SimpleNamespace(path=rows[row]["path"]) for row in peer.search(numbers[question], k)[0]]

    return cast(KnowledgeBase, SimpleNamespace(search=found))
