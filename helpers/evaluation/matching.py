"""When the arguments of a call are right: the rules of BFCL's AST checker, over JSON schema instead of BFCL's words.

Strings are compared without case, spaces and the signs `,./-_*^`; an int will do for a float, but not the other way
round; true is not 1. Lists and objects are compared item by item, in order. A value of another type than its schema's
will do only if an acceptable value has that type, and then exactly. An argument with `""` among its acceptable values
may be left out. Held against the original in `tests/evaluation`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.evaluation.cases import JSON, LEFT_OUT, Expected, Tool

KINDS: dict[str, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def why_wrong(arguments: Mapping[str, Any], expected: Expected, tool: Tool) -> str:
    """What is wrong with the arguments of a call of the right function; empty if nothing is."""
    for name, value in arguments.items():
        if name in expected.free:
            continue
        if name not in tool.properties or name not in expected.arguments:
            return f"{name} was not asked for"
        if not accepts(value, expected.arguments[name], tool.properties[name]):
            return f"{name} is {value!r}, not one of {expected.arguments[name]!r}"
    wanted = [name for name, values in expected.arguments.items() if LEFT_OUT not in values]
    missing = [name for name in [*tool.required, *wanted] if name not in arguments]
    return f"{missing[0]} is missing" if missing else ""


def accepts(value: Any, acceptable: Sequence[Any], schema: JSON) -> bool:  # noqa: ANN401
    """Whether `value` is one of the acceptable values of an argument with this schema."""
    kind = _kind(schema, value)
    if kind is float and type(value) is int:
        value = float(value)
    common = _common(acceptable)
    if type(value) is not kind:
        return type(value) is common and value in acceptable
    item = _kind(schema["items"], None) if kind is list and "items" in schema else None
    if item and not _items_fit(value, acceptable, item):
        return False
    if common not in (None, kind):
        return value in acceptable
    return _equal(value, acceptable, item)


def _kind(schema: JSON, value: Any) -> type:  # noqa: ANN401
    """Python's type for the schema's; where it has several, or a reference, that of the value."""
    word = schema.get("type")
    if isinstance(word, str):
        return KINDS.get(word, str)
    return type(value) if word or schema.keys() & {"anyOf", "oneOf", "allOf", "$ref", "enum", "const"} else str


def _common(acceptable: Sequence[Any]) -> type | None:
    return next((type(value) for value in acceptable if value != LEFT_OUT), None)


def _items_fit(value: Any, acceptable: Sequence[Any], kind: type) -> bool:  # noqa: ANN401
    """Whether the items have the schema's type, or that of the items of an acceptable list."""
    return any(
        not isinstance(one, list) or all(type(item) in (kind, _common(one)) for item in value) for one in acceptable
    )


def _equal(value: Any, acceptable: Sequence[Any], item: type | None) -> bool:  # noqa: ANN401
    if isinstance(value, str):
        return plain(value) in [plain(one) for one in acceptable if isinstance(one, str)]
    if isinstance(value, dict):
        return any(_same_object(value, one) for one in acceptable if one != LEFT_OUT)
    if isinstance(value, list) and item is dict:
        return any(
            len(value) == len(one) and all(map(_same_object, value, one))  # "" has no items: [] counts as left out
            for one in acceptable
        )
    if isinstance(value, list):
        return [plain(each) for each in value] in [[plain(each) for each in one] for one in acceptable]
    return value in acceptable


def _same_object(value: Any, expected: Any) -> bool:  # noqa: ANN401
    """Whether an object has the keys and, for each, one of the values in `expected`: `{"unit": ["cm", ""]}`."""
    if not isinstance(value, dict) or not isinstance(expected, dict):
        return False
    return all(
        key in expected and plain(each) in [plain(one) for one in expected[key]] for key, each in value.items()
    ) and all(key in value or LEFT_OUT in values for key, values in expected.items())


def plain(value: Any) -> Any:  # noqa: ANN401
    """A string without case, spaces and the signs that people set as they like; other values as they are."""
    return re.sub(r"[ ,./\-_*^]", "", value).lower().replace("'", '"') if isinstance(value, str) else value
