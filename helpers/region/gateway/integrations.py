"""Integrations of API Gateway's methods, carried out: HTTP and HTTP_PROXY to loopback, MOCK, and Lambda by AWS_PROXY.

Other than on AWS there are no mapping templates (VTL), no VPC links, no AWS integrations but AWS_PROXY with a function,
and HTTP goes to this computer only.
"""

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote

import httpx
from moto.apigateway.models import Integration, IntegrationResponse, Method

from helpers.region.gateway.operations import LABEL
from helpers.region.tokens import is_loopback

KINDS = ("HTTP", "HTTP_PROXY", "AWS_PROXY", "MOCK")
MOST_BYTES = 10 * 2**20  # of an answer
SECONDS = 29.0  # that API Gateway waits, unless the integration says less
FUNCTION = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:lambda:path/[\d-]+/functions/(arn:[^/]+)/invocations")
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"),
    *("upgrade", "host", "content-length", "content-encoding"),
}
UNTOUCHED = {None, "", "$input.json('$')", "$input.body"}  # templates that pass a body on as it is


@dataclass(frozen=True)
class Answer:
    """What a call is answered with."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True)
class Received:
    """A request that has reached a method of a stage."""

    method: str
    path: str  # without the stage
    labels: Mapping[str, str]
    query: list[tuple[str, str]]
    headers: Mapping[str, str]  # names in lower case
    content: bytes
    variables: Mapping[str, str]  # of the stage


def told(status: int, message: str) -> Answer:
    """An answer of API Gateway's own."""
    return Answer(status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode())


def limit(integration: Integration) -> float:
    """How many seconds an integration may take."""
    return min(SECONDS, int(integration.timeout_in_millis or 1000 * SECONDS) / 1000)


def refusal(method: Method) -> str | None:
    """Why the integration of a method cannot be carried out."""
    integration = method.method_integration
    if integration is None:
        return "it has no integration. Call put_integration."
    kind = integration.integration_type
    if kind not in KINDS:
        return f"its integration is {kind}, which this Region does not carry out. Use {', '.join(KINDS)}."
    if integration.connection_type == "VPC_LINK":
        return "its integration uses a VPC link, which this Region has not. Use the address itself."
    if kind == "AWS_PROXY" and not FUNCTION.fullmatch(integration.uri or ""):
        return f"its integration {integration.uri} names no function. Give the ARN of API Gateway for one of Lambda."
    if kind == "HTTP" and not set((integration.request_templates or {}).values()) <= UNTOUCHED:
        return "its integration has a request template, which this Region does not carry out. Use HTTP_PROXY."
    if kind in ("HTTP", "MOCK") and (reason := _templates(integration)):
        return reason
    return None


def _templates(integration: Integration) -> str | None:
    for response in (integration.integration_responses or {}).values():
        for template in (response.response_templates or {}).values():
            if template not in UNTOUCHED and re.search(r"\$[a-zA-Z{!]|^\s*#[a-z]", template, re.M):
                return (
                    "its integration has a response template that computes, which this Region does not. Use plain text."
                )
    return None


def mock(integration: Integration) -> Answer:
    """The answer that a MOCK integration's templates say."""
    template = (integration.request_templates or {}).get("application/json") or ""
    code = re.search(r"[\"']?statusCode[\"']?\s*:\s*\"?(\d{3})", template)
    response = code and _response(integration, code[1])
    if not response:
        return told(500, "Internal server error")
    text = (response.response_templates or {}).get("application/json") or ""
    return Answer(int(response.status_code), {"Content-Type": "application/json"}, text.encode())


