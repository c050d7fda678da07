"""Hints, solutions and progress: kept on disk, apart for each learner, and shown to an instructor."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.labs import Lab
from helpers.labs.errors import BadLearner, ProgressFailed, UnknownLab, UnknownStep
from helpers.labs.progress import Progress, gathered
from helpers.labs.steps import check, labs, plan


def double(number):
    return 2 * number


def test_a_lab_or_step_that_is_not_there_is_named_with_those_that_are(cache):
    with pytest.raises(UnknownLab, match="There are: "):
        Lab("piracy")
    with pytest.raises(UnknownStep, match="Did you mean 'double'"):
        Lab("practice").check("duoble", double)


def test_hints_come_one_after_the_other_for_the_step_that_was_last_tried(cache):
    lab, step = Lab("practice"), plan("practice").step("tell")
    lab.check("tell", None)
    for number, hint in enumerate(step.hints, 1):
        assert lab.hint() == f"tell, hint {number} of 3: {hint}"
    assert all(hint in lab.hint() for hint in step.hints)


def test_hints_are_for_the_first_step_that_is_open_if_nothing_was_tried_or_the_last_is_passed(cache):
    lab = Lab("practice")
    assert lab.hint().startswith("double, hint 1")
    lab.check("double", double)
    assert lab.hint().startswith("tell, hint 1")


def test_the_solution_is_shown_when_asked_twice(cache):
    lab = Lab("practice")
    assert "not passed yet" in lab.solution("tell")
    assert "send(text.strip())" in lab.solution("tell")
    assert "not passed yet" in lab.solution("double")  # each step for itself


def test_the_solution_is_shown_after_a_pass(cache):
    lab = Lab("practice")
    lab.check("double", double)
    assert "return 2 * number" in lab.solution()
    assert repr(lab.solution()) == str(lab.solution())


def test_a_new_kernel_goes_on_where_the_last_was(cache):
    Lab("practice").check("double", double)
    Lab("practice").hint("tell")
    again = Lab("practice")
    assert again.progress().passed == ["double"]
    assert again.hint("tell").startswith("tell, hint 2")


def test_a_pass_is_not_lost_by_a_later_failure(cache):
    lab = Lab("practice")
    lab.check("double", double)
    lab.check("double", None)
    assert lab.progress().passed == ["double"]


def test_reset_forgets_one_step_and_gives_its_cell(cache):
    lab = Lab("practice")
    lab.check("double", double)
    lab.check("limits", {"least": 1, "most": 2})
    assert "raise NotImplementedError" in lab.reset("double")
    assert lab.progress().passed == ["limits"]


def test_learners_do_not_collide(cache):
    Lab("practice", learner="maria").check("double", double)
    assert Lab("practice", learner="josef").progress().passed == []
    assert Lab("practice", learner="maria").progress().passed == ["double"]
    assert Lab("practice", learner="maria").file != Lab("practice", learner="josef").file


@pytest.mark.parametrize("name", ["../maria", "", "a/b", ".hidden", "x" * 65, "a\nb"])
def test_a_name_that_leads_out_of_the_folder_is_refused(cache, name):
    with pytest.raises(BadLearner, match="cannot be a learner's name"):
        Progress.of(cache, name, "practice")


def test_a_hub_tells_its_learners_apart(cache, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "josef")
    assert Lab("practice").learner == "josef"


def test_the_board_says_where_one_stands(cache):
    lab = Lab("practice")
    lab.check("double", double)
    lab.check("tell", None)
    assert "1 of 3 steps passed  ●◐○" in repr(lab.progress())
    assert repr(lab.progress()).endswith("Next: tell")
    assert "● passed, ◐ tried, ○ not tried yet" in repr(lab.progress())
    assert "<b>double</b>" in lab.progress()._repr_html_()


def test_a_folder_of_files_becomes_a_table_of_the_class(cache):
    maria, josef = Lab("practice", learner="maria"), Lab("practice", learner="josef")
    maria.check("double", double)
    maria.check("double", None)
    josef.solution("tell"), josef.solution("tell"), josef.hint("tell")
    (cache / "labs" / "other.json").write_text('{"steps": 3}')
    (cache / "labs" / "broken.json").write_text("{")
    table = Lab("practice").progress(cache / "labs")
    assert list(table.index) == ["josef", "maria"]
    assert table.loc["maria", ["double", "tell", "passed", "tries"]].tolist() == ["●", "○", 1, 2]
    assert table.loc["josef", ["tell", "passed", "hints"]].tolist() == ["○*", 0, 1]


def test_an_empty_folder_is_an_empty_class(tmp_path):
    assert gathered(tmp_path) == []


def test_a_broken_file_is_kept_beside_and_begun_anew(cache):
    lab = Lab("practice")
    lab.check("double", double)
    lab.file.write_text("{")
    assert lab.progress().passed == []
    assert lab.file.with_suffix(".broken").read_text() == "{"
    assert lab.check("double", double)


def test_two_kernels_of_one_learner_lose_nothing(progress):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: progress.tried("double", passed=False), range(40)))
    assert progress.read().of("double").tries == 40


def test_a_file_is_whole_while_it_is_written(progress):
    progress.tried("double", passed=True)
    stop, broken = threading.Event(), []

    def read():
        while not stop.is_set():
            try:
                json.loads(progress.path.read_text())
            except ValueError as error:
                broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        progress.tried("double", passed=False)
    stop.set()
    reader.join()
    assert broken == []


def test_a_verdict_is_given_even_if_it_cannot_be_noted(cache, monkeypatch):
    (cache / "labs").write_text("a file in the place of the folder")
    verdict = Lab("practice").check("double", double)
    assert verdict
    assert "WORKSHOP_CACHE_DIR" in repr(verdict)
    with pytest.raises(ProgressFailed, match="WORKSHOP_CACHE_DIR"):
        Lab("practice").hint()


def test_nobody_else_can_read_the_progress(cache):
    lab = Lab("practice")
    lab.check("double", double)
    assert lab.file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("lab", labs())
def test_every_step_has_a_check_three_hints_a_todo_and_a_solution(lab):
    for step in plan(lab).steps:
        assert check(lab, step).__doc__
        assert "TODO" in step.todo
        assert "TODO" not in step.solution
        assert len(step.hints) == 3
        assert len(set(step.hints)) == 3
        assert all(len(hint.split()) >= 5 for hint in step.hints)
        assert given_away(step) == []


def given_away(step):
    """Lines of the solution, not of the exercise, that stand in a hint."""
    own = {line.strip() for line in step.solution.splitlines()} - {line.strip() for line in step.todo.splitlines()}
    return [line for line in own for hint in step.hints if len(line) > 8 and line in hint]


def test_a_hint_that_holds_the_solution_is_seen():
    from dataclasses import replace

    step = plan("practice").step("tell")
    assert given_away(replace(step, hints=("a", "b", "Write send(text.strip()) there.")))
