"""What AgentCore Gateway does not take in an OpenAPI document, and what no OpenAPI document may be."""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import DuplicateOperationIDError

from helpers.region.gateway.operations import Json

MOST_FAULTS = 10  # of form; one mistake often shows up as many
COMPOSED = ("oneOf", "anyOf", "allOf")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
VALUES = {"example", "examples", "default", "enum", "const"}  # they hold data, not parts of the description
MAPS = {  # their keys are names that somebody chose
    *("properties", "patternProperties", "$defs", "schemas", "responses", "parameters", "requestBodies", "headers"),
    *("content", "encoding", "callbacks", "links", "paths", "pathItems", "variables", "securitySchemes", "webhooks"),
}


class NoFetch(dict[str, Any]):
    """What fetches what is elsewhere, whatever its scheme: nothing does."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __getitem__(self, scheme: str) -> Any:  # noqa: ANN401 - a function that only raises
        raise LookupError(f"{scheme}: what a reference names is not in this document")


def version(document: Json) -> list[str]:
    """Whether it is OpenAPI 3.0 or 3.1."""
    told = document.get("openapi", document.get("swagger"))
    if isinstance(document.get("openapi"), str) and re.fullmatch(r"3\.[01](\.\d+)?", document["openapi"]):
        return []
    return [f"The document is for version {told} of OpenAPI. Convert it to 3.0 or 3.1 (openapi: 3.0.3)."]


def references(document: Json) -> list[str]:
    """References out of the document; nothing is fetched."""
    found = []
    for where, key, value in _walk(document, interpreted=False):
        if key == "$ref" and isinstance(value, str) and not value.startswith("#/"):
            found.append(f"{where}: {value} is not in this document. Copy it into components and refer to it there.")
        if key == "$id" and isinstance(value, str):
            found.append(f"{where}: $id gives references another base. Leave it out.")
    return found


def structure(document: Json) -> list[str]:
    """Where it is not as the specification of OpenAPI says."""
    kind = OpenAPIV30SpecValidator if document["openapi"].startswith("3.0") else OpenAPIV31SpecValidator
    found: list[str] = []
    try:
        validator = kind(SchemaPath.from_dict(document, handlers=NoFetch()))
        for error in validator.iter_errors():
            if not _elsewhere(error):
                where = "/".join(map(str, error.absolute_path)) or "the document"
                found.append(f"{where}: {error.message[:300]}. See the specification of OpenAPI.")
    except RecursionError:
        found.append("The document is nested too deeply, or a reference leads back to itself. Make it flatter.")
    except Exception as error:  # its validator stops at what it cannot follow
        found.append(f"The document cannot be followed: {error}. See the specification of OpenAPI.")
    return list(dict.fromkeys(found))[:MOST_FAULTS]


def features(document: Json) -> list[str]:
    """What is OpenAPI, but not for a gateway."""
    found = [
        f"{where}: {key} is not supported. Write one schema that says it."
        for where, key, value in _walk(document)
        if key in COMPOSED and isinstance(value, list)
    ]
    components = _object(document, "components")
    if components.get("securitySchemes"):
        found.append(
            "components/securitySchemes: not supported. Leave it out; the target's credential provider says how to "
            "authenticate."
        )
    if document.get("webhooks"):
        found.append("webhooks: not supported. Leave them out.")
    found += [
        f"components/{key}: not supported. Leave them out." for key in ("callbacks", "links") if components.get(key)
    ]
    for name, _, operation in each_operation(document):
        if operation.get("callbacks"):
            found.append(f"{name}: callbacks are not supported. Leave them out.")
        answers = _object(operation, "responses").values()
        if any(isinstance(answer, dict) and answer.get("links") for answer in answers):
            found.append(f"{name}: links are not supported. Leave them out.")
    return found


def each_operation(document: Json) -> Iterator[tuple[str, Json, Json]]:
    """Method and path, what is said of the path, what is said of the operation."""
    for path, item in _object(document, "paths").items():
        if isinstance(item, dict):
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield f"{method.upper()} {path}", item, item[method]


def _elsewhere(error: Any) -> bool:  # noqa: ANN401 - jsonschema's
    """Whether a fault is told by other rules, or is none here: patterns may be in a dialect that is not Python's."""
    no_default = error.validator == "required" and "variables" in error.absolute_path
    return (
        isinstance(error, DuplicateOperationIDError)
        or no_default
        or (error.validator == "format" and error.validator_value == "regex")
    )


def _walk(value: Any, where: str = "", interpreted: bool = True) -> Iterator[tuple[str, str, Any]]:  # noqa: ANN401
    """Each key with its place and value; `interpreted` leaves out names and data."""
    stack: list[tuple[str, Any, bool]] = [(where, value, False)]
    while stack:
        place, found, names = stack.pop()
        if isinstance(found, list):
            stack += [(f"{place}/{i}", each, False) for i, each in reversed(list(enumerate(found)))]
        if not isinstance(found, dict):
            continue
        for key, each in found.items():
            if not (interpreted and names):
                yield place or "the document", key, each
        for key, each in reversed(found.items()):
            if not interpreted or names or not (key in VALUES or key.startswith("x-")):
                stack.append((f"{place}/{key}".removeprefix("/"), each, key in MAPS and not names))


def _object(value: Json, key: str) -> Json:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
