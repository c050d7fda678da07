"""Operations of REST targets: a tool as MCP tells it, and the HTTP request that a call of it makes."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry

Json = dict[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")  # what models accept as the name of a tool, less the target's prefix
LABEL = re.compile(r"\{([^{}]+)\}")
IN_HEADER = re.compile(r"[\t\x20-\x7e]*")
IN_PATH = "/%:@!$&'()*+,;=~"  # what a path of a document may hold as it is
MOST_FAULTS = 5
MOST_SAID = 200  # characters of a fault; some repeat the whole value


class BadTarget(Exception):
    """A description of an API of which no tools can be made."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


class BadArguments(Exception):
    """Arguments that are not as the tool's schema says, or that no request can carry."""


class Where(Enum):
    """The part of a request that an argument goes to."""

    PATH = "path"
    QUERY = "query"
    QUERIES = "queries"  # each entry of an object is a query parameter
    HEADER = "header"
    HEADERS = "headers"  # each entry of an object is a header, and the place's name their prefix
    MEMBER = "member"  # of the object in the body
    BODY = "body"  # all of it


@dataclass(frozen=True)
class Place:
    """Where an argument goes, and its name there."""

    where: Where
    name: str = ""


@dataclass(frozen=True)
class Request:
    """An HTTP request, not yet with credentials."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    service: str | None = None  # what it is signed for, if the API's description says that


@dataclass(frozen=True)
class Operation:
    """A tool without its target's prefix, and how a call of it becomes a request.

    Labels in `path` are `{name}`, or `{name+}` if they may hold slashes. `media` says how the body is written: JSON, a
    form, text, or bytes that the argument holds in base64 (any other type).
    """

    tool: Json
    method: str
    server: str
    path: str
    places: Mapping[str, Place]
    media: str = JSON
    body_needed: bool = False
    query: tuple[tuple[str, str], ...] = field(default=())  # what each call has in its query
    service: str | None = None  # what calls are signed for

    def request(self, arguments: Json) -> Request:
        """The request of a call.

        Raises:
            BadArguments: an argument is missing, is unknown, or cannot stand where it would go.
        """
        if unknown := sorted(arguments.keys() - self.places.keys()):
            raise BadArguments(f"{self.tool['name']} has no argument {', '.join(unknown)}.")
        try:
            content = self._content(arguments)
            url = self.server.rstrip("/") + self._path(arguments) + self._query(arguments)
            headers = self._headers(arguments)
        except (ValueError, RecursionError) as error:
            raise BadArguments(f"The arguments cannot be written into a request: {error}") from error
        if content is not None:
            headers["Content-Type"] = self.media
        return Request(self.method, url, headers, content, self.service)

    def _given(self, arguments: Json, where: Where) -> Iterator[tuple[str, str, Any]]:
        """Name of the argument, name in the request, value."""
        for name, place in self.places.items():
            if place.where is where and name in arguments:
                yield name, place.name, arguments[name]

    def _path(self, arguments: Json) -> str:
        names = {place.name: name for name, place in self.places.items() if place.where is Where.PATH}
        parts = LABEL.split(self.path)  # literals and labels in turn
        for i, part in enumerate(parts):
            if i % 2:
                argument = names[part.removesuffix("+")]
                parts[i] = _label(argument, arguments.get(argument), part.endswith("+"))
            else:
                parts[i] = quote(part, safe=IN_PATH)
        path = "".join(parts)
        if {".", ".."} & set(path.split("/")):
            raise BadArguments("An argument in the path may not be . or .., which mean another path.")
        return path

    def _query(self, arguments: Json) -> str:
        pairs = list(self.query)
        for _, name, value in self._given(arguments, Where.QUERY):
            pairs += [(name, each) for each in _texts(name, value)]
        for _, _, entries in self._given(arguments, Where.QUERIES):
            taken = {name for name, _ in pairs}
            for name, value in _entries(entries).items():
                pairs += [(name, each) for each in _texts(name, value) if name not in taken]
        return "?" * bool(pairs) + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)

    def _headers(self, arguments: Json) -> dict[str, str]:
        found: dict[str, str] = {"Accept": JSON}
        for _, name, value in self._given(arguments, Where.HEADER):
            if value is not None:
                found[name] = _header(name, value)
        for _, prefix, entries in self._given(arguments, Where.HEADERS):
            found |= {prefix + name: _header(prefix + name, value) for name, value in _entries(entries).items()}
        return found

    def _content(self, arguments: Json) -> bytes | None:
        for name, _, value in self._given(arguments, Where.BODY):
            return _written(self.media, name, value)
        members = {name: value for _, name, value in self._given(arguments, Where.MEMBER)}
        if members or (self.body_needed and Where.BODY not in {place.where for place in self.places.values()}):
            return _written(self.media, "body", members)
        if self.body_needed:
            raise BadArguments(f"{self.tool['name']} needs a body.")
        return None


def check(value: Json, tool: Json, schema: str = "inputSchema") -> None:
    """Compare arguments with a tool's inputSchema, or what it returned with its outputSchema.

    Raises:
        BadArguments: they are not as it says; the message has a line for each of the first faults.
    """
    faults = sorted(_validator(json.dumps(tool[schema])).iter_errors(value), key=lambda each: each.json_path)
    if faults:
        lines = [_fault(each) for each in faults[:MOST_FAULTS]]
        lines += [f"and {len(faults) - MOST_FAULTS} more"] * (len(faults) > MOST_FAULTS)
        raise BadArguments("\n".join(lines))


def is_address(url: str) -> bool:
    """Whether it is where an API can be: http or https and a host, and no query, fragment or user."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not (parts.query or parts.fragment or "@" in parts.netloc)
            and (parts.port or 1) > 0
            and re.fullmatch(r"[!-~]+", url) is not None
        )
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema), registry=Registry())  # with a registry, nothing is fetched


