"""The hospital's lab: what is not solved fails by name, what is solved passes, what is nearly right is told why not."""

import inspect

import pytest

from helpers.labs.healthcare import model, peers
from helpers.labs.healthcare.boundary_checks import MEDICINES, _started
from helpers.labs.healthcare.round_checks import JUDGE, READER
from helpers.labs.healthcare.ward import patients, write_ward
from helpers.labs.judging import Wrong
from helpers.labs.progress import Progress
from helpers.labs.steps import plan
from helpers.sites.errors import ProgramFailed
from tests.labs import healthcare_wrong

LAB = plan("healthcare")


@pytest.fixture
def progress(tmp_path):
    return Progress.of(tmp_path, "maria", "healthcare")


def test_every_step_has_three_wrong_answers_that_are_written_out():
    for step in LAB.steps:
        answers = healthcare_wrong.WRONG[step.name]
        assert len({answer for answer, _ in answers}) == len(answers) >= 3
        assert all(inspect.unwrap(answer).__name__ != "<lambda>" for answer, _ in answers)


def test_a_ward_is_the_same_for_the_same_seed_and_another_for_another(tmp_path):
    assert patients(1) == patients(1) != patients(2)
    assert {person.ward for person in patients(1)} == {None, "A2"}
    assert write_ward(tmp_path / "ward.sqlite", patients(1)).exists()


def test_the_checks_know_what_the_first_cell_says():
    names = {}
    exec(LAB.setup, names)
    assert names["MEDICINES"] == MEDICINES
    assert names["JUDGE"].startswith(JUDGE)
    assert names["READER"].startswith(READER)


def test_the_scripted_model_reserves_what_is_asked_for_and_says_what_the_tool_said():
    asked = [{"role": "user", "content": "Reserve 2 units of Prothrombin complex, reference R-0A1B."}]
    (call,) = model.reply(asked)["tool_calls"]
    wanted = {"reference": "R-0A1B", "medicine": "Prothrombin complex", "units": 2}
    assert call["function"] == {"name": "reserve", "arguments": wanted}
    assert model.reply([*asked, {"role": "tool", "content": "done"}])["content"] == "done"
    assert "reference" in model.reply([{"role": "user", "content": "How much is there?"}])["content"]


def test_a_campus_that_does_not_start_is_not_the_learners_fault(monkeypatch, tmp_path):
    def fails(*_):
        raise ProgramFailed("campus-b/pharmacy has ended.")

    monkeypatch.setattr("helpers.labs.healthcare.boundary_checks.other_campus", fails)
    with pytest.raises(Wrong) as wrong, _started(tmp_path):
        pass
    assert "not your code" in wrong.value.look


def test_bad_peers_count_who_comes(no_survivors):
    import httpx

    with peers.bad_peer("refuses") as peer:
        replies = [httpx.get(peer.url, trust_env=False).status_code for _ in range(2)]
        assert (peer.came, replies) == (2, [401, 401])
    with peers.bad_peer("breaks") as peer:
        with pytest.raises(httpx.TransportError):
            httpx.get(peer.url, trust_env=False)
        assert peer.came == 1
