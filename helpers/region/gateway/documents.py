"""Documents that describe APIs, read from JSON or YAML as JSON alone: no dates, keys are text, nothing has no end."""

import json
import math
import re
from typing import Any

import yaml

from helpers.region.gateway.operations import BadTarget, Json

MOST_BYTES = 10 * 2**20  # AgentCore Gateway takes 1 MB inline and 10 MB from S3
MOST_NODES = 1_000_000  # after every alias of YAML is written out
MOST_DEPTH = 200
TOO_DEEP = "The document is nested too deeply to be read. Make it flatter."


class Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """YAML 1.2's JSON schema: a key `on` is text, a date is text, and `<<` merges nothing."""

    def flatten_mapping(self, node: Any) -> None:  # noqa: ANN401 - a node of yaml
        """Merge no keys."""


Loader.yaml_implicit_resolvers = {}
for kind, pattern, first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", [*"-+0123456789"]),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?)", [*"-+.0123456789"]),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), first)


def read(text: str) -> Json:
    """The document.

    Raises:
        BadTarget: it is too large, neither JSON nor YAML, or no object.
    """
    bound(text)
    try:
        found = json.loads(text) if text.lstrip()[:1] == "{" else None
    except ValueError:
        found = None  # YAML too may begin with a brace
    except RecursionError:
        raise BadTarget([TOO_DEEP]) from None
    try:
        found = _plain(_yaml(text) if found is None else found)
    except RecursionError:
        raise BadTarget([TOO_DEEP]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadTarget([f"The document is neither JSON nor YAML: {' '.join(str(error).split())}."]) from error
    if not isinstance(found, dict):
        raise BadTarget(["The document is no object. Give the description of an API as JSON or YAML."])
    return found


def bound(text: str) -> None:
    """Refuse what is too large."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        raise BadTarget([f"The document is larger than {MOST_BYTES // 2**20} MB. Keep only the operations you need."])


def _yaml(text: str) -> Any:  # noqa: ANN401 - any YAML
    """What it holds, if it stays small when aliases are written out.

    Depth is bounded before it is loaded: the loader is C, and would take the process along.
    """
    depth = 0
    for event in yaml.parse(text, Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise BadTarget([TOO_DEEP])
    found = yaml.load(text, Loader)  # noqa: S506 - it is a safe one
    if _size(found, {}, set()) > MOST_NODES:
        raise BadTarget([f"The document has more than {MOST_NODES} values once its aliases are written out."])
    return found


def _size(value: Any, known: dict[int, int], above: set[int]) -> int:  # noqa: ANN401
    if not isinstance(value, dict | list):
        return 1
    if id(value) in above:
        raise BadTarget(["An alias of the document holds itself. Use $ref for what is recursive."])
    if id(value) not in known:
        above.add(id(value))
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(each, known, above) for each in inner)
        above.discard(id(value))
    return known[id(value)]


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A value of JSON; keys such as `200:` become text."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a number of JSON")
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"a value of the kind {type(value).__name__} has no place in it")
