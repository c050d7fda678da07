"""`tools/declining.py`: the notebook's own functions, and counting that can be checked by hand."""

import declining
from declining import Judged

JUDGED = [
    Judged(["a"], [("a", 0.5), ("b", 0.9)]),  # answered from the first that reaches the dial: right
    Judged(["a"], [("b", 0.1), ("c", 0.6)]),  # answered, wrong
    Judged(["a"], [("a", 0.3), ("b", 0.3)]),  # declined
    Judged([], [("a", 0.39)]),  # rightly declined
    Judged([], [("a", 0.4)]),  # wrongly answered
]


def test_answers_right_ones_and_refusals_are_counted():
    assert declining.tally(JUDGED, 0.4) == ("2 of 3", "1 of 2", "1 of 2")
    assert declining.tally(JUDGED, 0.3) == ("3 of 3", "2 of 3", "0 of 2")


def test_the_questions_that_the_dial_was_chosen_on_are_not_among_the_others():
    judged = [Judged(["a"] if number < 57 else [], [(str(number), 1.0)]) for number in range(75)]
    chosen_on, others = declining.parts(judged)
    assert (len(chosen_on), len(others)) == (19 + 14, 38 + 4)
    assert not {one.passages[0] for one in chosen_on} & {one.passages[0] for one in others}


def test_the_functions_are_those_of_the_notebook():
    assert {"chat", "states", "KnowledgeBase"} <= declining.notebook_functions().keys()
