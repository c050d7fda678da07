"""Every verdict, and what right means over calls in any order and over several turns."""

import pytest

from helpers.evaluation.scoring import Reply, score
from tests.evaluation.making import ONE, TWO, case, reply

RIGHT = ("stock", {"medicine": "dantrolene"})
RESERVED = ("reserve", {"medicine": "Dantrolene", "units": 2})

VERDICTS = [
    ("right", case(ONE), reply(RIGHT), True, True),
    ("right", case(), reply(text="Hello"), None, None),
    ("call not wanted", case(), reply(RIGHT), True, None),
    ("no call", case(ONE), reply(text="There are 36."), None, False),
    (
        "call in words",
        case(ONE),
        reply(text='```json\n{"name": "stock", "arguments": {"medicine": "Dantrolene"}}\n```'),
        None,
        False,
    ),
    ("arguments unreadable", case(ONE), reply(("stock", '{"medicine": ')), False, True),
    ("unknown function", case(ONE), reply(("stocks", {"medicine": "Dantrolene"})), False, False),
    ("wrong number of calls", case(ONE), reply(RIGHT, RIGHT), True, False),
    ("wrong function", case(ONE), reply(RESERVED), True, False),
    ("schema violated", case(TWO), reply(("reserve", {"medicine": "Dantrolene", "units": "2"})), False, True),
    ("wrong arguments", case(TWO), reply(("reserve", {"medicine": "Dantrolene", "units": 3})), True, True),
]


@pytest.mark.parametrize("verdict, given, answer, valid, function", VERDICTS)
def test_verdicts(verdict, given, answer, valid, function):
    judged = score(given, [answer])
    assert (judged.verdict, judged.valid, judged.function) == (verdict, valid, function)
    assert judged.right == (verdict == "right") and (judged.right or judged.why or verdict == "no call")


def test_a_wrong_argument_is_told():
    judged = score(case(TWO), [reply(("reserve", {"medicine": "Dantrolene", "units": 3}))])
    assert judged.why == "reserve: units is 3, not one of [2]"


def test_a_call_that_its_schema_refuses_is_wrong_unless_the_case_is_lenient():
    loose = {"name": "stock", "arguments": {"medicine": ["Dantrolene"], "ward": ["a1"]}}
    answer = reply(("stock", {"medicine": "Dantrolene", "ward": "a1"}))  # the schema has A1
    assert score(case(loose), [answer]).why == "stock: ward: 'a1' is not one of ['A1', 'B2']"
    assert score(case(loose, lenient=True), [answer]).right


@pytest.mark.parametrize("calls", [(RIGHT, RESERVED), (RESERVED, RIGHT)])
def test_several_calls_are_right_in_any_order(calls):
    assert score(case(ONE, TWO), [reply(*calls)]).right


def test_no_call_stands_for_two():
    assert score(case(TWO, TWO), [reply(RESERVED, RIGHT)]).verdict == "wrong function"
    other = {"name": "reserve", "arguments": {"medicine": ["Dantrolene"], "units": [5]}}
    judged = score(case(TWO, other), [reply(RESERVED, RESERVED)])
    assert (judged.verdict, judged.why) == ("wrong arguments", "two calls are the same one")


def test_a_call_that_fits_two_answers_is_not_taken_from_the_one_that_needs_it():
    wide = {"name": "reserve", "arguments": {"medicine": ["Dantrolene"], "units": [2, 5]}}
    assert score(case(wide, TWO), [reply(RESERVED, ("reserve", {"medicine": "Dantrolene", "units": 5}))]).right


TURNS = [
    {"question": "How many?", "calls": [ONE], "results": ["36"]},
    {},
    {"question": "Reserve two.", "calls": [TWO]},
]


@pytest.mark.parametrize(
    "replies, verdict, right_turns",
    [
        ([reply(RIGHT), reply(text="36"), reply(RESERVED)], "right", 3),
        ([reply(RIGHT), reply(RIGHT)], "call not wanted", 1),
        ([reply(text="36")], "no call", 0),
        ([reply(RIGHT), reply(text="36"), reply(RIGHT)], "wrong function", 2),
        ([reply(RIGHT)], "error", 1),
        ([], "error", 0),
    ],
)
def test_a_case_of_several_turns_is_right_if_all_of_them_are(replies, verdict, right_turns):
    judged = score(case(turns=TURNS), replies)
    assert (judged.verdict, judged.turns) == (verdict, right_turns)


def test_an_error_is_wrong_even_where_silence_was_wanted():
    judged = score(case(), [Reply()], error="ConnectionError: gone")
    assert (judged.right, judged.verdict, judged.why) == (False, "error", "ConnectionError: gone")
