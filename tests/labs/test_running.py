"""Whatever a learner's code does, the check ends in time, says so, and the next one can go on."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest

from helpers.labs import judging, running
from helpers.labs.errors import JudgeFailed
from helpers.labs.practice import checks
from helpers.labs.running import run
from tests.waiting import until

IDLE = "import time; time.sleep(600)"
made = {"count": 0}


def right(number):
    return 2 * number


def todo(number):
    raise NotImplementedError


def stubborn(number):
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            continue


def endless(number):
    while True:
        number += 1


def breaks_state(number):
    made.clear()
    checks.double = None
    return made["count"]


def starts_a_server(number):
    subprocess.Popen([sys.executable, "-c", IDLE])
    subprocess.Popen([sys.executable, "-c", IDLE], start_new_session=True)
    threading.Thread(target=time.sleep, args=(600,), name="server").start()
    return 2 * number


def forks(number):
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,), daemon=True).start()
    return 2 * number


WRONG = {
    "raises": (lambda number: number / 0, "ZeroDivisionError: division by zero"),
    "raises where it stands": (lambda number: number / 0, "line "),
    "ends Python": (lambda number: sys.exit(), "SystemExit"),
    "ends the process": (lambda number: os._exit(0), "the process in which it ran has ended"),
    "crashes": (lambda number: os.abort(), "the process in which it ran has ended"),
    "takes all memory": (lambda number: [0] * 10**11, "MemoryError"),
    "returns too much": (lambda number: "x" * 10**7, "more than 2,000,000 characters"),
    "returns nothing": (lambda number: None, "seen:     None"),
    "returns a text": (lambda number: str(2 * number), "seen:     '42'"),
    "returns a float": (lambda number: 2.0 * number, "seen:     42.0"),
    "is no function": (42, "expected: a function"),
    "takes other arguments": (lambda: 42, "TypeError"),
    "is not done": (todo, "the TODO, which is still there"),
    "prints": (lambda number: print("✓ double: passed"), "what is printed is not judged"),
    "knows the visible case": ({21: 42}.get, "seen:     None"),
    "breaks what the notebook has": (breaks_state, "KeyError"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_and_named_after_the_step(progress, name):
    value, told = WRONG[name]
    verdict = run("practice", "double", value, progress)
    assert not verdict
    assert repr(verdict).startswith("✗ double: not yet.")
    assert told in repr(verdict)
    assert run("practice", "double", right, progress)  # the next one goes on
    assert made == {"count": 0}


@pytest.mark.parametrize("value", [endless, stubborn])
def test_a_loop_without_an_end_is_ended(progress, value, no_survivors):
    begun = time.monotonic()
    verdict = run("practice", "double", value, progress)
    assert "an answer within 1 s of computing" in repr(verdict)
    assert time.monotonic() - begun < 30  # far from for ever, on a slow machine too


def test_a_loop_is_told_with_the_line_where_it_was(progress):
    assert ", in endless: " in repr(run("practice", "double", endless, progress))


def test_processes_and_threads_that_are_left_are_ended_and_named(progress):
    verdict = run("practice", "double", starts_a_server, progress)
    assert verdict.passed
    assert "left threads running, which were ended: server" in repr(verdict)
    assert "left processes running" in repr(verdict)
    until(lambda: not [one for one in psutil.process_iter() if IDLE in _words(one)])


def test_forked_children_are_ended(progress):
    before = psutil.Process().children()
    verdict = run("practice", "double", forks, progress)
    assert "left processes running" in repr(verdict)
    assert psutil.Process().children() == before


def test_a_check_within_a_running_event_loop_takes_a_coroutine(progress):
    import asyncio

    async def doubled(number):
        await asyncio.sleep(0)
        return 2 * number

    async def cell():
        return run("practice", "double", doubled, progress)

    assert asyncio.run(cell())


def test_callbacks_reach_the_judge(progress):
    assert run("practice", "tell", lambda send, text: send(text.strip()), progress)
    twice = run("practice", "tell", lambda send, text: [send(text.strip()), send(text.strip())], progress)
    assert "['hello', 'hello']" in repr(twice)


def test_a_value_that_is_data_is_looked_at(progress):
    assert run("practice", "limits", {"least": 1, "most": 2}, progress)
    assert "the keys" in repr(run("practice", "limits", {"least": 1}, progress))
    assert "(object)" in repr(run("practice", "limits", object(), progress))


def test_a_value_of_another_shape_fails_without_an_error(progress):
    assert "first below the second" in repr(run("practice", "limits", {"least": 1, "most": None}, progress))
    assert not run("practice", "limits", {"least": [1], "most": {}}, progress)


def test_patching_the_checks_of_the_notebook_changes_nothing(progress, monkeypatch):
    monkeypatch.setattr(checks, "double", lambda *_: None)
    monkeypatch.setattr(judging.Learner, "expect", lambda *_: None)
    monkeypatch.setattr(judging.Learner, "call", lambda *_: 42)
    assert not run("practice", "double", lambda number: None, progress)


def test_patching_the_runner_leaves_no_pass_behind(progress, monkeypatch):
    monkeypatch.setattr(running, "_judge", lambda order: running.Verdict(order["step"], True))
    running.run("practice", "double", lambda number: None, progress)
    assert not progress.read().of("double").passed


def test_a_module_of_the_learner_is_not_taken_for_the_judge(progress, monkeypatch, tmp_path):
    (tmp_path / "random.py").write_text("raise SystemExit")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run("practice", "double", right, progress)


def test_the_visible_cases_are_not_all(progress):
    shown = run("practice", "double", lambda number: {21: 42, 4: 8}.get(number), progress, seed=1)
    assert shown.case != "double(21)"
    again = run("practice", "double", lambda number: {21: 42, 4: 8}.get(number), progress, seed=2)
    assert shown.case != again.case  # drawn anew


def test_a_judge_that_is_broken_is_the_kits_fault(progress, monkeypatch):
    monkeypatch.setattr(running, "START", "raise RuntimeError('no judge')")
    before = psutil.Process().children()
    with pytest.raises(JudgeFailed, match="no judge"):
        run("practice", "double", right, progress)
    assert psutil.Process().children() == before


def test_a_check_that_takes_too_long_in_all_ends(progress, monkeypatch):
    monkeypatch.setattr(running, "START", IDLE)
    monkeypatch.setattr(running, "MOST_SECONDS", 0.2)
    assert "still running" in repr(run("practice", "double", right, progress))


def _words(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
