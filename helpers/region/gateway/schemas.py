"""Schemas of OpenAPI 3.0 and 3.1 as JSON Schema: what a tool's arguments must be like, without the document around."""

import re
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError

from helpers.region.gateway.operations import Json

MOST_NODES = 20_000  # of a tool's schema; more no model would read
KEPT = {
    *("type", "format", "title", "description", "default", "enum", "const"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
    *("minProperties", "maxProperties", "contentEncoding", "contentMediaType"),
}
SAID_ELSEWHERE = {
    *("nullable", "properties", "required", "items", "prefixItems", "additionalProperties"),
    *("readOnly", "writeOnly", "example", "examples", "deprecated", "xml", "externalDocs", "discriminator"),
    *("$ref", "$comment", "$defs", "$schema"),
    *("oneOf", "anyOf", "allOf"),  # refused wherever they are, once
}


class BadSchema(Exception):
    """A schema that cannot be a tool's."""


class Schemas:
    """Schemas of a document. Those that hold themselves are gathered in `definitions`, for the tool's `$defs`."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.definitions: Json = {}
        self.nodes = 0

    def find(self, value: Any) -> Json:  # noqa: ANN401 - any JSON
        """What a value or a reference is in the end.

        Raises:
            BadSchema: it points nowhere, in a circle, or is no object.
        """
        seen: set[str] = set()
        while isinstance(value, dict) and isinstance(pointer := value.get("$ref"), str):
            if pointer in seen:
                raise BadSchema(f"the reference {pointer} leads back to itself; let it lead to a definition")
            seen.add(pointer)
            value = _at(self.document, pointer)
        if not isinstance(value, dict):
            raise BadSchema("there is no object where one must be")
        return value

    def translate(self, schema: Any, above: tuple[str, ...] = ()) -> Json:  # noqa: ANN401
        """A schema as JSON Schema; `above` are the references that led here.

        Raises:
            BadSchema: it says what JSON Schema of a tool cannot say, or is too large.
        """
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise BadSchema("the schema is too large for a tool; leave out what a call does not need")
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        pointer = schema.get("$ref") if isinstance(schema, dict) else None
        if isinstance(pointer, str):
            said = {"description": schema["description"]} if "description" in schema else {}
            return self._referred(pointer, self.find(schema), above) | said
        found = self.find(schema)
        if unknown := [key for key in found if key not in KEPT | SAID_ELSEWHERE and not key.startswith("x-")]:
            raise BadSchema(f"the keywords {', '.join(sorted(unknown))} are not for tools; say it in simpler ones")
        if found.get("format") == "binary":
            raise BadSchema("binary content is not supported; use format byte, which is base64")
        return _limits(found) | self._inner(found, above)

    def _referred(self, pointer: str, schema: Json, above: tuple[str, ...]) -> Json:
        """Written out where it is referred to; if it holds itself, among the definitions."""
        if pointer not in above:
            found = self.translate(schema, (*above, pointer))
            name = _name(pointer)
            if name in self.definitions and not self.definitions[name]:
                self.definitions[name] = found
            return found
        self.definitions.setdefault(_name(pointer), {})
        return {"$ref": f"#/$defs/{_name(pointer)}"}

    def _inner(self, schema: Json, above: tuple[str, ...]) -> Json:
        found: Json = {}
        if isinstance(properties := schema.get("properties"), dict):
            asked = {name: each for name, each in properties.items() if not self._read_only(each)}
            found["properties"] = {name: self.translate(each, above) for name, each in asked.items()}
            needed = [name for name in schema.get("required", []) if name in asked or name not in properties]
        else:
            needed = schema.get("required", [])
        if needed:
            found["required"] = needed
        if "items" in schema:
            found["items"] = self.translate(schema["items"], above)
        if "prefixItems" in schema:
            found["prefixItems"] = [self.translate(each, above) for each in schema["prefixItems"]]
        if "additionalProperties" in schema:
            more = schema["additionalProperties"]
            found["additionalProperties"] = more if isinstance(more, bool) else self.translate(more, above)
        return found

    def _read_only(self, schema: Any) -> bool:  # noqa: ANN401
        return isinstance(schema, dict) and self.find(schema).get("readOnly") is True


def tool(name: str, description: str, properties: Json, required: list[str], definitions: Json) -> Json:
    """A tool as MCP tells it; it has no other arguments than these.

    Raises:
        BadSchema: what the document says of a value is no JSON Schema.
    """
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    schema |= {"required": required} if required else {}
    schema |= {"$defs": definitions} if definitions else {}
    try:
        Draft7Validator.check_schema(schema | {"definitions": definitions})  # ten times as fast as later drafts
    except SchemaError as error:
        raise BadSchema(f"{error.json_path}: {error.message[:200]}; mend that limit") from error
    return {"name": name, "description": description, "inputSchema": schema}


def _limits(schema: Json) -> Json:
    """The keywords that hold no schemas, with what 3.0 says in its own way."""
    found = {key: value for key, value in schema.items() if key in KEPT}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(found.get(exclusive), bool) and found.pop(exclusive) and bound in found:
            found[exclusive] = found.pop(bound)
    if schema.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        if "enum" in found and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
    if "pattern" in found and not compiles(found["pattern"]):
        del found["pattern"]  # another dialect than Python's; the service itself will look
    return found


def compiles(pattern: str) -> bool:
    """Whether Python knows the dialect of a pattern."""
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        return False
    return True


def _at(document: Json, pointer: str) -> Any:  # noqa: ANN401
    found: Any = document
    for part in pointer.removeprefix("#").split("/")[1:]:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise BadSchema(f"the reference {pointer} leads nowhere; define what it names") from None
    return found


def _name(pointer: str) -> str:
    """A name among the definitions: the last part, or all of it where that says too little."""
    short = pointer.removeprefix("#/components/schemas/")
    return re.sub(r"[^A-Za-z0-9_.-]", "_", unquote(short))
