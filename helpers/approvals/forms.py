"""The form in a server's question: its fields, and what is wrong with the values that somebody put in.

    for field in fields(question.schema):
        ...
    faults(question.schema, {"quantity": 0})  # {"quantity": "Must be at least 1."}

A server is foreign. Of its schema only what MCP allows in a form is read; all else is refused or left aside.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jsonschema

from helpers.approvals.checks import fault
from helpers.approvals.words import plain

MOST_FIELDS = 50
MOST_OPTIONS = 200  # of one field
MOST_LABEL = 200  # characters
KEYWORDS = {
    "text": ("minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "choices": ("minItems", "maxItems", "uniqueItems"),
}
KEYWORDS["integer"] = KEYWORDS["number"]
TYPES = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}
NOT_FLAT = ("$ref", "allOf", "not", "if")

Kind = Literal["text", "number", "integer", "boolean", "choice", "choices"]


class BadForm(ValueError):
    """A form that is not put to anybody."""


@dataclass(frozen=True)
class Field:
    """One field. Its words are fit to be shown; `schema` holds only what is checked."""

    name: str
    label: str
    description: str
    kind: Kind
    options: tuple[tuple[str, Any], ...]  # label, value
    default: Any  # None: there is none
    required: bool
    schema: Mapping[str, Any]


def fields(schema: Mapping[str, Any]) -> list[Field]:
    """The fields of a form, in its order; none if it only wants a yes or a no.

    Raises:
        BadForm: MCP does not allow it, or it is too large.
    """
    if not isinstance(schema, Mapping) or schema.get("type", "object") != "object":
        raise BadForm("The form is no object. Its schema needs type: object and properties.")
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, Mapping):
        raise BadForm("The form's properties are no object. Give each field a name and a schema.")
    if len(properties) > MOST_FIELDS:
        raise BadForm(f"The form has {len(properties)} fields, more than {MOST_FIELDS}. Ask in several questions.")
    if not isinstance(required, list) or any(not isinstance(name, str) or name not in properties for name in required):
        raise BadForm("The form requires a field that it does not have. List names of its properties in required.")
    for keyword in ("$ref", "allOf", "anyOf", "oneOf", "not", "if"):
        if keyword in schema:
            raise BadForm(f"The form uses {keyword}, which MCP does not allow. Write its properties out.")
    return [_field(str(name), found, name in required) for name, found in properties.items()]


def faults(schema: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with values for a form: name of the field to a sentence; empty if nothing is.

    Raises:
        BadForm: as `fields` does.
    """
    known = {field.name: field for field in fields(schema)}
    found = {name: "The form has no such field." for name in content if name not in known}
    for name, field in known.items():
        if name not in content:
            found |= {name: "Must be given."} if field.required else {}
        elif words := fault(field.schema, content[name]):
            found[name] = words
    return found


def read(field: Field, text: str) -> Any:  # noqa: ANN401 - whatever the field holds
    """The value that a typed text means; None if nothing was typed; the text itself if it means nothing."""
    text = text if field.kind == "text" else text.strip()
    if not text:
        return "" if field.default == "" else None
    try:
        return _READ[field.kind](field, text)
    except (ValueError, KeyError, IndexError):
        return text  # which the check then refuses in words


def _field(name: str, schema: object, required: bool) -> Field:
    label = plain(name, MOST_LABEL) or "?"
    if not isinstance(schema, Mapping):
        raise BadForm(f"Field {label!r} has no schema. Give it a type: {', '.join(TYPES)} or an array of choices.")
    schema = _without_null(schema)
    if keyword := next((k for k in NOT_FLAT if k in schema), None):
        raise BadForm(f"Field {label!r} uses {keyword}, which MCP does not allow in a form. Ask for plain values.")
    kind, options = _kind(label, schema)
    checked = _checked(label, kind, options, schema)
    default = schema.get("default")
    if default is not None and fault(checked, default):
        default = None  # nobody can want it, and the person would have to clear it away
    words = plain(schema.get("title") or name, MOST_LABEL) or label
    return Field(name, words, _description(schema), kind, options, default, required, checked)


