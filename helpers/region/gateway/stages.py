"""Calls of a stage of API Gateway: the method is found, the caller's key looked at, the integration carried out.

Other than on AWS signatures are not compared (AWS_IAM asks only that there is one), usage plans do not throttle,
request validators do nothing, and methods with authorizers answer everybody with 401; on AWS too no gateway gets
through those. A function's base64 is always decoded.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

from moto.apigateway.models import Integration, Method, Resource, RestAPI, apigateway_backends

from helpers.region.gateway.api_gateway import deployed
from helpers.region.gateway.integrations import FUNCTION, Answer, Received, http, limit, mock, refusal, told
from helpers.region.gateway.operations import LABEL, Json, Request
from helpers.region.gateway.upstream import TargetFailed

Invoke = Callable[[str, Json], Awaitable[bytes]]  # calls a function by its ARN


async def execute(api: RestAPI, stage: str, request: Request, invoke: Invoke) -> Answer:
    """Answer a request to a stage, as its method's integration does."""
    parts = urlsplit(request.url)
    path = "/" + parts.path.partition(f"/{stage}/")[2]  # the address of a stage ends in its name
    found = None if deployed(api, stage) else _route(api, path, request.method)
    headers = {name.lower(): value for name, value in request.headers.items()}
    if found is None or (found[1].authorization_type == "AWS_IAM" and not _is_signed(headers)):
        return told(403, "Missing Authentication Token")
    resource, method, labels = found
    if method.authorization_type in ("CUSTOM", "COGNITO_USER_POOLS"):
        return told(401, "Unauthorized")
    if method.api_key_required in (True, "true") and not _has_key(api, stage, headers.get("x-api-key")):
        return told(403, "Forbidden")
    if refusal(method):
        return told(500, "Internal server error")
    query = parse_qsl(parts.query, keep_blank_values=True)
    variables = api.stages[stage].variables
    received = Received(request.method, path, labels, query, headers, request.content or b"", variables)
    integration = method.method_integration
    if integration.integration_type == "MOCK":
        return mock(integration)
    try:
        async with asyncio.timeout(limit(integration)):
            if integration.integration_type == "AWS_PROXY":
                return await _called(integration, event(api, stage, resource, received), invoke)
            return await http(integration, received)
    except TimeoutError:
        return told(504, "Endpoint request timed out")


async def _called(integration: Integration, given: Json, invoke: Invoke) -> Answer:
    """What a function answers."""
    arn = FUNCTION.fullmatch(integration.uri)
    assert arn  # else it was refused
    try:
        return translated(await invoke(arn[1], given))
    except TargetFailed:
        return told(500, "Internal server error")


def _route(api: RestAPI, path: str, method: str) -> tuple[Resource, Method, dict[str, str]] | None:
    """The resource of a path, the method, and what the labels are; a resource without labels goes first."""
    for resource in sorted(api.resources.values(), key=lambda each: _rank(each.get_path())):
        literals = LABEL.split(resource.get_path())
        pattern = "".join("([^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(literals))
        fits = re.fullmatch(pattern, path)
        found = resource.resource_methods.get(method) or resource.resource_methods.get("ANY")
        if fits and found and "+}" not in resource.get_path():
            return resource, found, dict(zip(literals[1::2], map(unquote, fits.groups()), strict=True))
    return None


def _rank(path: str) -> list[bool]:
    return ["{" in part for part in path.split("/")]


def _is_signed(headers: dict[str, str]) -> bool:
    return headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")


def _has_key(api: RestAPI, stage: str, given: str | None) -> bool:
    """Whether a key is enabled, and in a usage plan of the stage."""
    backend = apigateway_backends[api.account_id][api.region_name]
    place = (api.id, stage)
    for plan in backend.usage_plans.values():
        if place in {(each.get("apiId"), each.get("stage")) for each in plan.api_stages}:
            for identifier in backend.usage_plan_keys.get(plan.id, {}):
                key = backend.keys.get(identifier)
                if key and key.enabled and key.value == given:
                    return True
    return False


def event(api: RestAPI, stage: str, resource: Resource, received: Received) -> Json:
    """What a function is called with: the event of a REST API's Lambda proxy integration."""
    body, encoded = _body(received.content)
    now, path = time.time(), resource.get_path()
    several: dict[str, list[str]] = {}
    for name, value in received.query:
        several.setdefault(name, []).append(value)
    return {
        "resource": path,
        "path": received.path,
        "httpMethod": received.method,
        "headers": dict(received.headers),
        "multiValueHeaders": {name: [value] for name, value in received.headers.items()},
        "queryStringParameters": dict(received.query) or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": dict(received.labels) or None,
        "stageVariables": dict(received.variables) or None,
        "requestContext": {
            "accountId": api.account_id,
            "apiId": api.id,
            "httpMethod": received.method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": received.headers.get("user-agent")},
            "path": f"/{stage}{received.path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid4()),
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": resource.id,
            "resourcePath": path,
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def _body(content: bytes) -> tuple[str | None, bool]:
    try:
        return content.decode() or None, False
    except UnicodeDecodeError:
        return base64.b64encode(content).decode(), True


def translated(payload: bytes) -> Answer:
    """A function's answer as that of the API; what is not of the form is a 502."""
    try:
        found = json.loads(payload)
        status = int(found["statusCode"])
        headers = {**_headers(found.get("headers")), **_headers(found.get("multiValueHeaders"))}
        body = found.get("body")
        content = b"" if body is None else _content(body, found.get("isBase64Encoded") is True)
        if not 100 <= status <= 599:
            raise ValueError("no status")
    except (ValueError, KeyError, TypeError, AttributeError):
        return told(502, "Internal server error")
    return Answer(status, {"content-type": "application/json"} | headers, content)


def _headers(given: Any) -> dict[str, str]:  # noqa: ANN401 - any JSON
    several = {name: value if isinstance(value, list) else [value] for name, value in (given or {}).items()}
    found = {name.lower(): ", ".join(map(_text, values)) for name, values in several.items()}
    if any(re.search(r"[\r\n\0]", name + value) for name, value in found.items()):
        raise ValueError("a header has one line")
    return found


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict | list):
        raise TypeError("a header is text")
    return value if isinstance(value, str) else json.dumps(value)


def _content(body: Any, encoded: bool) -> bytes:  # noqa: ANN401
    if not isinstance(body, str):
        raise TypeError("a body is text")
    return base64.b64decode(body, validate=True) if encoded else body.encode()
