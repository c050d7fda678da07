"""Files of cases are read and written, and a bad one is told with line and field."""

import json

import jsonschema
import pytest

from helpers.evaluation.cases import Case, line, read, select, write
from helpers.evaluation.errors import CasesUnusable
from tests.evaluation.making import ONE, STOCK, TWO, case

GOOD = json.loads(line(case(ONE)))


def test_what_is_written_is_read_again(tmp_path):
    cases = [case(ONE, number=1), case(number=2), case(ONE, TWO, number=3, system="Be short.", lenient=True)]
    write(tmp_path / "cases.jsonl", cases)
    assert read(tmp_path / "cases.jsonl") == cases


def test_a_line_that_is_written_fits_the_schema():
    jsonschema.validate(GOOD, Case.model_json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(GOOD | {"turns": []}, Case.model_json_schema())


def test_tools_are_read_as_openai_describes_them_too():
    function = {"name": "stock", "description": STOCK["description"], "parameters": STOCK["inputSchema"]}
    given = GOOD | {"tools": [{"type": "function", "function": function}]}
    assert Case.model_validate(given).tools == Case.model_validate(GOOD | {"tools": [STOCK]}).tools


def test_what_mcp_lists_besides_is_not_kept():
    listed = STOCK | {"title": "Stock", "outputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
    assert Case.model_validate(GOOD | {"tools": [listed]}) == Case.model_validate(GOOD | {"tools": [STOCK]})


def changed(**fields):
    return GOOD | fields


def turns(*given):
    return changed(turns=list(given))


BAD = {
    "no JSON": ("{", r"Invalid JSON"),
    "a list": ([], r"Input should be an object"),
    "no id": ({key: value for key, value in GOOD.items() if key != "id"}, r"id: Field required"),
    "a field too many": (changed(answer=1), r"answer: Extra inputs"),
    "no tools": (changed(tools=[]), r"tools: Tuple should have at least 1 item"),
    "a tool twice": (changed(tools=[STOCK, STOCK]), r"tools: two have the same name"),
    "a name that APIs refuse": (changed(tools=[STOCK | {"name": "a.b"}]), r"tools\.0\.name: String should match"),
    "no schema": (changed(tools=[STOCK | {"inputSchema": {"type": "objekt"}}]), r"tools\.0: inputSchema is no JSON sc"),
    "schema of a string": (changed(tools=[STOCK | {"inputSchema": {"type": "string"}}]), r'must have "type": "object"'),
    "no question": (turns({"calls": []}), r"turns\.0\.question: missing"),
    "unknown function": (
        turns({"question": "?", "calls": [{"name": "order"}]}),
        r"turns\.0\.calls\.0\.name: no tool 'order'; there are stock, reserve",
    ),
    "unknown argument": (
        turns({"question": "?", "calls": [{"name": "stock", "arguments": {"medicine": ["a"], "x": [1]}}]}),
        r"turns\.0\.calls\.0\.arguments\.x: the schema of stock has no such argument",
    ),
    "missing argument": (
        turns({"question": "?", "calls": [{"name": "stock"}]}),
        r"arguments\.medicine: missing, and stock requires it",
    ),
    "values that are no list": (
        turns({"question": "?", "calls": [{"name": "stock", "arguments": {"medicine": "a"}}]}),
        r"turns\.0\.calls\.0\.arguments\.medicine: Input should be",
    ),
    "no value": (
        turns({"question": "?", "calls": [{"name": "stock", "arguments": {"medicine": []}}]}),
        r"arguments\.medicine: no acceptable value",
    ),
    "too few results": (
        turns({"question": "?", "calls": [ONE, TWO], "results": ["4"]}, {"question": "?"}),
        r"turns\.0\.results: 1 for 2 calls",
    ),
}


@pytest.mark.parametrize("given, told", BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_told_with_its_number_and_field(tmp_path, given, told):
    file = tmp_path / "cases.jsonl"
    bad = given if isinstance(given, str) else json.dumps(given)
    file.write_text(f"{line(case(ONE, number=7))}\n\n{bad}\n")
    with pytest.raises(CasesUnusable, match=rf"cases\.jsonl, line 3, .*{told}"):
        read(file)


def test_an_id_may_not_come_twice(tmp_path):
    (tmp_path / "cases.jsonl").write_text(f"{line(case(ONE))}\n{line(case())}\n")
    with pytest.raises(CasesUnusable, match=r"line 2, id: 'case_1' is the id of an earlier line"):
        read(tmp_path / "cases.jsonl")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"], ids=["missing", "empty", "binary"])
def test_a_file_that_holds_no_case_is_told(tmp_path, content):
    file = tmp_path / "cases.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        CasesUnusable, match=r"cases\.jsonl (cannot be read|holds no case).* one (case )?a line, as JSON"
    ):
        read(file)


def test_even_and_odd_ids_part_the_cases():
    cases = [case(number=number) for number in range(10)]
    even, odd = select(cases, "even"), select(cases, "odd")
    assert {each.number % 2 for each in even} == {0} and {each.number % 2 for each in odd} == {1}
    assert len(even) + len(odd) == len(cases)


def test_a_limit_holds_for_each_category_and_spreads_over_it():
    cases = [case(number=number, category="a" if number < 40 else "b") for number in range(43)]
    chosen = select(cases, limit=4)
    assert [each.number for each in chosen] == [0, 10, 20, 30, 40, 41, 42]


def test_an_id_without_a_number_is_neither_even_nor_odd():
    given = case(ONE).model_copy(update={"id": "first"})
    assert select([given]) == [given]
    with pytest.raises(CasesUnusable, match="'first' ends with no number"):
        select([given], "even")
