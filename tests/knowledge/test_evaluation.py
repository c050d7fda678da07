"""Questions are read line by line, and the measures are those worked out by hand."""

import json
from math import log2

import pytest

from helpers.knowledge.documents import read
from helpers.knowledge.errors import DataSetUnusable
from helpers.knowledge.evaluation import evaluate, read_questions
from helpers.knowledge.search import Passage
from helpers.settings.settings import ROOT
from tests.knowledge.samples import lines

DATA = ROOT / "notebooks" / "data"
QUESTIONS = [json.loads(line) for line in (DATA / "questions.jsonl").read_text("utf-8").split("\n") if line]
ANSWERABLE = [question for question in QUESTIONS if question["documents"]]


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


def test_the_time_of_a_query_is_the_median_of_the_searches(monkeypatch):
    now, takes = [0.0], {"one": 0.03, "two": 0.01, "three": 0.5}

    class Slow(Found):
        def search(self, question, k, mode):
            now[0] += takes[question]
            return super().search(question, k, mode)

    monkeypatch.setattr("helpers.knowledge.evaluation.time.perf_counter", lambda: now[0])
    slow, relevant = Slow({name: ["a"] for name in takes}), {name: {"a": 1} for name in takes}
    results = evaluate(slow, {name: name for name in takes}, relevant)
    assert list(results["query p50 ms"]) == pytest.approx([30, 30, 30])


def test_the_order_of_the_passages_counts_and_not_that_of_the_names():
    for order in (["a", "z"], ["z", "a"]):
        results = evaluate(Found({"which": order}), {"1": "which"}, {"1": {"z": 1}})
        assert results.loc["fused", "MRR"] == pytest.approx(1 / (order.index("z") + 1))


def test_a_question_that_finds_nothing_counts_as_missed():
    results = evaluate(Found({"one": ["a"], "two": []}), {"1": "one", "2": "two"}, {"1": {"a": 1}, "2": {"b": 1}})
    assert results.loc["text", "recall@5"] == pytest.approx(1 / 2)


def test_a_question_of_which_only_wrong_documents_are_judged_is_left_out():
    relevant = {"1": {"a": 1, "x": 0}, "2": {"a": 0, "x": -1}}
    results = evaluate(Found({"one": ["a"]}), {"1": "one", "2": "is not asked"}, relevant)
    assert list(results["recall@5"]) == list(results["MRR"]) == [1, 1, 1]


@pytest.mark.parametrize("relevant", [{}, {"1": {}}, {"1": {"a": 0}}, {"other": {"a": 1}}])
def test_without_a_relevant_document_there_is_nothing_to_measure(relevant):
    with pytest.raises(ValueError, match="No question has a relevant document"):
        evaluate(Found({}), {"1": "first"}, relevant)


QUESTION = {"id": "q1", "question": "What thins?", "documents": ["aspirin.md"]}


def test_a_question_may_hold_any_separator_of_lines_but_a_line_feed(written):
    odd = {**QUESTION, "question": "One\u2028two\x85three\u2029four?"}
    assert read_questions(written("questions.jsonl", lines(odd, {**QUESTION, "id": "q2"}))) == (
        {"q1": odd["question"], "q2": QUESTION["question"]},
        {"q1": {"aspirin.md": 1}, "q2": {"aspirin.md": 1}},
    )


BAD_LINES = {
    "no JSON": ("{oops\n", "Expecting property name"),
    "no object": ("[1]\n", "it is of type list"),
    "no id": (lines({"question": "What?", "documents": []}), "id missing"),
    "no question and no documents": (lines({"id": "q2"}), "question and documents missing"),
    "one document": (lines({**QUESTION, "documents": "aspirin.md"}), "documents is of type str"),
}


@pytest.mark.parametrize(("line", "fault"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_of_questions_is_told_with_its_file_its_number_and_what_is_wrong(written, line, fault):
    path = written("questions.jsonl", lines(QUESTION) + "\n" + line)
    expected = rf"questions\.jsonl, line 3: no JSON object with id and question and documents \({fault}"
    with pytest.raises(DataSetUnusable, match=expected):
        read_questions(path)


def test_a_missing_file_of_questions_is_told_with_what_a_line_is(tmp_path):
    with pytest.raises(DataSetUnusable, match=r'none\.jsonl cannot be read .*A line is {"id": '):
        read_questions(tmp_path / "none.jsonl")


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
