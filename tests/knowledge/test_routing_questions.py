"""The questions for routing: each has a route, the splits are balanced, and no test question is near an example."""

import json
from collections import Counter
from difflib import SequenceMatcher

import pytest

from helpers.knowledge.documents import read
from helpers.settings.settings import ROOT

DATA = ROOT / "notebooks" / "data"
QUESTIONS = [json.loads(line) for line in (DATA / "routing.jsonl").read_text("utf-8").split("\n") if line]
EXAMPLES = [question for question in QUESTIONS if question["split"] == "example"]
LOCAL = [question for question in QUESTIONS if question["route"] != "general"]
NEAR = 0.75  # of difflib's ratio, over the letters
BASE = {"id", "question", "route", "split", "hard", "documents", "expect"}
FIELDS = {"general": BASE, "local": BASE, "mixed": BASE | {"general", "local", "expect_general"}}


def likeness(one, other):
    return SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio()


def test_every_question_has_an_id_and_a_text_of_its_own():
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)
    assert len({question["question"].lower() for question in QUESTIONS}) == len(QUESTIONS)


def test_the_routes_are_balanced_in_every_split():
    counts = Counter((question["split"], question["route"]) for question in QUESTIONS)
    assert counts == {
        (split, route): number
        for split, number in {"example": 10, "dev": 5, "test": 16}.items()
        for route in ("general", "local", "mixed")
    }


def test_a_third_of_the_questions_is_hard():
    assert sum(question["hard"] for question in QUESTIONS) >= len(QUESTIONS) / 3


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_a_question_has_the_fields_of_its_route(question):
    assert question.keys() == FIELDS[question["route"]]
    assert bool(question["documents"]) == (question["route"] != "general")
    for name in question.keys() & {"expect", "expect_general"}:
        assert question[name]
        assert all(question[name]), "an empty text is in every answer"
    assert all(question.get(part, "?").endswith("?") for part in ("general", "local"))


@pytest.mark.parametrize("question", LOCAL, ids=lambda question: question["id"])
def test_the_local_answer_stands_in_a_document(question):
    texts = [read(DATA / "hospital" / path).text.lower() for path in question["documents"]]
    assert any(expected.lower() in text for expected in question["expect"] for text in texts)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_no_question_is_nearly_an_example(question):
    others = [example for example in EXAMPLES if example["id"] != question["id"]]
    nearest = max(others, key=lambda example: likeness(example["question"], question["question"]))
    assert likeness(nearest["question"], question["question"]) < NEAR, nearest["question"]


def test_a_question_that_is_nearly_an_example_would_be_noticed():
    question = EXAMPLES[0]["question"]
    assert likeness(question, question.upper().replace("?", " today?")) > NEAR
