"""Runs go on where they were, however they ended; nothing is lost, and nothing is counted twice."""

import asyncio
import subprocess
import sys

import pytest
from filelock import FileLock

from helpers.evaluation.cases import write
from helpers.evaluation.errors import ModelFailed, RunUnusable
from helpers.evaluation.models import Evaluated
from helpers.evaluation.results import read_configuration, read_results
from helpers.evaluation.runner import ERRORS_IN_A_ROW, run
from tests.evaluation.making import ONE, TWO, Script, case

RIGHT = [("stock", {"medicine": "Dantrolene"})]
RESERVED = [("reserve", {"medicine": "Dantrolene", "units": 2})]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "run" / "results.jsonl"


def go(cases, model, file, **more):
    return run(cases, model, file, progress=False, **more)


def questions(numbers, **more):
    return [
        case(number=number, turns=[{"question": f"Question {number}?", "calls": [ONE]}], **more) for number in numbers
    ]


def asked_of(model):
    return [messages[0]["content"][0]["text"] for messages, *_ in model.heard]


def test_results_come_in_the_order_of_the_cases_and_are_in_the_file(file):
    results = go([case(ONE), case(ONE, number=2), case(number=3)], Script(RIGHT, "No.", "Hello"), file)
    assert [result.score.verdict for result in results] == ["right", "no call", "right"]
    assert read_results(file) == results and results[0].replies[0].tokens_out == 3


def test_a_second_run_asks_nothing(file):
    first = go(questions(range(3)), Script(RIGHT), file)
    silent = Script(AssertionError("was asked"))
    assert go(questions(range(3)), silent, file) == first and not silent.heard


def test_more_cases_are_added_to_those_that_are_there(file):
    go(questions(range(2)), Script(RIGHT), file)
    model = Script(RIGHT)
    assert len(go(questions(range(4)), model, file)) == 4
    assert asked_of(model) == ["Question 2?", "Question 3?"]


def test_a_changed_case_is_asked_again_and_only_the_new_result_counts(file):
    go(questions(range(3)), Script(RIGHT), file)
    cases = questions(range(3))
    cases[1] = case(number=1, turns=[{"question": "Another?", "calls": [TWO]}])
    model = Script(RESERVED)
    results = go(cases, model, file)
    assert asked_of(model) == ["Another?"] and all(result.right for result in results)
    assert read_results(file) == results


def test_a_case_that_is_changed_back_has_its_first_result_again(file):
    first = go(questions([1]), Script(RIGHT), file)
    go([case(number=1, turns=[{"question": "Another?", "calls": [TWO]}])], Script("No."), file)
    model = Script("?")
    assert go(questions([1]), model, file) == read_results(file) == first and not model.heard


@pytest.mark.parametrize("kept", [0, 1, 60])
def test_half_a_line_at_the_end_is_dropped_and_its_case_asked_again(file, kept):
    first = go(questions(range(3)), Script(RIGHT), file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]) + lines[-1][:kept])
    model = Script(RIGHT)
    again = go(questions(range(3)), model, file)
    assert asked_of(model) == ["Question 2?"]
    assert [result.score for result in again] == [result.score for result in first]
    assert len(file.read_bytes().splitlines()) == 4


def test_half_a_first_line_is_dropped_too(file):
    go(questions(range(1)), Script(RIGHT), file)
    file.write_bytes(file.read_bytes()[:10])
    assert go(questions(range(1)), Script(RIGHT), file)[0].right


def test_a_run_that_is_killed_in_the_middle_goes_on_where_it_was(file, tmp_path, no_survivors):
    write(tmp_path / "cases.jsonl", cases := questions(range(5)))
    command = [sys.executable, "-m", "tests.evaluation.killed", tmp_path / "cases.jsonl", file, "Question 3?"]
    killed = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"waiting\n"
    killed.kill()
    killed.wait()
    killed.stdout.close()
    with file.open("ab") as half:
        half.write(b'{"id": "case_3", "cat')  # as if it had been killed while it wrote
    model = Script("In words.")
    assert [result.id for result in go(cases, model, file)] == [each.id for each in cases]
    assert asked_of(model) == ["Question 3?", "Question 4?"]


