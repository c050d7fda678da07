"""Tools from OpenAPI 3.0 and 3.1: an operation is a tool; its parameters and the members of its body are the arguments.

On AWS bodies of XML and multipart are listed as supported; here it is JSON and forms. A body that is optional but has
required members counts as required. What answers look like is not told: most do not keep to it.
"""

import re
from typing import Any

from helpers.region.gateway import openapi_rules
from helpers.region.gateway.documents import read
from helpers.region.gateway.openapi_rules import each_operation
from helpers.region.gateway.operations import (
    FORM,
    JSON,
    LABEL,
    NAME,
    BadTarget,
    Json,
    Operation,
    Place,
    Where,
    is_address,
)
from helpers.region.gateway.schemas import BadSchema, Schemas, tool

PLACES = {"path": Where.PATH, "query": Where.QUERY, "header": Where.HEADER}
STYLES = {"path": ("simple", False), "query": ("form", True), "header": ("simple", False)}  # and explode
IGNORED = {"accept", "content-type", "authorization"}  # parameters in headers, says OpenAPI
NOT_ARGUMENTS = {
    *("connection", "content-length", "cookie", "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}


def operations(text: str) -> list[Operation]:
    """The tools of a document.

    Raises:
        BadTarget: the document is not OpenAPI 3.0 or 3.1, or has what a gateway does not take; with all reasons.
    """
    document = read(text)
    if faults := openapi_rules.version(document) or openapi_rules.references(document):
        raise BadTarget(faults + (openapi_rules.features(document) if "openapi" in document else []))
    wrong_form = openapi_rules.structure(document)
    faults = wrong_form + openapi_rules.features(document) + _wrong_names(document)
    found = []
    for name, item, operation in each_operation(document) if not wrong_form else ():
        draft = Draft(document, name, item, operation)
        try:
            found.append(draft.operation())
        except BadSchema as error:
            faults.append(f"{name}: {error}.")
        faults += draft.faults
    if not faults and not found:
        faults = ["paths: there is no operation. Add one with an operationId."]
    if faults:
        raise BadTarget(list(dict.fromkeys(faults)))
    return found


def _wrong_names(document: Json) -> list[str]:
    faults, taken = [], dict[str, str]()
    for name, _, operation in each_operation(document):
        called = operation.get("operationId")
        if not called:
            faults.append(f"{name}: it has no operationId. Add one; it becomes the tool's name.")
        elif not isinstance(called, str) or not NAME.fullmatch(called):
            faults.append(
                f"{name}: operationId {called} is no name of a tool. Use letters, digits, _ and -, at most 128."
            )
        elif called in taken:
            faults.append(f"{name}: operationId {called} is that of {taken[called]} too. Give each its own.")
        taken.setdefault(str(called), name)
    return faults


class Draft:
    """An operation in the making, and what is wrong with it."""

    def __init__(self, document: Json, name: str, item: Json, told: Json) -> None:
        self.document, self.name, self.item, self.told = document, name, item, told
        self.schemas = Schemas(document)
        self.faults: list[str] = []
        self.properties: Json = {}
        self.required: list[str] = []
        self.places: dict[str, Place] = {}
        self.media, self.body_needed = JSON, False

    def operation(self) -> Operation:
        """The operation, as far as it can be told.

        Raises:
            BadSchema: its arguments make no JSON Schema.
        """
        method, path = self.name.split(" ", 1)
        server = self._server()
        if re.search(r"[?#]", path):
            self._fault("its path has a query or a fragment. Make parameters of them.")
        self._parameters()
        if "requestBody" in self.told:
            self._tried("requestBody", self._body)
        said = [self.told.get("summary"), self.told.get("description")]
        about = "\n\n".join(each for each in said if each) or self.name
        made = tool(str(self.told.get("operationId")), about, self.properties, self.required, self.schemas.definitions)
        return Operation(made, method, server, path, self.places, self.media, self.body_needed)

    def _server(self) -> str:
        servers = self.told.get("servers") or self.item.get("servers") or self.document.get("servers")
        if not servers:
            self._fault("there is no server. Add servers with the address of the API to the document.")
            return ""
        url, variables = str(servers[0].get("url")), servers[0].get("variables", {})
        for label in LABEL.findall(url):
            value = variables.get(label, {}).get("default")
            if value is None:
                self._fault(f"variable {label} of server {url} has no default. Give it one, or write the address out.")
            url = url.replace(f"{{{label}}}", str(value))
        if not is_address(url):
            self._fault(f"server {url} is no address. Give it as https://host/path, without query, fragment or user.")
        return url

    def _parameters(self) -> None:
        found: dict[tuple[Any, Any], Json] = {}
        for each in [*self.item.get("parameters", []), *self.told.get("parameters", [])]:
            try:
                parameter = self.schemas.find(each)
            except BadSchema as error:
                self._fault(f"{error}.")
                continue
            found[parameter.get("in"), parameter.get("name")] = parameter
        for (where, name), parameter in found.items():
            if where == "header" and name.lower() in IGNORED:
                continue
            self._tried(f"parameter {name}", lambda parameter=parameter: self._parameter(parameter))

    def _parameter(self, parameter: Json) -> None:
        where, name = parameter["in"], parameter["name"]
        if where not in PLACES:
            raise BadSchema(f"parameters in a {where} are not supported; leave it out")
        if "content" in parameter or parameter.get("allowReserved"):
            raise BadSchema("content and allowReserved are not supported; give it a schema of a plain type")
        style, explode = STYLES[where]
        if parameter.get("style", style) != style or parameter.get("explode", explode) != explode:
            raise BadSchema(f"only style {style} with explode {str(explode).lower()} is supported; leave both out")
        if where == "header" and name.lower() in NOT_ARGUMENTS:
            raise BadSchema("this header is the gateway's own; leave it out")
        schema = self.schemas.translate(parameter.get("schema", {}))
        if not _is_plain(schema):
            raise BadSchema(f"an object in a {where} needs a serialiser, which is not supported; use plain types")
        if "description" in parameter:
            schema = schema | {"description": parameter["description"]}
        self._argument(name, schema, Place(PLACES[where], name), where == "path" or parameter.get("required") is True)

    def _body(self) -> None:
        body = self.schemas.find(self.told["requestBody"])
        content = {name.split(";")[0].strip().lower(): each for name, each in body.get("content", {}).items()}
        media = next((each for each in (JSON, FORM) if each in content), None)
        if media is None:
            raise BadSchema(f"{', '.join(content)} is not supported; use {JSON} or {FORM}")
        if content[media].get("encoding"):
            raise BadSchema("encoding is not supported; leave it out")
        schema = self.schemas.translate(content[media].get("schema", {}))
        self.media, self.body_needed = media, body.get("required") is True
        properties = schema.get("properties", {})
        if media == FORM and not (properties and all(map(_is_plain, properties.values()))):
            raise BadSchema("a form must be an object of plain types and lists of them")
        if schema.get("type", "object") == "object" and self._flat(schema):
            for name, each in properties.items():
                self._argument(name, each, Place(Where.MEMBER, name), name in schema.get("required", []))
        elif media == FORM:
            raise BadSchema("a form must be an object with members that are all told and not named like parameters")
        else:
            if "description" in body:
                schema = {"description": body["description"]} | schema
            self._argument("body", schema, Place(Where.BODY, "body"), self.body_needed)

    def _flat(self, schema: Json) -> bool:
        """Whether the members of a body can stand among the other arguments and nothing is lost."""
        names = schema.get("properties", {}).keys()
        lost = {"minProperties", "maxProperties", "enum", "const"} & schema.keys() or schema.get("additionalProperties")
        unknown = set(schema.get("required", [])) - names
        return bool(names) and not (names & self.properties.keys() or lost or unknown)

    def _argument(self, name: str, schema: Json, place: Place, required: bool) -> None:
        if name in self.properties:
            name = f"{place.where.value}_{name}"  # two parameters, or a parameter and a body, of the same name
        if name in self.properties:
            raise BadSchema(f"there are more arguments called {name}; rename one")
        self.properties[name], self.places[name] = schema, place
        self.required += [name] if required else []

    def _tried(self, what: str, make: Any) -> None:  # noqa: ANN401 - a function
        try:
            make()
        except BadSchema as error:
            self._fault(f"{what}: {error}.")

    def _fault(self, said: str) -> None:
        self.faults.append(f"{self.name}: {said}")


def _is_plain(schema: Json) -> bool:
    kinds = schema.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return not ("object" in kinds or "$ref" in schema) and ("array" not in kinds or _is_plain(_items(schema)))


def _items(schema: Json) -> Json:
    items: Json = schema.get("items", {})
    return {"type": "object"} if items.get("type") == "array" else items  # lists of lists are not plain