def _fault(error: ValidationError) -> str:
    said = error.message if len(error.message) <= MOST_SAID else error.message[:MOST_SAID] + "..."
    return f"{error.json_path.removeprefix('$.')}: {said}" if error.absolute_path else said


def _label(argument: str, value: Any, greedy: bool) -> str:  # noqa: ANN401 - any JSON
    text = ",".join(_texts(argument, value))
    if not text:
        raise BadArguments(f"{argument} is needed: it is part of the path.")
    return quote(text, safe="/" if greedy else "")


def _texts(name: str, value: Any) -> list[str]:  # noqa: ANN401
    """A value as it stands in a path, a query or a form; a list is several, null is none."""
    if value is None:
        return []
    return [_text(name, each) for each in (value if isinstance(value, list) else [value])]


def _text(name: str, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list) or value is None:
        raise BadArguments(f"{name} can only be text, a number, true or false, or a list of these.")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # JSON Schema takes 5.0 for an integer; services do not
    return json.dumps(value, allow_nan=False)


def _header(name: str, value: Any) -> str:  # noqa: ANN401
    text = ",".join(_texts(name, value)).strip()
    if not IN_HEADER.fullmatch(text) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise BadArguments(f"{name} goes into a header, which holds printable ASCII on one line.")
    return text


def _entries(value: Any) -> Json:  # noqa: ANN401
    if not isinstance(value, dict | None):
        raise BadArguments("An argument that holds several parameters must be an object.")
    return value or {}


def _written(media: str, name: str, value: Any) -> bytes:  # noqa: ANN401
    """The body."""
    if media == JSON:
        return json.dumps(value, allow_nan=False).encode()
    if media == FORM:
        pairs = [(key, text) for key, each in _entries(value).items() for text in _texts(key, each)]
        return "&".join(f"{quote_plus(key)}={quote_plus(text)}" for key, text in pairs).encode()
    if media.startswith("text/"):
        return _text(name, value).encode()
    return base64.b64decode(_text(name, value), validate=True)