def test_a_damaged_line_in_the_middle_is_told_with_its_number(file):
    go(questions(range(3)), Script(RIGHT), file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b'{"id": "case_0"}\n' + b"".join(lines[2:]))
    with pytest.raises(RunUnusable, match=r"results\.jsonl, line 2 is no result \(category: Field required\)"):
        go(questions(range(3)), Script(RIGHT), file)


def test_another_file_is_not_taken_for_results(file):
    file.parent.mkdir()
    file.write_text('{"id": "case_1"}\n')
    with pytest.raises(RunUnusable, match="is no file of results"):
        go(questions(range(1)), Script(RIGHT), file)
    assert file.read_text() == '{"id": "case_1"}\n'


def test_another_configuration_needs_another_file(file):
    go(questions(range(1)), Evaluated(Script(RIGHT, temperature=0), {"template": "a"}), file)
    assert read_configuration(file) == {"class": "Script", "temperature": 0, "template": "a"}
    with pytest.raises(RunUnusable, match=r"another configuration \(template: a then, b now\)"):
        go(questions(range(1)), Evaluated(Script(RIGHT, temperature=0), {"template": "b"}), file)


def test_two_runs_do_not_write_to_one_file(file):
    file.parent.mkdir()
    with FileLock(f"{file}.lock"), pytest.raises(RunUnusable, match="Another run writes to"):
        go(questions(range(1)), Script(RIGHT), file)


def test_an_error_is_recorded_and_wrong_and_tried_again_the_next_time(file):
    model = Script(RIGHT, ConnectionError("the link is cut"), RIGHT)
    results = go(questions(range(3)), model, file)
    assert [result.score.verdict for result in results] == ["right", "error", "right"]
    assert results[1].error == "ConnectionError: the link is cut" and read_results(file) == results
    again = Script(RIGHT)
    assert all(result.right for result in go(questions(range(3)), again, file))
    assert asked_of(again) == ["Question 1?"]


def test_several_errors_in_a_row_end_the_run_and_keep_what_was_done(file):
    model = Script(RIGHT, ConnectionError("gone"))
    with pytest.raises(ModelFailed, match=rf"{ERRORS_IN_A_ROW} cases in a row .* ConnectionError: gone"):
        go(questions(range(20)), model, file)
    assert len(model.heard) == 1 + ERRORS_IN_A_ROW
    assert [bool(result.error) for result in read_results(file)] == [False] + [True] * ERRORS_IN_A_ROW


class Silent(Script):
    """Never answers."""

    async def stream(self, *_, **__):
        await asyncio.Event().wait()
        yield {}


def test_a_model_that_never_answers_is_an_error(file):
    (result,) = go(questions(range(1)), Silent("?"), file, seconds=0.01)
    assert result.error == "TimeoutError: no answer within 0.01 seconds."


TURNS = [
    {"question": "How many?", "calls": [ONE], "results": ["36 units"]},
    {},
    {"question": "Reserve two.", "calls": [TWO]},
]


def test_several_turns_are_one_conversation(file):
    model = Script(RIGHT, "There are 36.", RESERVED)
    (result,) = go([case(turns=TURNS)], model, file)
    assert result.right and len(result.replies) == 3
    last = model.heard[-1][0]
    assert [message["role"] for message in last] == ["user", "assistant", "user", "assistant", "user"]
    assert "36 units" in str(last[2]) and "There are 36." in str(last[3])


def test_a_case_of_several_turns_ends_with_the_first_wrong_one(file):
    model = Script(RIGHT, RIGHT)
    (result,) = go([case(turns=TURNS)], model, file)
    assert (result.score.verdict, result.score.turns, len(model.heard)) == ("call not wanted", 1, 2)


def test_stored_replies_are_judged_by_todays_rules(file):
    go([case(ONE)], Script("No."), file)
    file.write_text(file.read_text().replace('"verdict":"no call"', '"verdict":"right"'))
    assert go([case(ONE)], Script("?"), file)[0].score.verdict == "no call"


def test_a_run_works_where_an_event_loop_runs_already(file):
    async def cell():
        return go(questions(range(2)), Script(RIGHT), file)

    assert [result.right for result in asyncio.run(cell())] == [True, True]
