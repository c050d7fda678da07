"""A template as a document: read, sent, and resolved as far as that goes before anything is made."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cfnlint.decode

from helpers.deploy.errors import LayersInvalid, TemplateTooLarge

MOST = 51_200  # bytes of TemplateBody
NAMED = re.compile(r"\$\{([\w:.]+)\}")
Json = Any


class Unknown(str):
    """What is known only once something has been made; the text says of what."""


class Template:
    """One file."""

    def __init__(self, path: Path) -> None:
        """Read `path`, YAML or JSON.

        Raises:
            LayersInvalid: it is neither, or has no resources.
        """
        self.path = path
        decoded, problems = cfnlint.decode.decode(str(path))
        if problems or not isinstance(decoded, dict) or not decoded.get("Resources"):
            said = problems[0].message if problems else "it has no Resources"
            raise LayersInvalid(f"{path.name}: {said}", command="plan")
        self.document: dict[str, Json] = json.loads(json.dumps(decoded, default=str))
        self.parameters: dict[str, Json] = self.document.get("Parameters", {})

    def body(self) -> str:
        """What is sent: the file as it is, or without its comments and spaces where that is too large.

        Raises:
            TemplateTooLarge: even so.
        """
        text = self.path.read_text(encoding="utf-8")
        if len(text.encode()) > MOST:
            text = json.dumps(self.document, separators=(",", ":"))
        if len(text.encode()) > MOST:
            raise TemplateTooLarge(f"{self.path.name} has {len(text.encode()):,} bytes", command="plan")
        return text

    def declared(self, given: dict[str, str]) -> dict[str, str]:
        """Those of `given` that the template has a parameter for."""
        return {name: value for name, value in given.items() if name in self.parameters}

    def resources(self, given: dict[str, str], region: str) -> dict[str, Json]:
        """The resources that are made with these parameters; what cannot be known yet is `Unknown`."""
        resolver = Resolver(self.document, given, region)
        made = self.document["Resources"].items()
        return {name: resolver(resource) for name, resource in made if resolver.holds(resource.get("Condition"))}


class Resolver:
    """Parameters, mappings and conditions put in."""

    def __init__(self, document: dict[str, Json], given: dict[str, str], region: str) -> None:
        defaults = {name: told.get("Default") for name, told in document.get("Parameters", {}).items()}
        self.values: dict[str, Json] = {**defaults, **given, "AWS::Region": region}
        self.conditions = document.get("Conditions", {})
        self.mappings = document.get("Mappings", {})
        self.functions: dict[str, Callable[[Json], Json]] = {
            "Ref": lambda name: self.values.get(name, Unknown(name)),
            "Condition": self.holds,
            "Fn::Equals": lambda pair: self(pair[0]) == self(pair[1]),
            "Fn::Not": lambda one: not self(one[0]),
            "Fn::And": lambda parts: all(self(part) for part in parts),
            "Fn::Or": lambda parts: any(self(part) for part in parts),
            "Fn::If": lambda parts: self(parts[1] if self.holds(parts[0]) else parts[2]),
            "Fn::FindInMap": self._in_map,
            "Fn::Join": self._joined,
            "Fn::Sub": self._put_in,
            "Fn::Select": self._selected,
            "Fn::GetAtt": lambda path: Unknown(".".join(path)),
        }

    def __call__(self, part: Json) -> Json:
        """A part of the template, resolved."""
        if isinstance(part, list):
            return [self(entry) for entry in part]
        if not isinstance(part, dict):
            return part
        if len(part) == 1:
            (name, inner), *_ = part.items()
            if name in self.functions:
                return self.functions[name](inner)
            if name.startswith("Fn::"):
                return Unknown(name)
        return {name: self(inner) for name, inner in part.items() if name != "Condition"}

    def holds(self, condition: str | None) -> bool:
        """Whether a condition does; none always does."""
        return condition is None or bool(self(self.conditions.get(condition, True)))

    def _in_map(self, path: list[Json]) -> Json:
        top, first, second = (self(part) for part in path[:3])
        return self(self.mappings.get(top, {}).get(first, {}).get(second, Unknown(f"{top}.{first}.{second}")))

    def _joined(self, parts: list[Json]) -> Json:
        pieces = self(parts[1])
        known = isinstance(pieces, list) and not any(isinstance(piece, Unknown | dict) for piece in pieces)
        return str(parts[0]).join(map(str, pieces)) if known else Unknown("Fn::Join")

    def _put_in(self, given: Json) -> Json:
        """A text with names in `${}`, which may have values of its own."""
        text, own = (
            (given[0], {name: self(inner) for name, inner in given[1].items()})
            if isinstance(given, list)
            else (given, {})
        )
        known = {**self.values, **own}
        names = NAMED.findall(text)
        if any(known.get(name) is None or isinstance(known[name], Unknown) for name in names):
            return Unknown(text)
        return NAMED.sub(lambda found: str(known[found[1]]), text)

    def _selected(self, given: Json) -> Json:
        """One of a list, which may be written with commas."""
        number, entries = self(given[0]), self(given[1])
        entries = entries.split(",") if isinstance(entries, str) and not isinstance(entries, Unknown) else entries
        return (
            entries[int(number)] if isinstance(entries, list) and int(number) < len(entries) else Unknown("Fn::Select")
        )
