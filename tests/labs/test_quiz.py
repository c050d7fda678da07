"""The questions of every notebook are whole, explained and point at what is there; answers can be clicked."""

from collections import Counter

import pytest

from helpers.labs.errors import BadQuestions
from helpers.labs.quiz import FOLDER, Choice, Question, faults_of, quiz, read
from tests.notebooks import structure

NUMBERS = [f"{number:02}" for number in range(15)]
EACH = pytest.mark.parametrize("number", NUMBERS)


def headings(number):
    """Of the notebook; None if it is not written yet."""
    paths = [path for path in structure.notebooks() if path.name.startswith(number)]
    if not paths:
        return None
    lines = structure.prose(paths[0]).splitlines()
    return [line.removeprefix("## ") for line in lines if line.startswith("## ")]


@EACH
def test_every_notebook_has_three_to_five_questions_with_every_answer_explained(number):
    assert faults_of(quiz(number).questions) == []


@EACH
def test_every_question_points_at_a_section_of_its_notebook(number):
    there = headings(number)
    if there is None:
        pytest.skip(f"notebook {number} is not written yet")
    assert [question.section for question in quiz(number).questions if question.section not in there] == []


def test_no_question_and_no_explanation_stands_twice():
    questions = [question for number in NUMBERS for question in quiz(number).questions]
    texts = [question.text for question in questions] + [one.why for each in questions for one in each.choices]
    assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_right_answers_are_not_always_in_the_same_place():
    places = Counter(right(question) for number in NUMBERS for question in quiz(number).questions)
    assert max(places.values()) < 0.5 * places.total()
    assert {0, 1, 2, 3} <= set(places)
    for number in NUMBERS:
        assert len({right(question) for question in quiz(number).questions}) > 1, number


def test_right_answers_are_not_given_away_by_their_length():
    questions = [question for number in NUMBERS for question in quiz(number).questions]
    longest = sum(max(each.choices, key=lambda one: len(one.text)).right for each in questions)
    assert longest < 0.5 * len(questions)


def test_no_file_is_left_over():
    assert sorted(path.stem for path in FOLDER.iterdir()) == NUMBERS


def right(question):
    return [choice.right for choice in question.choices].index(True)


GOOD = Question("?", "1", (Choice("x", "because it is so here", True), Choice("y", "w " * 5), Choice("z", "w " * 5)))


@pytest.mark.parametrize(
    ("questions", "fault"),
    [
        ([GOOD], "1 questions, not 3 to 5"),
        ([GOOD] * 3, "two questions are the same"),
        ([Question("?", "1", GOOD.choices[:2])], "three or four different answers"),
        ([Question("?", "1", (GOOD.choices[1],) * 3)], "three or four different answers"),
        ([Question("?", "1", GOOD.choices[1:])], "one right answer"),
        ([Question("?", "1", (*GOOD.choices[:2], Choice("z", "no")))], "not explained"),
    ],
)
def test_what_is_wrong_with_questions_is_told(questions, fault):
    assert any(fault in one for one in faults_of(questions))


def test_a_file_that_is_missing_or_broken_is_named(tmp_path):
    (tmp_path / "bad.toml").write_text("[[question]]\ntext = 'x'")
    for name in ("bad.toml", "gone.toml"):
        with pytest.raises(BadQuestions, match=name.split(".")[0]):
            read(tmp_path / name)


def test_an_answer_is_explained_and_not_just_marked():
    first = quiz("00")
    assert first.answer(1, "C").startswith("Right. The profile decides")
    assert first.answer(1, "a").startswith("Not so. No cell asks")
    assert "2 · One setting" in first.answer(1, "a")
    for question, letter in ((0, "a"), (9, "a"), (1, "z"), (1, "")):
        with pytest.raises(BadQuestions, match="there is no answer"):
            first.answer(question, letter)


def test_a_click_shows_the_explanation_and_a_second_one_the_other():
    asked = quiz("00")
    asked._ipython_display_()
    row = asked.rows[0]
    row.options.value = 0
    assert "Not so." in row.said.value
    row.options.value = 2
    assert "Right." in row.said.value
    assert "Not so." not in row.said.value


def test_without_a_kernel_the_questions_are_text_and_the_answers_are_not_given_away(capsys):
    text = repr(quiz("03"))
    assert "1. " in text
    assert "   d) " in text
    assert not any(one.why in text for question in quiz("03").questions for one in question.choices)
