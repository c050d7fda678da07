"""BFCL's files are read as cases; a file that is none of them, or a wheel that is another, is refused."""

import json
import sys

import jsonschema
import pytest

from helpers.evaluation import leaderboard
from helpers.evaluation.cases import read, select, write
from helpers.evaluation.errors import LeaderboardUnusable
from helpers.evaluation.leaderboard import CATEGORIES, json_schema, read_leaderboard

COUNTS = {"simple_python": 400, "multiple": 200, "parallel": 200, "parallel_multiple": 200, "irrelevance": 240}


def test_all_cases_are_read(bfcl):
    cases = read_leaderboard(folder=bfcl)
    assert {name: sum(case.category == name for case in cases) for name in CATEGORIES} == COUNTS
    assert all(case.lenient and len(case.turns) == 1 for case in cases)
    assert all(bool(case.turns[0].calls) == (case.category != "irrelevance") for case in cases)


def test_the_tools_are_json_schema(bfcl):
    for case in select(read_leaderboard(folder=bfcl), "even", limit=10):
        for tool in case.tools:
            jsonschema.Draft202012Validator.check_schema(tool.schema_)  # which knows no dict, float or tuple


def test_a_case_is_what_bfcl_has(bfcl):
    first = read_leaderboard(["multiple"], bfcl)[0]
    assert first.id == "multiple_0" and first.turns[0].question.startswith("Can I find the dimensions")
    assert [tool.name for tool in first.tools] == ["triangle_properties_get", "circle_properties_get"]
    assert first.tools[1].properties["radius"]["type"] == "number"
    (right,) = first.turns[0].calls
    assert right.name == "triangle_properties_get" and right.arguments["get_area"] == ["", True]


def test_the_cases_can_be_written_as_own_ones(bfcl, tmp_path):
    cases = select(read_leaderboard(folder=bfcl), "even", limit=5)
    write(tmp_path / "cases.jsonl", cases)
    assert read(tmp_path / "cases.jsonl") == cases


def test_the_words_for_types_become_those_of_json_schema():
    words = {
        "type": "dict",
        "properties": {
            "price": {"type": "float", "optional": True, "default": 1.5},
            "range": {"type": "tuple", "items": {"type": "float"}},
            "rows": {"type": "array", "items": {"type": "dict", "properties": {"x": {"type": "any"}}}},
        },
        "required": ["range"],
    }
    assert json_schema(words) == {
        "type": "object",
        "properties": {
            "price": {"type": "number", "default": 1.5},
            "range": {"type": "array", "items": {"type": "number"}},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"x": {}}}},
        },
        "required": ["range"],
    }


def test_an_unknown_type_is_refused_with_the_case(tmp_path):
    function = {"name": "f", "description": "", "parameters": {"type": "HashMap", "properties": {}}}
    given = {"id": "irrelevance_0", "question": [[{"role": "user", "content": "?"}]], "function": [function]}
    (tmp_path / "BFCL_v4_irrelevance.json").write_text(json.dumps(given))
    with pytest.raises(LeaderboardUnusable, match=r"case irrelevance_0 has another layout.*unknown type 'HashMap'"):
        read_leaderboard(["irrelevance"], tmp_path)


@pytest.mark.parametrize("content", [None, "{", "[1]", '{"id": "x"}'])
def test_a_file_that_is_not_bfcls_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "BFCL_v4_irrelevance.json").write_text(content)
    with pytest.raises(LeaderboardUnusable, match=r"is not one of BFCL's files|another layout"):
        read_leaderboard(["irrelevance"], tmp_path)


def test_an_unknown_category_is_refused_with_those_there_are():
    with pytest.raises(LeaderboardUnusable, match="'simple_java' is read here; choose from simple_python, multiple"):
        read_leaderboard(["simple_java"])


def test_a_wheel_that_is_another_is_thrown_away(tmp_path, monkeypatch):
    monkeypatch.setattr(leaderboard, "SHA256", "0" * 64)
    with pytest.raises(LeaderboardUnusable, match="not the one that is pinned: sha256 is 3bb6dfa5"):
        leaderboard._wheel(tmp_path)


def test_the_files_are_fetched_once_and_nothing_is_installed(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(leaderboard, "settings", lambda: type("Settings", (), {"cache_dir": tmp_path}))
    fetched = []
    monkeypatch.setattr(leaderboard, "_wheel", lambda work: fetched.append(work) or wheel)
    assert leaderboard.fetch() == leaderboard.fetch() == tmp_path / "evaluation/bfcl-2026.3.23"
    assert len(fetched) == 1 and not fetched[0].exists()
    names = {path.name for path in leaderboard.fetch().rglob("*.json")}
    assert names == {f"BFCL_v4_{category}.json" for category in CATEGORIES}
    assert "bfcl_eval" not in sys.modules
