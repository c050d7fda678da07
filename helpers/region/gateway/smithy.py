"""Tools from Smithy models of services that speak restJson1, which AWS publishes as JSON AST.

On AWS models are for AWS's own services only; here that is not looked at. A target without a model, which on AWS is
DynamoDB, is none here. Idempotency tokens are arguments: nothing makes them up.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader

from helpers.region.gateway.documents import TOO_DEEP, bound
from helpers.region.gateway.operations import JSON, LABEL, BadTarget, Json, Operation, Place, Where, is_address
from helpers.region.gateway.schemas import BadSchema, tool
from helpers.region.gateway.smithy_shapes import API, Shapes, documentation, wire_name

PROTOCOL = "aws.protocols#restJson1"
RULES = "smithy.rules#endpointRuleSet"
IN_RESOURCES = ("create", "put", "read", "update", "delete", "list")
BOUND = {  # traits of members: where they go, how times are written there
    "httpLabel": (Where.PATH, "date-time"),
    "httpQuery": (Where.QUERY, "date-time"),
    "httpQueryParams": (Where.QUERIES, "date-time"),
    "httpHeader": (Where.HEADER, "http-date"),
    "httpPrefixHeaders": (Where.HEADERS, "http-date"),
    "httpPayload": (Where.BODY, "epoch-seconds"),
}
DAMAGED = (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError)  # what reading it then raises
REFUSED = {  # traits of operations
    "endpoint": "its host has a prefix of its own, which is not supported",
    "httpChecksumRequired": "it needs a checksum, which is not supported",
}


def operations(text: str, region: str) -> list[Operation]:
    """The tools of a model; `region` is where the service's endpoint is looked for.

    Raises:
        BadTarget: it is no such model, or has what a gateway does not take; with all reasons.
    """
    shapes = _read(text)
    try:
        return _tools(shapes, _service(shapes), region)
    except DAMAGED as error:
        raise BadTarget([f"The model is damaged: {error!r}. Give it as `smithy ast` writes it."]) from error


def _tools(shapes: Json, service: Json, region: str) -> list[Operation]:
    faults = []
    if PROTOCOL not in service.get("traits", {}):
        faults.append(f"The service does not speak {PROTOCOL}. Only services that do can be targets.")
    server = ""
    try:
        server = _endpoint(service, region)
    except BadSchema as error:
        faults.append(f"The service: {error}.")
    found = []
    for name in _operations(shapes, service):
        try:
            found.append(_operation(shapes, name, server))
        except BadSchema as error:
            faults.append(f"Operation {name.rpartition('#')[2]}: {error}.")
        except DAMAGED as error:
            faults.append(f"Operation {name.rpartition('#')[2]}: the model is damaged there ({error!r}).")
    if not found and not faults:
        faults.append("The service has no operations. Add one.")
    if faults:
        raise BadTarget(faults)
    return found


def signing_name(text: str) -> str | None:
    """What requests to the service are signed for, if it takes signatures; `operations` has taken the model."""
    name = _service(_read(text)).get("traits", {}).get("aws.auth#sigv4", {}).get("name")
    return str(name) if name else None


def _read(text: str) -> Json:
    bound(text)
    try:
        found = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise BadTarget([TOO_DEEP]) from None
    except ValueError as error:
        raise BadTarget([f"The model is no JSON AST ({error}). Convert IDL with `smithy ast`."]) from error
    if not isinstance(found, dict) or str(found.get("smithy"))[:2] not in ("1", "1.", "2", "2."):
        raise BadTarget(["The model does not say `smithy` 1.0 or 2.0. Give it as JSON AST of one of these."])
    shapes = found.get("shapes")
    if not isinstance(shapes, dict) or not all(isinstance(each, dict) for each in shapes.values()):
        raise BadTarget(["The model has no shapes. Give it as JSON AST."])
    if any(each.get("type") == "apply" for each in shapes.values()):
        raise BadTarget(["The model applies traits to shapes. Build it with `smithy ast`, which puts them in place."])
    return shapes


def _service(shapes: Json) -> Json:
    found = [name for name, shape in shapes.items() if shape.get("type") == "service"]
    if len(found) != 1:
        raise BadTarget([f"The model has {len(found)} services: {', '.join(found) or 'none'}. Keep one."])
    service: Json = shapes[found[0]]
    return service


def _endpoint(service: Json, region: str) -> str:
    rules = service.get("traits", {}).get(RULES)
    if not isinstance(rules, dict):
        raise BadSchema(f"it has no {RULES}, by which its address is found; add one")
    try:
        provider = EndpointProvider(rules, Loader().load_data("partitions"))
        url = str(provider.resolve_endpoint(Region=region).url)
    except (EndpointProviderError, *DAMAGED) as error:
        raise BadSchema(f"its {RULES} has no address for {region}: {error}; mend the rules") from error
    if not is_address(url):
        raise BadSchema(f"its {RULES} leads to {url}, which is no address; mend the rules")
    return url


def _operations(shapes: Json, service: Json) -> list[str]:
    """Names of the operations of a service and of all resources below it, each once."""
    found: dict[str, None] = {}
    waiting, seen = [service], set[str]()
    while waiting:
        entity = waiting.pop(0)
        listed = [*entity.get("operations", []), *entity.get("collectionOperations", [])]
        listed += [entity[kind] for kind in IN_RESOURCES if kind in entity]
        found |= dict.fromkeys(each["target"] for each in listed)
        for each in entity.get("resources", []):
            if each["target"] not in seen:
                seen.add(each["target"])
                waiting.append(shapes.get(each["target"], {}))
    return list(found)


def _operation(shapes: Json, name: str, server: str) -> Operation:
    model = Shapes(shapes)
    told = model.find(name)
    traits = told.get("traits", {})
    for trait, said in REFUSED.items():
        if API + trait in traits:
            raise BadSchema(f"{said}; leave out the operation")
    http = traits.get(API + "http")
    if not http:
        raise BadSchema("it has no trait http, which says its method and path; add one, or leave out the operation")
    _streams(model, told)
    short = name.rpartition("#")[2]
    draft = Draft(model)
    for member, each in model.find(told.get("input", {}).get("target", API + "Unit")).get("members", {}).items():
        draft.add(member, each)
    path, _, query = http["uri"].partition("?")
    labels = {label.removesuffix("+") for label in LABEL.findall(path)}
    if labels != {place.name for place in draft.places.values() if place.where is Where.PATH}:
        raise BadSchema(f"the labels of {path} are not the members with httpLabel; make them the same")
    made = tool(short, documentation(told) or short, draft.properties, draft.required, model.definitions)
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return Operation(made, http["method"], server, path, draft.places, draft.media, draft.body_needed, pairs)


def _streams(model: Shapes, told: Json) -> None:
    for side in ("input", "output"):
        for member in model.find(told.get(side, {}).get("target", API + "Unit")).get("members", {}).values():
            traits = model.find(member["target"]).get("traits", {}) | member.get("traits", {})
            if {API + "streaming", API + "eventStream"} & traits.keys():
                raise BadSchema(f"its {side} streams, which is not supported; leave out the operation")


class Draft:
    """The arguments of an operation in the making."""

    def __init__(self, model: Shapes) -> None:
        self.model = model
        self.properties: Json = {}
        self.required: list[str] = []
        self.places: dict[str, Place] = {}
        self.media, self.body_needed = JSON, False

    def add(self, name: str, member: Json) -> None:
        """A member of the input becomes an argument."""
        traits = member.get("traits", {})
        trait = next((each for each in BOUND if API + each in traits), None)
        where, time = BOUND[trait] if trait else (Where.MEMBER, "epoch-seconds")
        self.properties[name] = self.model.member(member, time)
        self.places[name] = Place(where, _wire(where, name, member, traits.get(f"{API}{trait}")))
        if API + "required" in traits or where is Where.PATH:
            self.required.append(name)
        target = self.model.find(member["target"])
        if where is Where.HEADER and API + "mediaType" in target.get("traits", {}):
            raise BadSchema(f"{name} goes into a header as base64, which is not supported; leave out the operation")
        if where is Where.BODY:
            self.media = _media(target)
            self.body_needed = API + "required" in traits
        self.body_needed = self.body_needed or where is Where.MEMBER  # restJson1 sends {} for none


def _wire(where: Where, name: str, member: Json, trait: Any) -> str:  # noqa: ANN401 - any JSON
    if where in (Where.QUERY, Where.HEADER, Where.HEADERS):
        return str(trait)
    return wire_name(name, member) if where is Where.MEMBER else name


def _media(target: Json) -> str:
    """How a payload is written."""
    if target["type"] == "blob":
        asked = str(target.get("traits", {}).get(API + "mediaType", ""))
        plain = not asked or asked == JSON or asked.startswith(("text/", "application/x-www-form"))
        return "application/octet-stream" if plain else asked
    return "text/plain" if target["type"] in ("string", "enum") else JSON


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