def _description(schema: Mapping[str, Any]) -> str:
    """What the server says of a field.

    A pattern is told and not run: MCP has none in a form, and a hostile one takes years to search for, or all memory
    to be compiled. The server checks its own.
    """
    pattern = schema.get("pattern")
    told = [plain(schema.get("description") or ""), f"Pattern: {plain(pattern, MOST_LABEL)}" if pattern else ""]
    return " ".join(one for one in told if one)


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Servers before version 2 of the SDK say "or null" of a field that may be left out."""
    null = {"type": "null"}
    some = schema.get("anyOf")
    if isinstance(some, list) and len(some) == 2 and null in some:
        rest = next((one for one in some if one != null), None)
        if isinstance(rest, Mapping):
            return {name: value for name, value in schema.items() if name != "anyOf"} | dict(rest)
    return schema


def _kind(label: str, schema: Mapping[str, Any]) -> tuple[Kind, tuple[tuple[str, Any], ...]]:
    told = schema.get("type")
    if told == "array":
        items = schema.get("items")
        options = _options(label, items) if isinstance(items, Mapping) else None
        if options is None or not all(isinstance(value, str) for _, value in options):
            raise BadForm(f"Field {label!r} is an array of anything. MCP allows arrays of choices: items with enum.")
        return "choices", options
    if (options := _options(label, schema)) is not None:
        return "choice", options
    if not isinstance(told, str) or told not in TYPES:
        what = "is a nested object" if told == "object" else f"has the type {plain(told, 40)!r}"
        raise BadForm(f"Field {label!r} {what}. MCP allows {', '.join(TYPES)} and arrays of choices.")
    return TYPES[told], ()  # type: ignore[return-value]


def _options(label: str, schema: Mapping[str, Any]) -> tuple[tuple[str, Any], ...] | None:
    """What can be chosen: label, value; None if this is no choice."""
    titled = schema.get("oneOf", schema.get("anyOf"))
    if titled is not None:
        known = isinstance(titled, list) and all(isinstance(one, Mapping) and "const" in one for one in titled)
        pairs = [(one.get("title", one["const"]), one["const"]) for one in titled] if known else []
    elif "const" in schema:
        pairs = [(schema["const"], schema["const"])]
    elif "enum" in schema:
        values = schema["enum"] if isinstance(schema["enum"], list) else []
        names = schema.get("enumNames", values)
        pairs = list(zip(names, values, strict=True)) if isinstance(names, list) and len(names) == len(values) else []
    else:
        return None
    return _distinct(label, [(plain(name, MOST_LABEL), value) for name, value in pairs[: MOST_OPTIONS + 1]])


def _distinct(label: str, pairs: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    if not 0 < len(pairs) <= MOST_OPTIONS or not all(isinstance(v, str | int | float) for _, v in pairs):
        raise BadForm(f"Field {label!r} has no choices that can be read. Give it 1 to {MOST_OPTIONS}, named.")
    if len({name for name, _ in pairs}) < len(pairs) or len({repr(value) for _, value in pairs}) < len(pairs):
        raise BadForm(f"Field {label!r} has two choices that look the same. Give each a name of its own.")
    return tuple(pairs)


def _checked(label: str, kind: Kind, options: tuple[tuple[str, Any], ...], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a field's schema that is checked."""
    kept = {keyword: schema[keyword] for keyword in KEYWORDS.get(kind, ()) if schema.get(keyword) is not None}
    values = [value for _, value in options]
    if kind == "choices":
        kept |= {"type": "array", "items": {"enum": values}, "uniqueItems": True}
    elif kind == "choice":
        kept["enum"] = values
    else:
        kept["type"] = schema["type"]
    try:
        jsonschema.Draft202012Validator.check_schema(kept)
    except jsonschema.SchemaError as error:
        raise BadForm(f"Field {label!r} cannot be read: {plain(error.message, MOST_LABEL)}") from None
    return kept


def _chosen(field: Field, text: str) -> Any:  # noqa: ANN401 - the option's value
    """By its number, counted from 1, or by its label."""
    by_label = dict(field.options)
    return by_label[text] if text in by_label else field.options[_place(text)][1]


def _place(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text) - 1


_READ: dict[str, Callable[[Field, str], Any]] = {
    "text": lambda field, text: text,
    "integer": lambda field, text: int(text),
    "number": lambda field, text: float(text) if re.search("[.eEn]", text) else int(text),
    "boolean": lambda field, text: {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}[
        text.lower()
    ],
    "choice": _chosen,
    "choices": lambda field, text: [_chosen(field, one.strip()) for one in text.split(",")],
}
