"""Each rule for arguments, on cases made by hand."""

import pytest

from helpers.evaluation.cases import Expected, Tool
from helpers.evaluation.matching import accepts, why_wrong

STRING, INTEGER, NUMBER, BOOLEAN = ({"type": name} for name in ("string", "integer", "number", "boolean"))
OBJECT = {"type": "object"}


def array(items):
    return {"type": "array", "items": items}


ACCEPTED = {
    "the same string": ("Paris", ["Paris"], STRING),
    "one of several": ("Paris, France", ["Paris", "Paris, France"], STRING),
    "another case": ("PARIS", ["Paris"], STRING),
    "other spaces and signs": ("April 1 2024", ["April 1, 2024"], STRING),
    "other quotes": ("the 'best'", ['the "best"'], STRING),
    "an int for a float": (5, [5.0], NUMBER),
    "an int for a float that is written as one": (5, [5], NUMBER),
    "true": (True, [True], BOOLEAN),
    "a list": ([1, 2], [[2, 1], [1, 2]], array(INTEGER)),
    "a list of strings": (["new york"], [["New York"]], array(STRING)),
    "ints in a list of floats, where the answer has them": ([1, 2], [[1, 2]], array(NUMBER)),
    "a list of lists": ([[1, 2], [3]], [[[1, 2], [3]]], array(array(INTEGER))),
    "an object": ({"unit": "CM", "size": 3}, [{"unit": ["cm"], "size": [3, 4]}], OBJECT),
    "an object without what may be left out": ({"size": 3}, [{"unit": ["cm", ""], "size": [3]}], OBJECT),
    "a list of objects": ([{"a": 1}, {"a": 2}], [[{"a": [1]}, {"a": [2]}]], array(OBJECT)),
    "a string where the schema wants a number, as in the answer": ("x", ["x"], INTEGER),
    "what the schema leaves open": ([1, 2], [[1, 2]], {}),
    "null where it is allowed": (None, [None], {"anyOf": [STRING, {"type": "null"}]}),
    "an empty list for one that may be left out": ([], [[1], ""], array(INTEGER)),
    "an empty string for one that may be left out": ("", ["Paris", ""], STRING),
}

REFUSED = {
    "another string": ("Rome", ["Paris"], STRING),
    "a longer string": ("Paris, France", ["Paris"], STRING),
    "a float for an int": (5.0, [5], INTEGER),
    "a string for an int": ("5", [5], INTEGER),
    "true for one": (True, [1], INTEGER),
    "one for true": (1, [True], BOOLEAN),
    "another order": ([2, 1], [[1, 2]], array(INTEGER)),
    "a shorter list": ([1], [[1, 2]], array(INTEGER)),
    "one item for a list": (1, [[1]], array(INTEGER)),
    "strings in a list of ints": (["1"], [[1]], array(INTEGER)),
    "ints in a list of floats, where the answer has floats": ([1], [[1.0]], array(NUMBER)),
    "another key": ({"unit": "cm"}, [{"units": ["cm"]}], OBJECT),
    "a key too few": ({}, [{"unit": ["cm"]}], OBJECT),
    "another value of a key": ({"unit": "mm"}, [{"unit": ["cm"]}], OBJECT),
    "objects in another order": ([{"a": 2}, {"a": 1}], [[{"a": [1]}, {"a": [2]}]], array(OBJECT)),
    "an object too few": ([{"a": 1}], [[{"a": [1]}, {"a": [2]}]], array(OBJECT)),
    "a string of another case, where the schema wants a number": ("X", ["x"], INTEGER),
    "a string of another case, where the answer is a number first": ("paris", [5, "Paris"], STRING),
    "null": (None, ["Paris"], STRING),
    "an empty string": ("", ["Paris"], STRING),
    "an empty list": ([], [[1]], array(INTEGER)),
}


@pytest.mark.parametrize("value, acceptable, schema", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(value, acceptable, schema):
    assert accepts(value, acceptable, schema)


@pytest.mark.parametrize("value, acceptable, schema", REFUSED.values(), ids=REFUSED.keys())
def test_refused(value, acceptable, schema):
    assert not accepts(value, acceptable, schema)


TOOL = Tool.model_validate(
    {
        "name": "f",
        "inputSchema": {"type": "object", "properties": {"a": STRING, "b": INTEGER, "c": STRING}, "required": ["a"]},
    }
)
WANTED = Expected(name="f", arguments={"a": ["x"], "b": [1, ""]})


@pytest.mark.parametrize(
    "arguments, why",
    [
        ({"a": "x"}, ""),
        ({"a": "x", "b": 1}, ""),
        ({"b": 1}, "a is missing"),
        ({"a": "x", "b": 2}, "b is 2, not one of [1, '']"),
        ({"a": "x", "c": "y"}, "c was not asked for"),
        ({"a": "x", "d": "y"}, "d was not asked for"),
    ],
)
def test_what_is_wrong_with_a_call_is_told(arguments, why):
    assert why_wrong(arguments, WANTED, TOOL) == why


def test_an_optional_argument_that_is_wanted_may_not_be_left_out():
    assert why_wrong({"a": "x"}, Expected(name="f", arguments={"a": ["x"], "b": [1]}), TOOL) == "b is missing"


def test_a_free_argument_may_be_anything_but_must_be_there_if_it_is_required():
    free = Expected(name="f", free=("a",))
    assert why_wrong({"a": "whatever"}, free, TOOL) == ""
    assert why_wrong({}, free, TOOL) == "a is missing"
