"""The factories' lab: what is not solved fails by name, what is solved passes, what is nearly right is told why not."""

import math

import pytest

from helpers.labs.manufacturing.plants import FACTORIES, LIMIT, MACHINES, line_of, readings
from helpers.labs.manufacturing.program import deploy
from helpers.labs.manufacturing.rules import SEVERITY, SOON, correlate, hours_left
from helpers.labs.progress import Progress
from helpers.labs.steps import plan
from helpers.settings.settings import ROOT
from tests.labs import judged_here, manufacturing_wrong

LAB = plan("manufacturing")
FOLDER = ROOT / "labs/manufacturing"
STEPS = pytest.mark.parametrize("step", LAB.steps, ids=lambda step: step.name)


@pytest.fixture
def progress(tmp_path):
    return Progress.of(tmp_path, "maria", "manufacturing")


@STEPS
def test_what_a_learner_prints_or_returns_for_everything_does_not_pass(step, progress):
    def printed(*given, **named):
        print(f"✓ {step.name}: passed")

    assert not judged_here.verdict("manufacturing", step.name, printed, progress)


def test_visible_cases_cannot_be_hard_coded(progress):
    """Whoever learns all numbers of one check by heart fails the next."""
    known = {}

    def note(diameter, roughness):
        return known.get((diameter, roughness), "pass")

    for _ in range(12):
        verdict = judged_here.verdict("manufacturing", "grade", note, progress)
        assert not verdict
        given = verdict.case.partition(": ")[2].replace(" mm", "").replace(" µm", "").split(", ")
        key = tuple(None if one == "None" else float(one) for one in given)
        known[key] = verdict.expected.strip("'")


def test_every_step_has_three_wrong_answers_that_differ():
    for step in LAB.steps:
        answers = manufacturing_wrong.WRONG[step.name]
        assert len(answers) >= 3
        assert len({told for _, told in answers}) == len(answers)


def test_the_instructor_is_told_of_every_step():
    told = (FOLDER / "instructor.md").read_text()
    assert all(f"`{step.name}`" in told for step in LAB.steps)


def test_the_telemetry_is_the_same_for_the_same_seed_and_another_for_another():
    for factory in FACTORIES:
        assert readings(factory, 1) == readings(factory, 1) != readings(factory, 2)


def test_one_lot_wears_out_in_both_factories_whatever_the_noise():
    for seed in range(20):
        (incident,) = correlate([one for factory in FACTORIES for one in summaries(factory, seed)])
        assert incident["lot"] == "B-204"
        assert incident["machines"] == ["tannau/lathe-1", "tannau/router-4", "uhlenhorst/router-1"]
        assert 0 < incident["hours_left"] < SOON


def test_the_most_urgent_bearing_is_no_incident_for_its_lot_wears_in_one_factory_only():
    left = {one["machine"]: one["hours_left"] or math.inf for one in summaries("tannau", 20260302)}
    assert min(left, key=left.get) == "sander-2"


def summaries(factory, seed):
    rows = readings(factory, seed)
    own = {name: [one for one in rows if one["machine"] == name] for name, *_ in MACHINES[factory]}
    return [
        {"factory": factory, "machine": name, "lot": some[0]["lot"], "hours_left": hours_left(some, LIMIT)}
        for name, some in own.items()
    ]


def test_what_is_deployed_runs_without_the_notebook(tmp_path):
    names = {}
    exec(deploy(tmp_path / "cells.py", manufacturing_wrong.bounds_are_bad).read_text(), names)
    assert names["bounds_are_bad"](names["THINNEST"], 1.0) == "reject"
    assert names["Stop"](minutes=30).minutes == 30


def test_every_machine_stands_in_a_line():
    assert {line_of(name) for machines in MACHINES.values() for name, *_ in machines} == {
        "cutting",
        "turning",
        "finishing",
    }


def test_no_verdict_is_named_twice():
    assert len(set(SEVERITY)) == len(SEVERITY) == 4
