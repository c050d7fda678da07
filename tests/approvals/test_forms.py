"""Forms of foreign servers: what is read, what is refused, and what is said of values that do not fit."""

from typing import Annotated, Literal

import pytest
from mcp.server.elicitation import render_elicitation_schema
from pydantic import BaseModel
from pydantic import Field as Told

from helpers.approvals.forms import MOST_FIELDS, MOST_LABEL, BadForm, faults, fields, read
from helpers.approvals.words import plain

PAIRS = [{"const": "a", "title": "Apple"}, {"const": "b", "title": "Pear"}]


class Asked(BaseModel):
    """What a server of the SDK can ask for."""

    sku: str
    count: Annotated[int, Told(ge=1, le=500, description="How many")]
    share: float | None = None
    urgent: bool = True
    level: Literal["low", "high"] = "low"
    rank: Literal[1, 2] = 1
    only: Literal["one"] = "one"
    days: Annotated[list[Literal["mo", "tu"]], Told(min_length=1, max_length=1)] = ["mo"]
    note: str | None = "none"


def one(schema, **more):
    (field,) = fields({"type": "object", "properties": {"x": schema}} | more)
    return field


def fault(schema, value):
    return faults({"properties": {"x": schema}}, {"x": value}).get("x", "")


def test_a_form_of_the_sdk_is_read():
    found = {field.name: field for field in fields(render_elicitation_schema(Asked))}
    kinds = ["text", "integer", "number", "boolean", "choice", "choice", "choice", "choices", "text"]
    assert [field.kind for field in found.values()] == kinds
    assert {name for name, field in found.items() if field.required} == {"sku", "count"}
    assert found["count"].description == "How many" and found["days"].default == ["mo"]
    assert found["share"].default is None and found["note"].default == "none"
    assert found["rank"].options == (("1", 1), ("2", 2)) and found["days"].options == (("mo", "mo"), ("tu", "tu"))


def test_what_an_older_server_says_of_an_optional_field_is_read():
    field = one({"anyOf": [{"type": "integer", "minimum": 2}, {"type": "null"}], "default": None, "title": "Count"})
    assert (field.kind, field.label, field.default) == ("integer", "Count", None)
    assert fault({"anyOf": [{"type": "integer", "minimum": 2}, {"type": "null"}]}, 1) == "Must be at least 2."


@pytest.mark.parametrize(
    ("schema", "options"),
    [
        ({"type": "string", "enum": ["a", "b"]}, (("a", "a"), ("b", "b"))),
        ({"type": "string", "enum": ["a", "b"], "enumNames": ["Apple", "Pear"]}, (("Apple", "a"), ("Pear", "b"))),
        ({"type": "string", "oneOf": PAIRS}, (("Apple", "a"), ("Pear", "b"))),
        ({"type": "array", "items": {"anyOf": PAIRS}}, (("Apple", "a"), ("Pear", "b"))),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, (("a", "a"), ("b", "b"))),
    ],
)
def test_choices_have_a_name_and_a_value(schema, options):
    assert one(schema).options == options


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": "object", "properties": {}}])
def test_a_form_without_fields_asks_for_a_yes_or_a_no(schema):
    assert fields(schema) == [] and faults(schema, {}) == {}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "properties": {}}, "nested object"),
        ({"type": "object"}, "nested object"),
        ({"type": "array", "items": {"type": "string"}}, "array of anything"),
        ({"type": "array"}, "array of anything"),
        ({"type": "array", "items": {"enum": [1, 2]}}, "array of anything"),
        ({"$ref": "https://attacker.example/schema"}, "uses $ref"),
        ({"type": "string", "allOf": [{"$ref": "#"}]}, "uses allOf"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "no choices"),
        ({"type": "colour"}, "'colour'"),
        ({"type": ["string", "null"]}, "has the type"),
        ({}, "has the type"),
        ({"type": "string", "minLength": "long"}, "cannot be read"),
        ({"type": "number", "multipleOf": 0}, "cannot be read"),
        ({"type": "string", "enum": []}, "no choices"),
        ({"type": "string", "enum": "abc"}, "no choices"),
        ({"type": "string", "enum": ["a", "b"], "enumNames": ["A"]}, "no choices"),
        ({"type": "string", "enum": [{"a": 1}]}, "no choices"),
        ({"type": "string", "enum": [str(n) for n in range(10_000)]}, "no choices"),
        ({"type": "string", "oneOf": [PAIRS[0], {"const": "b", "title": "Apple"}]}, "look the same"),
        ({"type": "string", "oneOf": [PAIRS[0], {"const": "b", "title": "App\u200ble"}]}, "look the same"),
        ("string", "no schema"),
        (None, "no schema"),
        (True, "no schema"),
    ],
)
def test_a_field_that_mcp_does_not_allow_is_refused_by_its_name(schema, said):
    with pytest.raises(BadForm, match=r"Field 'x'") as raised:
        one(schema)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {"properties": ["x"]},
        {"properties": {}, "required": ["x"]},
        {"properties": {}, "required": "x"},
        {"properties": {}, "$ref": "https://attacker.example/schema"},
        {"properties": {str(n): {"type": "string"} for n in range(MOST_FIELDS + 1)}},
        [],
        "object",
    ],
)
def test_what_is_no_flat_object_of_some_fields_is_refused(schema):
    with pytest.raises(BadForm):
        fields(schema)
    assert len(fields({"properties": {str(n): {"type": "string"} for n in range(MOST_FIELDS)}})) == MOST_FIELDS


