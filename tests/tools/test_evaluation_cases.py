"""The kit's own cases: fit to be used, and about the tools as they are."""

import evaluation_cases
import pytest

from helpers.evaluation.cases import read, select

CASES = read(evaluation_cases.FILE)


def test_the_file_is_what_its_generator_writes():
    assert evaluation_cases.cases() == CASES, "A tool has changed: python tools/evaluation_cases.py"


def test_all_kinds_are_there_in_both_halves():
    counts = {name: sum(case.category == name for case in CASES) for name in {case.category for case in CASES}}
    assert counts == {"one call": 35, "no call": 15, "several calls": 5, "several turns": 5}
    for ids in ("even", "odd"):
        assert {case.category for case in select(CASES, ids)} == set(counts)


def test_no_two_ask_the_same():
    assert len({case.turns[0].question for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", sorted({name for names in evaluation_cases.SETS.values() for name in names}))
def test_every_tool_that_is_offered_is_also_the_right_one_somewhere(name):
    used = {call.name for case in CASES for turn in case.turns for call in turn.calls}
    unused = {"maintenance.inspect", "maintenance.stop_line"}
    assert (name.split(".")[1] in used) != (name in unused)
