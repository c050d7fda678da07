"""Checks a request as AWS would: botocore's service models say what is valid.

boto3 checks names, types and what is required before it sends, but no pattern, enumeration or length; other clients
check nothing. Both are refused here with the words that AWS uses, all faults at once.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import regex  # AWS's patterns know \p{L}
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from moto.core.request import Request
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model

from helpers.region.errors import NotHere, RegionError, ValidationError

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str, bytes),  # bytes where it is the whole payload
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}
HERE = re.compile(r"^http://(?=(127\.0\.0\.1|localhost)[:/])")  # servers of this machine have no certificates
Fault = tuple[str, str]  # where, and which constraint


class Checked(BaseResponse):  # type: ignore[misc]
    """A service of moto whose requests are checked before anything is done."""

    def parse_parameters(self, request: Request) -> None:
        """Read the request; moto takes its types for granted, and what is wrong with them is told later."""
        try:
            super().parse_parameters(request)
        except (AttributeError, TypeError, ValueError):
            self.params = self.uri_match

    def call_action(self) -> Any:  # noqa: ANN401 - moto's type
        """Refuse what the service's model does not allow, or carry it out."""
        try:
            self._check()
        except RegionError as error:
            return self.serialized(ActionResult(error))
        return super().call_action()

    def _check(self) -> None:
        action = self._get_action()
        if not action or not hasattr(self, camelcase_to_underscores(action)):
            raise NotHere(f"{self.boto3_service_name} has no {action or self.path} in this Region on a laptop.")
        operation = get_service_model(self.boto3_service_name).operation_model(action)
        if found := list(faults(self.params, self.body, operation)):
            many = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
            details = "; ".join(f"Value at '{where}' failed to satisfy constraint: {what}" for where, what in found)
            raise ValidationError(f"{many} detected: {details}")


def faults(params: dict[str, Any], body: str | bytes, operation: OperationModel) -> Iterator[Fault]:
    """What is wrong with a JSON request, of which `params` is what moto has read."""
    shape = operation.input_shape
    if shape is None:
        return
    in_body = {name for name, member in shape.members.items() if "location" not in member.serialization}
    if not shape.serialization.get("payload"):
        try:
            document = json.loads(body or "{}")
        except ValueError:
            document = None
        if not isinstance(document, dict):
            yield "body", "Must be a JSON object"
            return
        params = {name: value for name, value in params.items() if name not in in_body} | document
    yield from _structure(params, shape, "")


def _value(value: Any, shape: Shape, where: str) -> Iterator[Fault]:  # noqa: ANN401 - what JSON holds
    if getattr(shape, "is_document_type", False):
        return
    expected = JSON_TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        yield where, f"Member must be of type {shape.type_name}"
        return
    yield from _limits(value, shape, where)
    yield from WALKS.get(shape.type_name, _nothing)(value, shape, where)


def _limits(value: Any, shape: Shape, where: str) -> Iterator[Fault]:  # noqa: ANN401
    limits = shape.metadata
    size, what = (value, "value") if isinstance(value, int | float) else (len(value), "length")
    if shape.type_name != "timestamp":
        if size < limits.get("min", size):
            yield where, f"Member must have {what} greater than or equal to {limits['min']}"
        if size > limits.get("max", size):
            yield where, f"Member must have {what} less than or equal to {limits['max']}"
    if isinstance(value, str):
        if "enum" in limits and value not in limits["enum"]:
            yield where, f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
        if "pattern" in limits and not _pattern(limits["pattern"]).fullmatch(HERE.sub("https://", value)):
            yield where, f"Member must satisfy regular expression pattern: {limits['pattern']}"


def _structure(value: dict[str, Any], shape: StructureShape, where: str) -> Iterator[Fault]:
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    given = {names.get(key, key): inner for key, inner in value.items() if inner is not None}
    for name in shape.required_members:
        if name not in given:
            yield _path(where, name), "Member must not be null"
    if shape.is_tagged_union and len(given) != 1:
        yield where, f"Exactly one of its members must be set: {', '.join(shape.members)}"
    for name, inner in given.items():
        if name in shape.members:
            yield from _value(inner, shape.members[name], _path(where, name))
        else:
            yield _path(where, name), "There is no such member"


def _list(value: list[Any], shape: ListShape, where: str) -> Iterator[Fault]:
    for place, inner in enumerate(value, 1):  # AWS counts from 1
        yield from _value(inner, shape.member, f"{where}.{place}.member")


def _map(value: dict[str, Any], shape: MapShape, where: str) -> Iterator[Fault]:
    for key, inner in value.items():
        yield from _value(key, shape.key, f"{where}.key")
        yield from _value(inner, shape.value, f"{where}.{key}.member")


def _nothing(*_: object) -> Iterator[Fault]:
    return iter(())


WALKS: dict[str, Callable[..., Iterator[Fault]]] = {"structure": _structure, "list": _list, "map": _map}


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


@lru_cache(1024)
def _pattern(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(pattern)
