"""Shapes of Smithy as JSON Schema, as the protocol restJson1 writes their values."""

import html
import re
from typing import Any

from helpers.region.gateway.operations import Json
from helpers.region.gateway.schemas import MOST_NODES, BadSchema, compiles

API = "smithy.api#"
PRELUDE = {
    **{name: name.lower() for name in ("Blob", "Boolean", "Byte", "Short", "Integer", "Long", "Float", "Double")},
    **{f"Primitive{name}": name.lower() for name in ("Boolean", "Byte", "Short", "Integer", "Long", "Float", "Double")},
    **{"BigInteger": "bigInteger", "BigDecimal": "bigDecimal", "Timestamp": "timestamp", "Document": "document"},
    **{"String": "string", "Unit": "structure"},
}
SIMPLE: dict[str, Json] = {
    "blob": {"type": "string", "contentEncoding": "base64"},
    "boolean": {"type": "boolean"},
    "document": {},
    **{name: {"type": "string"} for name in ("string", "enum")},
    **{name: {"type": "integer"} for name in ("byte", "short", "integer", "long", "bigInteger", "intEnum")},
    **{name: {"type": "number"} for name in ("float", "double", "bigDecimal")},
}
TIMES: dict[str, Json] = {
    "epoch-seconds": {"type": "number", "description": "Seconds since 1970."},
    "date-time": {"type": "string", "format": "date-time"},
    "http-date": {"type": "string", "description": "A date as in HTTP: Tue, 29 Apr 2014 18:30:38 GMT."},
}
LENGTHS = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}


class Shapes:
    """Shapes of a model. Those that hold themselves are gathered in `definitions`, for the tool's `$defs`."""

    def __init__(self, shapes: Json) -> None:
        self.shapes = shapes
        self.definitions: Json = {}
        self.nodes = 0

    def find(self, name: str) -> Json:
        """A shape, also of Smithy's own.

        Raises:
            BadSchema: there is none, or it is made of others, which only Smithy's own tools put together.
        """
        if name.startswith(API) and name.removeprefix(API) in PRELUDE:
            return {"type": PRELUDE[name.removeprefix(API)], "members": {}}
        shape = self.shapes.get(name)
        if not isinstance(shape, dict) or "type" not in shape:
            raise BadSchema(f"there is no shape {name}; add it to the model")
        if shape.get("mixins"):
            raise BadSchema(f"shape {name} has mixins; build the model with flattened mixins")
        return shape

    def member(self, member: Json, time: str = "epoch-seconds", above: tuple[str, ...] = ()) -> Json:
        """A member as JSON Schema; `time` is how times are written where it stands.

        Raises:
            BadSchema: it streams, or cannot be a tool's.
        """
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise BadSchema("the input is too large for a tool; leave out the operation")
        name = member["target"]
        traits = self.find(name).get("traits", {}) | member.get("traits", {})
        if API + "streaming" in traits:
            raise BadSchema("it streams, which is not supported; leave out the operation")
        found = dict(self._referred(name, traits, time, above))
        if text := _text(traits.get(API + "documentation")):
            found["description"] = text
        return found

    def _referred(self, name: str, traits: Json, time: str, above: tuple[str, ...]) -> Json:
        """Written out where it is named; if it holds itself, among the definitions."""
        short = re.sub(r"[^A-Za-z0-9_.-]", ".", name)
        if name in above:
            self.definitions.setdefault(short, {})
            return {"$ref": f"#/$defs/{short}"}
        found = self._shape(self.find(name), traits, time, (*above, name))
        if self.definitions.get(short) == {}:
            self.definitions[short] = found
        return found

    def _shape(self, shape: Json, traits: Json, time: str, above: tuple[str, ...]) -> Json:
        kind = shape["type"]
        if kind == "timestamp":
            return TIMES[traits.get(API + "timestampFormat", time)]
        if kind in SIMPLE:
            return _limits(SIMPLE[kind] | _choices(shape, traits), traits)
        if kind in ("list", "set"):
            found = {"type": "array", "items": self.member(shape["member"], time, above)}
            unique = kind == "set" or API + "uniqueItems" in traits
            return _limits(found | ({"uniqueItems": True} if unique else {}), traits)
        if kind == "map":
            found = {"type": "object", "additionalProperties": self.member(shape["value"], time, above)}
            return _limits(found, traits)
        if kind in ("structure", "union"):
            return self._members(shape, time, above)
        raise BadSchema(f"a {kind} is no value; the model is damaged")

    def _members(self, shape: Json, time: str, above: tuple[str, ...]) -> Json:
        members = {wire_name(name, each): each for name, each in shape.get("members", {}).items()}
        found: Json = {"type": "object"}
        found["properties"] = {name: self.member(each, time, above) for name, each in members.items()}
        if required := [name for name, each in members.items() if API + "required" in each.get("traits", {})]:
            found["required"] = required
        return found | ({"minProperties": 1, "maxProperties": 1} if shape["type"] == "union" else {})


def wire_name(name: str, member: Json) -> str:
    """What a member is called in JSON."""
    return str(member.get("traits", {}).get(API + "jsonName", name))


def documentation(shape: Json) -> str:
    """What is said of a shape, as plain text."""
    return _text(shape.get("traits", {}).get(API + "documentation"))


def _text(said: Any) -> str:  # noqa: ANN401 - any JSON
    """Documentation of AWS's models is HTML."""
    if not isinstance(said, str):
        return ""
    said = re.sub(r"</?(a|b|i|u|em|strong|code)\b[^<>]*>", "", said)  # within a line; other tags end one
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", said)).split())


def _choices(shape: Json, traits: Json) -> Json:
    if shape["type"] in ("enum", "intEnum"):
        members = shape.get("members", {}).items()
        return {"enum": [each.get("traits", {}).get(API + "enumValue", name) for name, each in members]}
    if API + "enum" in traits:  # Smithy 1.0
        return {"enum": [each["value"] for each in traits[API + "enum"]]}
    return {}


def _limits(schema: Json, traits: Json) -> Json:
    found = dict(schema)
    bounds = LENGTHS.get(schema.get("type", ""), ("minProperties", "maxProperties"))
    limits = [(API + "range", ("minimum", "maximum"))]
    limits += [] if "contentEncoding" in schema else [(API + "length", bounds)]  # of a blob it counts bytes
    for trait, keys in limits:
        for key, end in zip(keys, ("min", "max"), strict=True):
            if end in traits.get(trait, {}):
                found[key] = traits[trait][end]
    pattern = traits.get(API + "pattern")
    return found | ({"pattern": pattern} if pattern and compiles(pattern) else {})
