"""Files of lines, each a JSON object; a line that is none is told with its number and what it lacks."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from helpers.knowledge.errors import DataSetUnusable

Fields = Mapping[str, type | UnionType]  # what each object has, and of which type


def objects(file: Path, fields: Fields, layout: str) -> Iterator[dict[str, Any]]:
    """The objects in `file`; `layout` tells what was expected when there is no such file.

    Raises:
        DataSetUnusable: the file cannot be read, or a line is no JSON object with these fields.
    """
    for number, line in numbered(file, layout):
        try:
            yield _object(line, fields)
        except ValueError as error:
            wanted = " and ".join(fields)
            raise DataSetUnusable(f"{file}, line {number}: no JSON object with {wanted} ({error})") from error


def _object(line: str, fields: Fields) -> dict[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError(f"it is of type {type(found).__name__}")
    if missing := [name for name in fields if name not in found]:
        raise ValueError(f"{' and '.join(missing)} missing")
    if odd := [name for name, kind in fields.items() if not isinstance(found[name], kind)]:
        raise ValueError(f"{odd[0]} is of type {type(found[odd[0]]).__name__}")
    return found


def numbered(file: Path, layout: str) -> list[tuple[int, str]]:
    """The lines of `file` that are not blank, with their numbers.

    Raises:
        DataSetUnusable: the file cannot be read.
    """
    try:
        lines = file.read_text("utf-8").split("\n")  # not splitlines: a text may hold other separators
        return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataSetUnusable(f"{file} cannot be read ({error}). {layout}") from error
