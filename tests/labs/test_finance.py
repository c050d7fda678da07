"""The bank's lab: what is not solved fails by name, what is solved passes, what is nearly right is told why not."""

import ast
import asyncio
import inspect
import json
import re

import pytest

from helpers.labs.finance.day import HOME, records, write_day
from helpers.labs.finance.rules import bursts, structuring
from helpers.labs.progress import Progress
from helpers.labs.running import run
from helpers.labs.steps import plan
from tests.labs import finance_wrong
from tests.labs.cells import cell
from tests.notebooks import structure

LAB = plan("finance")
STEPS = pytest.mark.parametrize("step", LAB.steps, ids=lambda step: step.name)


@pytest.fixture
def progress(tmp_path):
    return Progress.of(tmp_path, "maria", "finance")


@STEPS
def test_printing_passes_no_step(step, progress):
    def prints(*arguments, **named):
        print(f"✓ {step.name}: passed")

    assert not run("finance", step.name, prints, progress)
    assert not progress.read().of(step.name).passed


@pytest.mark.parametrize("name", ["transactions", "bursts", "structuring", "audit", "verify"])
def test_answers_learned_by_heart_pass_no_step(name, progress, tmp_path):
    step, file = LAB.step(name), tmp_path / "answers"
    solved = cell("finance", step, step.solution)

    def noting(*arguments, **named):
        with file.open("a") as notes:
            notes.write(json.dumps([repr((arguments, named)), repr(solved(*arguments, **named))]) + "\n")
        return solved(*arguments, **named)

    def by_heart(*arguments, **named):
        return ast.literal_eval(table[repr((arguments, named))])

    run("finance", name, noting, progress, seed=1)
    table = dict(json.loads(line) for line in file.read_text().splitlines())
    assert table
    assert "KeyError" in repr(run("finance", name, by_heart, Progress.of(tmp_path, "josef", "finance"), seed=2))


def test_every_step_has_three_wrong_answers_that_differ():
    for step in LAB.steps:
        answers = finance_wrong.WRONG[step.name]
        assert len(answers) >= 3
        assert len({told for _, told in answers}) == len(answers)


def test_a_policy_that_is_refused_is_told_by_the_names_that_stand_in_it(progress):
    seen = run("finance", "guardrail", finance_wrong.but(finance_wrong.mask), progress).seen
    assert (
        seen.count("sensitiveInformationPolicyConfig.regexesConfig[0].action: ") == seen.count("Input should be") == 1
    )
    assert "inputAction" not in seen


def test_the_day_is_the_same_for_the_same_seed_and_another_for_another(tmp_path):
    assert records(1) == records(1) != records(2)
    assert write_day(tmp_path / "day.sqlite") == write_day(tmp_path / "day.sqlite")


def test_what_is_planted_is_found_and_nothing_else():
    for seed in range(20):
        accounts, rows = records(seed)
        homes = {account.account_id for account in accounts if account.country == HOME}
        day = [vars(row) for row in rows if row.account_id in homes]
        assert (len(bursts(day)), len(structuring(day))) == (2, 2), seed


def test_what_the_notebook_puts_together_freezes_and_is_verified(tmp_path):
    names = {"database": str(write_day(tmp_path / "day.sqlite"))}
    block = re.findall(
        r"```python\n(.*?)```", structure.prose(structure.ROOT / "labs/finance/exercise.ipynb"), re.DOTALL
    )[-1]
    for text in (LAB.setup, *(step.solution for step in LAB.steps), block):
        running = eval(compile(text, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.iscoroutine(running):
            asyncio.run(running)
    assert len(names["findings"]) == 4
    assert [entry["event"]["what"] for entry in names["trail"]] == ["asked", "answered", "frozen"] * 4
    assert names["verify"](names["trail"], names["trail"][-1]["hash"]) is None
    names["trail"][2]["event"]["who"] = "Nobody"
    assert names["verify"](names["trail"]) == 3


def test_wrong_answers_are_written_out():
    for answers in finance_wrong.WRONG.values():
        assert all(not inspect.isfunction(answer) or answer.__name__ != "<lambda>" for answer, _ in answers)
