"""`python -m helpers.evaluation`, with a model from a script."""

import json

import pytest

from helpers.evaluation import __main__ as command
from helpers.evaluation.cases import write
from helpers.evaluation.models import Evaluated
from tests.evaluation.making import ONE, Script, case


@pytest.fixture
def cases(tmp_path, monkeypatch):
    file = tmp_path / "cases.jsonl"
    write(file, [case(ONE, number=number, category="one" if number < 8 else "two") for number in range(12)])
    model = Script([("stock", {"medicine": "Dantrolene"})], "No.")
    monkeypatch.setattr(command, "model_at", lambda name, tokens: Evaluated(model, {"tokens": tokens}))
    monkeypatch.setattr(command, "console", command.Console(width=200))
    return file


def test_a_run_is_reported_and_goes_on_with_what_it_has(cases, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    arguments = ["run", "--cases", str(cases), "--ids", "even", "--limit", "3", "--out", str(out)]
    assert command.main(arguments) == 0
    shown = capsys.readouterr().out
    assert "accuracy" in shown and "no call" in shown and str(out) in shown.replace("\n", "")
    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()[1:]]
    assert ids == ["case_0", "case_2", "case_4", "case_8", "case_10"]
    assert command.main(arguments) == 0
    assert len(out.read_text().splitlines()) == 6
    assert command.main([*arguments, "--tokens", "50"]) == 1
    assert "tokens: 400 then, 50 now" in capsys.readouterr().err


def test_runs_are_reported_and_compared(cases, tmp_path, capsys):
    for name in ("a", "b"):
        command.main(["run", "--cases", str(cases), "--out", str(tmp_path / name)])
    capsys.readouterr()
    assert command.main(["report", str(tmp_path / "a")]) == 0
    assert command.main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    shown = capsys.readouterr().out
    assert "a, then b" in shown and "only_after" in shown


def test_cases_are_checked_and_the_schema_shown(cases, capsys):
    assert command.main(["check", "--cases", str(cases)]) == 0
    assert "two" in capsys.readouterr().out
    assert command.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Case"


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["run", "--cases", "missing.jsonl"], "CasesUnusable: missing.jsonl cannot be read"),
        (["check", "--cases", "bfcl:java"], "LeaderboardUnusable: No category 'java'"),
        (["report", "missing.jsonl"], "RunUnusable: missing.jsonl cannot be read"),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(arguments, told, cases, capsys):
    assert command.main(arguments) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("bound", ["--limit", "--tokens"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_limit_is_at_least_one(bound, value, cases, capsys):
    with pytest.raises(SystemExit):
        command.main(["run", bound, value])
    assert bound in capsys.readouterr().err
