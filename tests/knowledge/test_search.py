"""A question finds the passages that answer it: by meaning, by words, and by both."""

import contextlib
import json
import math
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from helpers.knowledge import KnowledgeBase, StoreFailed, database_url, knowledge_base
from helpers.settings.settings import ROOT
from tests.knowledge.stand_ins import Embedder

HOSPITAL = ROOT / "notebooks" / "data" / "hospital"
ODD = """O'Brien "the 100%" {x} %s %(k)s \\ ; drop table documents; --"""
CORPUS = {
    "drugs/aspirin.md": "Aspirin thins the blood and eases a headache.",
    "drugs/heparin.md": "Heparin keeps blood from clotting. Form FH-77.",
    "animals/cat.md": "A cat purrs when it is content.",
    "animals/dog.md": "A dog barks at strangers. Blood hounds follow a trail.",
    "places/odd.md": "The canteen opens at noon.",
}
HOSTILE = [ODD, "100%", "'", '"', "%s", "a & | ! <-> b:*", "\x00", "\ud800", "blood " * 2000]
MODES = ("dense", "text", "fused")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A handful of documents, embedded by the model."""
    folder = tmp_path_factory.mktemp("small")
    for name, text in CORPUS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        author = ODD if "odd" in name else name.split("/")[0]
        (folder / name).write_text(f"---\nauthor: {json.dumps(author)}\n---\n{text}\n")
    knowledge = KnowledgeBase("test_small")
    knowledge.ingest(folder)
    yield knowledge
    knowledge.drop()
    knowledge.close()


@pytest.fixture(scope="module")
def hospital():
    """The hospital's documents, with vectors by rule: their words are what counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.knowledge.ingest.Embedder", Embedder)
        patch.setattr("helpers.knowledge.knowledge_base.Embedder", Embedder)
        knowledge = KnowledgeBase("test_hospital_words")
        knowledge.ingest(HOSPITAL)
        yield knowledge
    knowledge.drop()
    knowledge.close()


def paths(passages):
    return [passage.path for passage in passages]


@pytest.mark.model
def test_dense_search_ranks_by_meaning_and_its_score_is_the_similarity(small):
    found = small.search("Which pet makes a humming sound?", mode="dense")
    assert found[0].path == "animals/cat.md" and len(found) == len(CORPUS)
    assert [passage.score for passage in found] == sorted((p.similarity for p in found), reverse=True)


@pytest.mark.model
def test_text_search_finds_words_only_and_ranks_the_rare_before_the_frequent(small):
    assert paths(small.search("FH-77", mode="text")) == ["drugs/heparin.md"]
    assert paths(small.search("headaches in blood", mode="text"))[0] == "drugs/aspirin.md"
    assert small.search("Which pet makes a humming sound?", mode="text") == []


@pytest.mark.model
def test_fused_search_adds_the_reciprocal_ranks_of_both(small):
    question, expected = "blood of a dog", {}
    for mode in ("dense", "text"):
        for rank, path in enumerate(paths(small.search(question, mode=mode)), 1):
            expected[path] = expected.get(path, 0) + 1 / (60 + rank)
    found = small.search(question)
    assert {passage.path: float(passage.score) for passage in found} == pytest.approx(expected)
    assert [passage.score for passage in found] == sorted((p.score for p in found), reverse=True)
    assert paths(found)[0] == "animals/dog.md"


@pytest.mark.model
@pytest.mark.parametrize("mode", MODES)
def test_a_passage_says_where_it_stands(small, mode):
    (passage,) = small.search("canteen", k=1, mode=mode)
    assert passage.source == "places/odd.md"
    assert small.text(passage.path)[passage.start : passage.stop] == passage.text == CORPUS["places/odd.md"]
    assert passage.metadata == {"author": ODD, "kind": "places", "type": "md"}


@pytest.mark.model
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        ({"kind": "animals"}, {"animals"}),
        ({"kind": ["animals", "drugs"]}, {"animals", "drugs"}),
        ({"kind": ("animals", "drugs"), "author": "drugs"}, {"drugs"}),
        ({"kind": []}, set()),
        ({"kind": "'animals' or true"}, set()),
        ({"author": ODD}, {"places"}),
        ({"author": [ODD, "drugs"]}, {"places", "drugs"}),
        ({ODD: "x"}, set()),
        ({}, {"animals", "drugs", "places"}),
    ],
    ids=ascii,
)
def test_where_restricts_the_search_to_documents_with_these_metadata(small, mode, where, kinds):
    found = small.search("blood, dog, canteen", k=10, mode=mode, where=where)
    assert {passage.path.split("/")[0] for passage in found} == kinds


@pytest.mark.model
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("question", HOSTILE, ids=lambda question: ascii(question)[:20])
def test_no_character_of_a_question_is_taken_for_anything_else(small, mode, question):
    assert len(small.search(question, mode=mode)) <= 5
    assert len(small.documents()) == len(CORPUS)


@pytest.mark.model
def test_a_question_of_stop_words_has_no_words_to_search_for_but_a_meaning(small):
    assert small.search("who is it that was there", mode="text") == []
    found = [paths(small.search("who is it that was there", mode=mode)) for mode in ("dense", "fused")]
    assert found[0] == found[1] and len(found[0]) == 5


@pytest.mark.model
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"question": " \n"}, "The question is empty"),
        ({"question": "cat", "mode": "sparse"}, "'sparse' is no way of search; choose from dense, text, fused"),
        ({"question": "cat", "k": 0}, "k is 0; ask for at least 1"),
        ({"question": "cat", "k": -1}, "k is -1"),
    ],
    ids=["empty", "mode", "none", "negative"],
)
def test_a_search_that_makes_no_sense_is_refused(small, arguments, message):
    with pytest.raises(ValueError, match=message):
        small.search(**arguments)


