"""A data set is read as BEIR lays it out, and the measures are those worked out by hand."""

import json
from math import log2

import pytest

from helpers.knowledge.beir import read_data_set
from helpers.knowledge.documents import read
from helpers.knowledge.errors import DataSetUnusable
from helpers.knowledge.evaluation import evaluate, read_questions
from helpers.knowledge.search import Passage
from helpers.settings.settings import ROOT

DATA = ROOT / "notebooks" / "data"
QUESTIONS = [json.loads(line) for line in (DATA / "questions.jsonl").read_text("utf-8").splitlines()]
ANSWERABLE = [question for question in QUESTIONS if question["documents"]]

CORPUS = [{"_id": "d1", "title": "Aspirin", "text": "It thins."}, {"_id": 2, "text": "It heals."}]
QUERIES = [{"_id": "q1", "text": "What thins?"}, {"_id": "q2", "text": "Judged by nobody"}]


def lines(*entries):
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(lines(*CORPUS))
    (tmp_path / "queries.jsonl").write_text(lines(*QUERIES))
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t2\t0\n")
    return tmp_path


def test_a_data_set_has_sources_judged_queries_and_grades(folder):
    data = read_data_set(folder)
    assert [source.path for source in data.sources] == ["d1", "2"]
    assert data.queries == {"q1": "What thins?"}
    assert data.relevant == {"q1": {"d1": 2, "2": 0}}
    first, second = (source.load() for source in data.sources)
    assert (first.title, first.text, second.title) == ("Aspirin", "It thins.", "")


def test_judgements_without_a_header_are_all_read(folder):
    (folder / "qrels" / "test.tsv").write_text("q1\td1\t1\nq1\t2\t1\n")
    assert read_data_set(folder).relevant == {"q1": {"d1": 1, "2": 1}}


def test_the_hash_of_a_source_changes_with_its_title_and_text(folder):
    seen = set()
    for entry in (CORPUS[0], {**CORPUS[0], "title": "x"}, {**CORPUS[0], "text": "x"}):
        (folder / "corpus.jsonl").write_text(lines(entry))
        seen.add(read_data_set(folder).sources[0].hash)
    assert len(seen) == 3


def test_a_line_ends_at_a_line_feed_only(folder):
    text = "One\u2028two\x85three\u2029four"
    (folder / "corpus.jsonl").write_text(lines({"_id": "d1", "text": text}))
    assert [source.load().text for source in read_data_set(folder).sources] == [text]


FAULTS = {
    "no JSON": ("corpus.jsonl", lines(CORPUS[0]) + "{oops\n", r"corpus\.jsonl, line 2: no JSON object"),
    "after a blank line": ("corpus.jsonl", lines(CORPUS[0]) + "\n{oops\n", r"corpus\.jsonl, line 3: no JSON object"),
    "no text": ("corpus.jsonl", lines({"_id": "d1"}), r"corpus\.jsonl, line 1: .*text"),
    "no id": ("queries.jsonl", lines({"text": "What?"}), r"queries\.jsonl, line 1: .*_id"),
    "a list": ("queries.jsonl", lines(*QUERIES, ["q3"]), r"queries\.jsonl, line 3: no JSON object"),
    "two columns": ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", r"test\.tsv, line 2: not query-id"),
    "no number": ("qrels/test.tsv", "q1\td1\t1\nq1\td1\tyes\n", r"test\.tsv, line 2: not query-id"),
}


@pytest.mark.parametrize(("name", "content", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_file_and_line(folder, name, content, message):
    (folder / name).write_text(content)
    with pytest.raises(DataSetUnusable, match=message):
        read_data_set(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named_with_the_layout(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataSetUnusable, match=f"{name} cannot be read .*BEIR's layout has"):
        read_data_set(folder)


def test_a_file_that_is_not_utf_8_is_named(folder):
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "\xff"}\n')
    with pytest.raises(DataSetUnusable, match=r"queries\.jsonl cannot be read"):
        read_data_set(folder)


class Found:
    """Stands in for a knowledge base: for each question the paths that it finds, best first."""

    def __init__(self, answers):
        self.answers = answers

    def search(self, question, k, mode):
        return [passage(path, number) for number, path in enumerate(self.answers[question][:k])]


def passage(path, number):
    given = {"path": path, "score": float(-number), "similarity": 0.5, "text": "", "title": "", "heading": ""}
    return Passage(**{"page": None, "start": 0, "stop": 0, "metadata": {}, **given})


def test_the_measures_are_those_worked_out_by_hand():
    found = Found(
        {
            "first": ["a", "x", "y"],  # relevant: a and b, of which only a is found, at rank 1
            "second": ["x", "x", "y", "x", "c"],  # relevant: c, the third document, though the fifth passage
            "third": ["u", "v", "w", "x", "y", "d"],  # relevant: d, at rank 6
            "fourth": ["x"],  # relevant: e, not found
        }
    )
    relevant = {"1": {"a": 1, "b": 1}, "2": {"c": 1}, "3": {"d": 1}, "4": {"e": 1}}
    questions = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "has no answer"}
    results = evaluate(found, questions, relevant)
    assert list(results.index) == ["dense", "text", "fused"]
    for _, row in results.iterrows():
        assert row["recall@5"] == pytest.approx((1 / 2 + 1 + 0 + 0) / 4)
        assert row["recall@10"] == pytest.approx((1 / 2 + 1 + 1 + 0) / 4)
        assert row["nDCG@10"] == pytest.approx((1 / (1 + 1 / log2(3)) + 1 / log2(4) + 1 / log2(7) + 0) / 4)
        assert row["MRR"] == pytest.approx((1 + 1 / 3 + 1 / 6 + 0) / 4)
        assert 0 <= row["query p50 ms"] < 1000


def test_the_order_of_the_passages_counts_and_not_that_of_the_names():
    for order in (["a", "z"], ["z", "a"]):
        results = evaluate(Found({"which": order}), {"1": "which"}, {"1": {"z": 1}})
        assert results.loc["fused", "MRR"] == pytest.approx(1 / (order.index("z") + 1))


def test_a_question_that_finds_nothing_counts_as_missed():
    results = evaluate(Found({"one": ["a"], "two": []}), {"1": "one", "2": "two"}, {"1": {"a": 1}, "2": {"b": 1}})
    assert results.loc["text", "recall@5"] == pytest.approx(1 / 2)


@pytest.mark.parametrize("relevant", [{}, {"1": {}}, {"other": {"a": 1}}])
def test_without_a_relevant_document_there_is_nothing_to_measure(relevant):
    with pytest.raises(ValueError, match="No question has a relevant document"):
        evaluate(Found({}), {"1": "first"}, relevant)


def test_the_hospitals_questions_are_read_by_their_ids():
    questions, relevant = read_questions(DATA / "questions.jsonl")
    assert len(questions) == len(QUESTIONS)
    assert questions.keys() == relevant.keys()
    assert relevant[ANSWERABLE[0]["id"]] == {ANSWERABLE[0]["documents"][0]: 1}


def test_enough_of_the_hospitals_questions_have_an_answer_and_enough_have_none():
    assert len(ANSWERABLE) >= 45
    assert len(QUESTIONS) - len(ANSWERABLE) >= 15
    assert not any(question["expect"] for question in QUESTIONS if not question["documents"])


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_the_answer_to_a_hospital_question_stands_in_its_documents(question):
    texts = [read(DATA / "hospital" / path).text.lower() for path in question["documents"]]
    assert any(expected.lower() in text for expected in question["expect"] for text in texts)