async def http(integration: Integration, received: Received) -> Answer:
    """Call an address of this computer, and give its answer; HTTP maps it to the status of its integration response.

    It may take for ever: whoever calls holds it to its `limit`.
    """
    try:
        request = _outgoing(integration, received)
    except (ValueError, httpx.InvalidURL):
        return told(500, "Internal server error")
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=None, verify=_tls()) as client:  # noqa: S113 - see above
            found = await _answer(client, request)
    except httpx.HTTPError:
        return told(504, "Network error communicating with endpoint")
    if found is None:
        return told(500, "Internal server error")
    return found if integration.integration_type == "HTTP_PROXY" else _mapped(integration, found)


def _outgoing(integration: Integration, received: Received) -> httpx.Request:
    """What is sent on.

    Raises:
        ValueError: the address is not of this computer.
    """
    proxied = integration.integration_type == "HTTP_PROXY"
    labels = dict(received.labels)
    query = list(received.query) if proxied else []
    headers = {name: value for name, value in received.headers.items() if proxied and name not in HOP_BY_HOP}
    headers = {name: value for name, value in headers.items() if not value.startswith("AWS4-HMAC-SHA256 ")}
    if "content-type" in received.headers:
        headers["content-type"] = received.headers["content-type"]
    for kind, name, value in _mappings(integration, received):
        if kind == "path":
            labels[name] = value
        elif kind == "header":
            headers[name.lower()] = value
        else:
            query = [pair for pair in query if pair[0] != name] + [(name, value)]
    uri = re.sub(r"\$\{stageVariables\.(\w+)\}", lambda each: received.variables.get(each[1], ""), integration.uri)
    url = httpx.URL(LABEL.sub(lambda each: _segment(labels.get(each[1].removesuffix("+"), each[0])), uri))
    if not is_loopback(url.host):
        raise ValueError(f"{url.host} is not this computer")
    url = url.copy_merge_params(httpx.QueryParams(tuple(query))) if query else url
    return httpx.Request(integration.http_method or received.method, url, headers=headers, content=received.content)


def _mappings(integration: Integration, received: Received) -> Iterator[tuple[str, str, str]]:
    """Where `requestParameters` put what: kind, name, value."""
    for place, source in (integration.request_parameters or {}).items():
        kind, name = place.removeprefix("integration.request.").split(".", 1)
        value = _source(source, received)
        if value is not None and kind in ("path", "querystring", "header"):
            yield kind, name, value


def _source(source: str, received: Received) -> str | None:
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith("stageVariables."):
        return received.variables.get(source.removeprefix("stageVariables."))
    kind, _, name = source.removeprefix("method.request.").partition(".")
    found: Mapping[str, str] = {
        "path": received.labels,
        "querystring": dict(received.query),
        "header": received.headers,
    }.get(kind, {})
    return found.get(name.lower() if kind == "header" else name)


def _segment(value: str) -> str:
    if value in ("", ".", ".."):
        raise ValueError("a label must not lead to another path")
    return quote(value, safe="")


async def _answer(client: httpx.AsyncClient, request: httpx.Request) -> Answer | None:
    """What the address answers; None if it is too much."""
    response = await client.send(request, stream=True)
    content = b""
    try:
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > MOST_BYTES:
                return None
    finally:
        await response.aclose()
    headers = {name: value for name, value in response.headers.items() if name not in HOP_BY_HOP}
    return Answer(response.status_code, headers, content)


def _mapped(integration: Integration, found: Answer) -> Answer:
    response = _response(integration, str(found.status))
    if response is None:
        return told(500, "Internal server error")
    text = (response.response_templates or {}).get("application/json") or ""
    kind = found.headers.get("content-type", "application/json")
    content = found.content if text in UNTOUCHED else text.encode()
    return Answer(int(response.status_code), {"Content-Type": kind}, content)


def _response(integration: Integration, status: str) -> IntegrationResponse | None:
    """The integration response whose pattern fits, else the one that has none."""
    responses = list((integration.integration_responses or {}).values())
    fits = [each for each in responses if each.selection_pattern and re.fullmatch(each.selection_pattern, status)]
    return next(iter(fits + [each for each in responses if not each.selection_pattern]), None)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
