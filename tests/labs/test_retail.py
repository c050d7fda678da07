"""The stores' lab: what is not solved fails by name, what is solved passes, what is nearly right is told why not."""

import random
from pathlib import Path

import pytest

from helpers.labs.progress import Progress
from helpers.labs.retail.season import BARREL, FEWEST, STORES, receipts
from helpers.labs.retail.store import sums
from helpers.labs.running import run
from helpers.labs.steps import plan
from tests.labs import retail_wrong

LAB = plan("retail")
FOLDER = Path(__file__).parents[2] / "labs/retail"
STEPS = pytest.mark.parametrize("step", LAB.steps, ids=lambda step: step.name)
WRONG = [
    pytest.param(step, answer, told, id=f"{step}-{getattr(answer, '__name__', '')}-{number}")
    for step, answers in retail_wrong.WRONG.items()
    for number, (answer, told) in enumerate(answers)
]
NAMES = {}
exec(LAB.setup, NAMES)


def cell(step, text):
    """What a cell defines, after the first cell of the notebook."""
    names = dict(NAMES)
    exec(text, names)
    return names[step.defines]


@pytest.fixture
def progress(tmp_path):
    return Progress.of(tmp_path, "maria", "retail")


@STEPS
def test_the_untouched_exercise_fails_with_a_message_that_names_the_step(step, progress):
    verdict = run("retail", step.name, cell(step, step.todo), progress)
    assert not verdict
    assert repr(verdict).startswith(f"✗ {step.name}: not yet.")
    assert "TODO" in verdict.seen
    assert verdict.look


@STEPS
def test_the_solution_passes_whatever_the_hidden_cases_are(step, progress):
    verdict = run("retail", step.name, cell(step, step.solution), progress)
    assert verdict, verdict
    assert verdict.notes == ()


@pytest.mark.parametrize(("name", "answer", "told"), WRONG)
def test_a_plausible_wrong_answer_fails_with_a_message_that_points_at_the_mistake(name, answer, told, progress):
    verdict = run("retail", name, answer, progress)
    assert not verdict
    assert "led to" not in verdict.seen, verdict
    assert told in verdict.look, verdict


def test_every_step_has_at_least_three_wrong_answers_with_messages_that_differ():
    for step in LAB.steps:
        assert len({told for _, told in retail_wrong.WRONG[step.name]}) >= 3


@STEPS
def test_a_todo_is_about_ten_lines(step):
    changed = [line for line in step.solution.splitlines() if line not in step.todo.splitlines()]
    assert 3 <= len(changed) <= 20
    assert max(map(len, step.solution.splitlines())) <= 130


def test_receipts_are_the_same_each_time_and_other_ones_in_each_store():
    assert receipts("arnsee") == receipts("arnsee") != receipts("taldorf")


def test_some_weeks_are_not_told_and_no_card_is_in_the_sums():
    weeks = [week for store in STORES for told in sums(receipts(store)).values() for week in told]
    assert None in weeks
    assert "KC-" not in repr(weeks)
    assert FEWEST == 3


def test_rain_barrels_can_be_forecast_in_every_store():
    solved = cell(LAB.step("forecast"), LAB.step("forecast").solution)
    assert all(solved(sums(receipts(store))[BARREL]) for store in STORES)


def test_the_program_of_a_store_sums_as_the_solution_does():
    solved = cell(LAB.step("weekly"), LAB.step("weekly").solution)
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