@pytest.mark.model
def test_threads_share_a_knowledge_base(small):
    questions = ["cat", "dog", "blood", "canteen"] * 5
    alone = [paths(small.search(question)) for question in questions]
    shared = KnowledgeBase(small.name)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda question: paths(shared.search(question)), questions)) == alone
    shared.close()


def bm25(store, question):
    """The score of each chunk, as the textbook has it, from the inverted index alone."""
    parsed = store.rows("select tsvector_to_array(to_tsvector('english', %(q)s)) as terms", {"q": question})[0]["terms"]
    (total,) = store.rows("select count(*) as n, avg(words)::float8 as mean from chunks")
    scores = {}
    for term in parsed:
        found = store.rows("select chunk, count, words from postings where term = %(term)s", {"term": term})
        rarity = math.log(1 + (total["n"] - len(found) + 0.5) / (len(found) + 0.5))
        for row in found:
            saturated = row["count"] + 1.2 * (1 - 0.75 + 0.75 * row["words"] / total["mean"])
            scores[row["chunk"]] = scores.get(row["chunk"], 0) + rarity * row["count"] * (1.2 + 1) / saturated
    return scores


QUESTIONS = [
    "How much crystalloid is given in sepsis when hypotension is present?",
    "Which form is the yellow Sepsis clock?",
    "dose of heparin and potassium for children in the first hour",
    "FH-ED-F14",
    "patient patient patient the and of",
]


def test_a_search_is_a_span_that_does_not_tell_the_question(hospital, monkeypatch):
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(knowledge_base, "tracer", provider.get_tracer("knowledge"))
    found = hospital.search("Which antidote is given for methanol?", k=3)
    (span,) = spans.get_finished_spans()
    assert span.name == "retrieval test_hospital_words" and span.attributes["workshop.passages"] == len(found) == 3
    assert "methanol" not in span.to_json()


@pytest.mark.parametrize("question", QUESTIONS)
def test_text_search_scores_as_bm25_worked_out_from_the_index(hospital, question):
    store = hospital._store
    expected = bm25(store, question)
    found = hospital.search(question, k=10, mode="text")
    assert [passage.score for passage in found] == pytest.approx(sorted(expected.values(), reverse=True)[:10], rel=1e-4)
    numbered = {(row["path"], row["start"]): row["id"] for row in store.rows(PLACES)}
    scores = [expected[numbered[passage.path, passage.start]] for passage in found]
    assert scores == pytest.approx([passage.score for passage in found], rel=1e-4)


PLACES = "select chunks.id, path, start from chunks join documents on documents.id = document"


def test_the_index_counts_every_word_of_every_chunk(hospital):
    store = hospital._store
    counted = "select chunks.words, sum(count) as n, max(postings.words) as w from chunks join postings on chunk = id"
    assert all(row["words"] == row["n"] == row["w"] for row in store.rows(f"{counted} group by id"))
    (about,) = store.rows("select chunks, words, (select sum(words) from chunks) as sum from about")
    assert about["words"] == about["sum"] and about["chunks"] == store.rows("select count(*) from chunks")[0]["count"]


@pytest.mark.parametrize("mode", ["dense", "fused"])
def test_more_passages_than_there_are_is_all_of_them(hospital, mode):
    chunks = hospital.documents()["chunks"].sum()
    found = hospital.search("heparin", k=10_000, mode=mode)
    assert len({(passage.path, passage.start) for passage in found}) == len(found) == chunks


@contextlib.contextmanager
def reader_of(knowledge):
    """The address of the database for a role that may read this collection and do nothing else."""
    schema, role = f"kb_{knowledge.name}", f"reader_of_{knowledge.name}"
    with psycopg.connect(database_url(), autocommit=True) as owner:
        owner.execute(f"create role {role} login")
        owner.execute(f"grant usage on schema {schema} to {role}")
        owner.execute(f"grant select on all tables in schema {schema} to {role}")
        try:
            yield f"postgresql://{role}@/postgres?host={parse_qs(urlsplit(database_url()).query)['host'][0]}"
        finally:
            owner.execute(f"drop owned by {role}")
            owner.execute(f"drop role {role}")


def test_a_session_that_is_read_only_as_on_a_replica_can_search(hospital, set_to):
    with reader_of(hospital) as address:
        with psycopg.connect(database_url(), autocommit=True) as owner:
            owner.execute(f"alter role reader_of_{hospital.name} set default_transaction_read_only = on")
        set_to(WORKSHOP_DATABASE_URL=address)
        replica = KnowledgeBase(hospital.name)
        assert paths(replica.search("heparin", mode="text")) == paths(hospital.search("heparin", mode="text"))
        with pytest.raises(StoreFailed, match="read-only transaction"):
            replica.drop()
        replica.close()


def test_a_role_that_may_only_read_can_search_and_cannot_write(hospital, set_to, tmp_path):
    (tmp_path / "new.txt").write_text("Something new.")
    with reader_of(hospital) as address:
        set_to(WORKSHOP_DATABASE_URL=address)
        reading = KnowledgeBase(hospital.name)
        assert paths(reading.search("heparin", mode="text")) == paths(hospital.search("heparin", mode="text"))
        with pytest.raises(StoreFailed, match=re.escape("The database refuses: permission denied for table documents")):
            reading.ingest(tmp_path)
        with pytest.raises(StoreFailed, match="The database refuses: must be owner"):
            reading.drop()
        reading.close()