def test_labels_are_cut_and_hold_nothing_that_cannot_be_seen():
    hostile = "\x1b[31mPay\x1b[0m \u202eevil\u202c\x00\x07\u200b<b>now</b>\nand more"
    assert one({"type": "string", "title": hostile}).label == "Pay evil<b>now</b> and more"
    label = one({"type": "string", "title": "long " * 1000}).label
    assert len(label) == MOST_LABEL and label.endswith("…")
    assert one({"type": "string", "title": "\u202e\x00"}).label == "x"
    assert plain("one\ntwo\r\n\x1b]0;title\x07three", lines=True) == "one\ntwo \nthree"


def test_a_default_that_breaks_its_own_field_is_left_out():
    assert one({"type": "integer", "minimum": 1, "default": 0}).default is None
    assert one({"type": "string", "enum": ["a"], "default": "b"}).default is None
    assert one({"type": "boolean", "default": False}).default is False


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer"}, True, "Must be a whole number."),
        ({"type": "integer"}, 1.5, "Must be a whole number."),
        ({"type": "integer"}, "1", "Must be a whole number."),
        ({"type": "number"}, None, "Must be a number."),
        ({"type": "number", "minimum": 0}, float("nan"), "Must be a number that is finite."),
        ({"type": "number"}, float("inf"), "Must be a number that is finite."),
        ({"type": "number", "minimum": 2}, 1, "Must be at least 2."),
        ({"type": "number", "maximum": 2}, 3, "Must be at most 2."),
        ({"type": "number", "exclusiveMinimum": 0}, 0, "Must be more than 0."),
        ({"type": "number", "multipleOf": 0.5}, 0.7, "Must be a multiple of 0.5."),
        ({"type": "boolean"}, 1, "Must be yes or no."),
        ({"type": "string"}, 1, "Must be text."),
        ({"type": "string", "minLength": 2}, "a", "Must have at least 2 characters."),
        ({"type": "string", "maxLength": 2}, "abc", "Must have at most 2 characters."),
        ({"type": "string", "enum": ["a"]}, "b", "Must be one of the choices."),
        ({"enum": [1, 2]}, True, "Must be one of the choices."),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, ["c"], "Must be one of the choices."),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "a", "Must be a list of choices."),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, ["a", "a"], "Choose each only once."),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1}, [], "Choose at least 1."),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 1}, ["a", "b"], "Choose at most 1."),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_words(schema, value, said):
    assert fault(schema, value) == said


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("email", ["a@b.de", "first.last+tag@mail.example.org"], ["@", "a@", "a b@c.de", "a@b@c", "a@b..c", "a@.b"]),
        ("uri", ["https://example.org/a?b=c", "urn:isbn:1"], ["example.org", "https://", "http://a b", "http://[", ""]),
        ("date", ["2026-02-28"], ["2026-02-29", "2026-2-8", "20260228", "2026-W09-6", "tomorrow"]),
        ("date-time", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00+01:00"], ["2026-01-31T12:00:00", "2026-01-31"]),
    ],
)
def test_formats_are_checked(kind, good, bad):
    schema = {"type": "string", "format": kind}
    assert [fault(schema, text) for text in good] == [""] * len(good)
    assert all(fault(schema, text).startswith("Must be a") for text in bad)


def test_fields_that_are_missing_or_unknown_are_named():
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}
    assert faults(schema, {"c": 1}) == {"a": "Must be given.", "c": "The form has no such field."}
    assert faults(schema, {"a": ""}) == {}


@pytest.mark.parametrize("pattern", ["^(a+)+$", "((((a{999}){999}){999}){999})", "(" * 5000, "["])
def test_a_foreign_pattern_is_told_and_never_run(pattern):
    assert fault({"type": "string", "pattern": pattern}, "a" * 5000 + "!") == ""
    assert one({"type": "string", "pattern": pattern}).description.startswith(f"Pattern: {pattern[:100]}")


def test_what_was_typed_is_read_as_the_field_wants_it():
    choice, choices = {"oneOf": PAIRS}, {"type": "array", "items": {"anyOf": PAIRS}}
    typed = [
        ({"type": "string"}, " 12 ", " 12 "),
        ({"type": "integer"}, " 12 ", 12),
        ({"type": "integer"}, "1.5", "1.5"),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "number"}, "two", "two"),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "perhaps", "perhaps"),
        (choice, "2", "b"),
        (choice, "Pear", "b"),
        (choice, "0", "0"),
        (choice, "3", "3"),
        (choices, "1, Pear", ["a", "b"]),
        ({"type": "string"}, "", None),
        ({"type": "string", "default": ""}, "", ""),
    ]
    for schema, text, value in typed:
        found = read(one(schema), text)
        assert (found, type(found)) == (value, type(value)), (schema, text)
