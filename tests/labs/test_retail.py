"""The stores' lab: what is not solved fails by name, what is solved passes, what is nearly right is told why not."""

import random
from pathlib import Path

import pytest

from helpers.labs.progress import Progress
from helpers.labs.retail.season import BARREL, FEWEST, STORES, receipts
from helpers.labs.retail.store import sums
from helpers.labs.steps import plan
from tests.labs import retail_wrong
from tests.labs.cells import cell

LAB = plan("retail")
FOLDER = Path(__file__).parents[2] / "labs/retail"


@pytest.fixture
def progress(tmp_path):
    return Progress.of(tmp_path, "maria", "retail")


def test_every_step_has_at_least_three_wrong_answers_with_messages_that_differ():
    for step in LAB.steps:
        assert len({told for _, told in retail_wrong.WRONG[step.name]}) >= 3


def test_receipts_are_the_same_each_time_and_other_ones_in_each_store():
    assert receipts("arnsee") == receipts("arnsee") != receipts("taldorf")


def test_some_weeks_are_not_told_and_no_card_is_in_the_sums():
    weeks = [week for store in STORES for told in sums(receipts(store)).values() for week in told]
    assert None in weeks
    assert "KC-" not in repr(weeks)
    assert FEWEST == 3


def test_rain_barrels_can_be_forecast_in_every_store():
    solved = cell("retail", LAB.step("forecast"), LAB.step("forecast").solution)
    assert all(solved(sums(receipts(store))[BARREL]) for store in STORES)


def test_the_program_of_a_store_sums_as_the_solution_does():
    solved = cell("retail", LAB.step("weekly"), LAB.step("weekly").solution)
    chance = random.Random(5)
    lines = [
        {"card": f"KC-{chance.randint(1, 4)}", "week": chance.randint(1, 6), "sku": chance.choice("ab"), "quantity": 1}
        for _ in range(40)
    ]
    assert sums(lines) == solved(lines)
    assert sums(receipts("arnsee")) == solved(receipts("arnsee"))


def test_the_picture_says_what_it_shows():
    text = (FOLDER / "stores.svg").read_text("utf-8")
    assert "<title" in text
    assert "<desc" in text


def test_the_instructors_page_speaks_of_every_step():
    page = (FOLDER / "instructor.md").read_text("utf-8")
    assert [step.name for step in LAB.steps if step.name not in page] == []
