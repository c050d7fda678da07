"""Steps of all labs: what is not solved fails by name, what is solved passes, what is nearly right is told why not."""

import pytest

from helpers.labs.progress import Progress
from helpers.labs.running import run
from helpers.labs.steps import plan
from tests.labs import finance_wrong, healthcare_wrong, judged_here, manufacturing_wrong, retail_wrong
from tests.labs.cells import cell

WRONG = {
    "finance": finance_wrong.WRONG,
    "healthcare": healthcare_wrong.WRONG,
    "manufacturing": manufacturing_wrong.WRONG,
    "retail": retail_wrong.WRONG,
}
STEPS = pytest.mark.parametrize(
    ("lab", "step"),
    [pytest.param(lab, step, id=f"{lab}-{step.name}") for lab in WRONG for step in plan(lab).steps],
)
ANSWERS = [
    pytest.param(lab, step, answer, told, id=f"{lab}-{step}-{number}")
    for lab, steps in WRONG.items()
    for step, answers in steps.items()
    for number, (answer, told) in enumerate(answers)
]
MOST_LINES = {"retail": 20}
ONCE = {("healthcare", "send")}  # it starts a campus


@pytest.fixture
def progress(tmp_path, lab):
    return Progress.of(tmp_path, "maria", lab)


@STEPS
def test_the_untouched_exercise_fails_with_a_message_that_names_the_step(lab, step, progress):
    verdict = run(lab, step.name, cell(lab, step, step.todo), progress)
    assert not verdict
    assert repr(verdict).startswith(f"✗ {step.name}: not yet.")
    assert lab == "finance" or "TODO" in verdict.seen
    assert lab != "manufacturing" or "the TODO, which is still there" in verdict.seen
    assert verdict.look


@STEPS
def test_the_solution_passes_whatever_the_hidden_cases_are(lab, step, progress):
    for seed in (None,) if (lab, step.name) in ONCE else (None, 7):
        verdict = run(lab, step.name, cell(lab, step, step.solution), progress, seed)
        assert verdict, verdict
        assert verdict.notes == ()


@pytest.mark.parametrize(("lab", "name", "answer", "told"), ANSWERS)
def test_a_plausible_wrong_answer_fails_with_a_message_that_points_at_the_mistake(lab, name, answer, told, progress):
    judge = judged_here.verdict if lab == "manufacturing" else run
    verdict = judge(lab, name, answer, progress)
    assert not verdict
    assert lab != "retail" or "led to" not in verdict.seen, verdict
    assert told in verdict.look, verdict


@STEPS
def test_a_todo_is_about_ten_lines(lab, step):
    changed = [line for line in step.solution.splitlines() if line not in step.todo.splitlines()]
    assert 3 <= len(changed) <= MOST_LINES.get(lab, 18)
    assert max(map(len, step.solution.splitlines())) <= 130
