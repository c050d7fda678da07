"""What the judge and the learner's side say to each other: JSON, one message a line.

Only data crosses. What is no data becomes a `Stranger`, which has its type's name and its text: nothing that a learner
returns is ever executed by the judge.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

MOST_CHARACTERS = 2_000_000  # of one message
DEEPEST = 12
MARK = "$"


class TooMuch(Exception):
    """A value is larger or deeper than may cross."""


@dataclass(frozen=True)
class Stranger:
    """A value that JSON does not have: its type, how it prints, and its fields if it has any."""

    type: str
    text: str
    fields: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"{self.text} ({self.type})"


@dataclass(frozen=True)
class Callback:
    """In an argument: a function of the judge, which the learner's code may call."""

    name: str


@dataclass(frozen=True)
class StandIn:
    """In an argument: an object made on the learner's side, `module:name` called with `arguments`."""

    path: str
    arguments: tuple[Any, ...] = ()


def pack(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - anything at all
    """The value as JSON has it, marked where it has not.

    Raises:
        TooMuch: it is nested more deeply than 12 levels.
    """
    if depth > DEEPEST:
        raise TooMuch(f"a value that is nested more than {DEEPEST} levels deep")
    if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
        return value
    if isinstance(value, Callback):
        return {MARK: "callback", "name": value.name}
    if isinstance(value, StandIn):
        return {MARK: "stand-in", "path": value.path, "arguments": pack(list(value.arguments), depth + 1)}
    if type(value) in (list, tuple):
        return [pack(one, depth + 1) for one in value]
    if type(value) is dict and all(type(key) is str and not key.startswith(MARK) for key in value):
        return {key: pack(one, depth + 1) for key, one in value.items()}
    inside = _fields(value)
    told = None if inside is None else {str(key): pack(one, depth + 1) for key, one in inside.items()}
    return {MARK: "stranger", "type": type(value).__name__, "text": repr(value)[:500], "fields": told}


def unpack(value: Any) -> Any:  # noqa: ANN401
    """What `pack` made of it, with `Stranger` for what is no data; callbacks stay as they are marked."""
    if isinstance(value, list):
        return [unpack(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get(MARK) == "stranger":
        return Stranger(str(value["type"]), str(value["text"]), unpack(value["fields"]))
    return {key: unpack(one) for key, one in value.items()}


def line(message: Mapping[str, Any]) -> str:
    """A message as it is sent.

    Raises:
        TooMuch: it is longer than 2,000,000 characters.
    """
    text = json.dumps(message)
    if len(text) > MOST_CHARACTERS:
        raise TooMuch(f"more than {MOST_CHARACTERS:,} characters")
    return text + "\n"


def _fields(value: Any) -> Mapping[str, Any] | None:  # noqa: ANN401
    """Of a dataclass or of a Pydantic model."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    names = getattr(type(value), "model_fields", None)
    return {name: getattr(value, name) for name in names} if isinstance(names, dict) else None
