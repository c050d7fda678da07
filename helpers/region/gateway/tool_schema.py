"""The tools of a function, as they are given for it: less of JSON Schema than MCP has, and nothing else."""

from collections.abc import Iterator
from typing import Any

from helpers.region.gateway.messages import Json
from helpers.region.gateway.operations import BadTarget

OF_A_TOOL = {"name", "description", "inputSchema", "outputSchema"}
OF_A_SCHEMA = {"type", "properties", "required", "items", "description"}
TYPES = ("string", "number", "object", "array", "boolean", "integer")


def checked(tools: Any) -> list[Json]:  # noqa: ANN401 - any JSON
    """These tools, if AgentCore Gateway takes them.

    Raises:
        BadTarget: it does not; with all reasons.
    """
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise BadTarget(["The tool schema is no list of tools."])
    if reasons := [reason for tool in tools for reason in _of_tool(tool)]:
        raise BadTarget(reasons)
    return tools


def _of_tool(tool: Json) -> Iterator[str]:
    name = f"Tool {tool.get('name')}"
    for other in sorted(tool.keys() - OF_A_TOOL):
        yield f"{name} has {other}; a tool has {', '.join(sorted(OF_A_TOOL))}. Leave it out."
    if not isinstance(tool.get("description"), str):
        yield f"{name} has no description; agents choose by it. Write one."
    for place in ("inputSchema", "outputSchema"):
        if place in tool:
            yield from (f"{name}: {reason}" for reason in _of_schema(tool[place], place))
    output = tool.get("outputSchema")
    if isinstance(output, dict) and output.get("type") != "object":
        yield f"{name}: outputSchema has to be of the type object. Return an object that holds the result."


def _of_schema(schema: Any, place: str) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(schema, dict):
        yield f"{place} is no object."
        return
    for other in sorted(schema.keys() - OF_A_SCHEMA):
        yield f"{place}: {other} is not supported, only {', '.join(sorted(OF_A_SCHEMA))}. Say it in the description."
    if schema.get("type") not in TYPES:
        yield f"{place}: the type {schema.get('type')!r} is none of {', '.join(TYPES)}."
    required, properties = schema.get("required", []), schema.get("properties", {})
    if not isinstance(required, list) or not all(isinstance(each, str) for each in required):
        yield f"{place}: required is no list of names."
    if not isinstance(properties, dict):
        yield f"{place}: properties is no object."
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        yield from _of_schema(inner, f"{place}.properties.{name}")
    if "items" in schema:
        yield from _of_schema(schema["items"], f"{place}.items")
