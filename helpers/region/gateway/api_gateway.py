"""Tools from a stage of a REST API of API Gateway.

As on AWS the chosen methods are first written as OpenAPI 3.0, as GetExport does, and that becomes the tools. Other than
on AWS: a method with AWS_IAM and an API key is refused, where AWS leaves it out; a method whose integration cannot be
carried out here is refused at once; and moto keeps no snapshot at a deployment, so that a change of the API counts
without one. moto's import of OpenAPI keeps neither operationIds nor parameters: such methods need overrides.
"""

import json
import re
from typing import Any

from moto.apigateway.models import STAGE_URL, Method, RestAPI

from helpers.region.gateway import openapi
from helpers.region.gateway.integrations import refusal
from helpers.region.gateway.operations import LABEL, BadTarget, Json, Operation

METHODS = ("GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "PUT", "POST")
PLACES = {"path": "path", "querystring": "query", "header": "header", "multivaluequerystring": "query"}
MODEL = re.compile(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([A-Za-z0-9]+)")


def operations(api: RestAPI, stage: str, configuration: Json) -> list[Operation]:
    """The tools of a stage, as an apiGatewayToolConfiguration chooses and names them.

    Raises:
        BadTarget: the stage is not deployed, a filter matches nothing, or a match cannot be a tool; with all reasons.
    """
    faults = deployed(api, stage)
    if "PRIVATE" in api.endpoint_configuration.get("types", []):
        faults.append(f"REST API {api.id} is private. Only public ones can be targets.")
    if api.disableExecuteApiEndpoint:
        faults.append(f"The default endpoint of REST API {api.id} is disabled. Enable it.")
    choice = Choice(api, configuration)
    faults += choice.faults
    document = Export(api, stage, choice.chosen)
    if choice.chosen:
        try:
            return _unless(faults + document.faults, openapi.operations(json.dumps(document.told)))
        except BadTarget as error:
            faults = list(dict.fromkeys(faults + document.faults + error.reasons))
    raise BadTarget(faults or ["toolFilters: there are none. Add one."])


def deployed(api: RestAPI, stage: str) -> list[str]:
    """Whether a stage can be called."""
    if stage in api.stages and api.stages[stage].deployment_id in api.deployments:
        return []
    return [f"REST API {api.id} is not deployed to a stage {stage}. Call create_deployment with stageName={stage}."]


def server(api: RestAPI, stage: str) -> str:
    """The address of a stage."""
    return str(STAGE_URL.format(api_id=api.id, region_name=api.region_name, stage_name=stage))


def paths(api: RestAPI) -> dict[str, dict[str, Method]]:
    """The methods of each path."""
    found = {resource.get_path(): resource.resource_methods for resource in api.resources.values()}
    return dict(sorted(found.items()))


class Choice:
    """The methods that filters choose, by path and method, with their name and what is said of them."""

    def __init__(self, api: RestAPI, configuration: Json) -> None:
        self.paths = paths(api)
        self.faults: list[str] = []
        self.chosen: dict[tuple[str, str], tuple[str, str | None]] = {}
        overrides = {(each["path"], each["method"]): each for each in configuration.get("toolOverrides") or []}
        for each in configuration.get("toolFilters") or []:
            for place in self._matches(each["filterPath"], each["methods"]):
                self._choose(place, overrides.get(place, {}))
        for path, method in overrides.keys() - self.chosen.keys() if not self.faults else ():
            self.faults.append(f"toolOverrides: {method} {path} is chosen by no filter. Add one, or drop the override.")

    def _matches(self, wanted: str, methods: list[str]) -> list[tuple[str, str]]:
        """A filter names a path, or the beginning of paths before an asterisk."""
        prefix, star, rest = wanted.partition("*")
        if rest:
            self.faults.append(f"toolFilters: {wanted} has more after its asterisk. Let it end there.")
            return []
        fits = [path for path in self.paths if (path.startswith(prefix) if star else path == wanted)]
        found = [
            (path, method) for path in fits for method in METHODS if method in methods and method in self.paths[path]
        ]
        if not found:
            told = f"toolFilters: {wanted} with {', '.join(methods)} matches no method"
            any_method = any("ANY" in self.paths[path] for path in fits)
            remedy = (
                "Put the methods themselves in place of ANY." if any_method else "See get_resources for what there is."
            )
            self.faults.append(f"{told} of the API. {remedy}")
        return found

    def _choose(self, place: tuple[str, str], override: Json) -> None:
        path, name = place
        method = self.paths[path][name]
        reasons = []
        if "+}" in path:
            reasons.append("it is a proxy resource, which is not supported. Give each path a resource of its own.")
        if method.authorization_type == "AWS_IAM" and _is_true(method.api_key_required):
            reasons.append("it needs both AWS_IAM and an API key. Ask for one of them, or leave it out of the filters.")
        tool = override.get("name") or method.operation_name
        if not tool:
            reasons.append("it has no name. Give it an operationName, or a name in toolOverrides.")
        if reason := refusal(method):
            reasons.append(reason)
        self.faults += [
            f"{name} {path}: {reason}" for reason in reasons if f"{name} {path}: {reason}" not in self.faults
        ]
        self.chosen[place] = (tool or f"{name}-{len(self.chosen)}", override.get("description"))


class Export:
    """The chosen methods as OpenAPI 3.0, and what cannot be written so."""

    def __init__(self, api: RestAPI, stage: str, chosen: dict[tuple[str, str], tuple[str, str | None]]) -> None:
        self.api, self.faults = api, list[str]()
        self.schemas: Json = {}
        items: dict[str, Json] = {}
        for (path, name), (tool, said) in chosen.items():
            method = next(each for found, each in paths(api).items() if found == path)[name]
            told = {"operationId": tool, "responses": {"default": {"description": ""}}, **self._inputs(path, method)}
            items.setdefault(path, {})[name.lower()] = told | ({"description": said} if said else {})
        self.told = {
            "openapi": "3.0.1",
            "info": {"title": api.name, "version": "1"},
            "servers": [{"url": server(api, stage)}],
            "paths": items,
            "components": {"schemas": self.schemas},
        }

    def _inputs(self, path: str, method: Method) -> Json:
        parameters = {("path", name): _parameter("path", name, True) for name in LABEL.findall(path)}
        for key, required in (method.request_parameters or {}).items():
            kind, name = key.removeprefix("method.request.").split(".", 1)
            if (where := PLACES.get(kind)) and where != "path":
                parameters[where, name] = _parameter(where, name, _is_true(required), kind.startswith("multivalue"))
        content = {media: {"schema": self._model(model)} for media, model in (method.request_models or {}).items()}
        body = {"requestBody": {"required": True, "content": content}} if content else {}
        return {"parameters": list(parameters.values()), **body}

    def _model(self, name: str) -> Json:
        """A reference to a model, whose schema is kept."""
        if name not in self.schemas:
            self.schemas[name] = {"type": "object"}
            found = self.api.models.get(name)
            try:
                schema: Json = json.loads(found.schema) if found else {"type": "object"}
                for part, each in schema.pop("definitions", {}).items():
                    self.schemas[f"{name}.{part}"] = self._schema(each, name)
                self.schemas[name] = self._schema(schema, name)
            except (ValueError, TypeError, AttributeError, RecursionError):
                self.faults.append(f"The schema of model {name} is no JSON Schema. Update the model.")
            if not found and name not in ("Empty", "Error"):
                self.faults.append(f"There is no model {name}. Create it.")
        return {"$ref": f"#/components/schemas/{name}"}

    def _schema(self, value: Any, model: str) -> Any:  # noqa: ANN401 - any JSON
        """A schema with the references that OpenAPI has in place of API Gateway's."""
        if isinstance(value, list):
            return [self._schema(each, model) for each in value]
        if not isinstance(value, dict):
            return value
        kept = {key: each for key, each in value.items() if key not in ("$schema", "id") or not isinstance(each, str)}
        found = {key: self._schema(each, model) for key, each in kept.items()}
        if isinstance(pointer := found.get("$ref"), str):
            other = MODEL.fullmatch(pointer)
            if other:
                return self._model(other[1])
            found["$ref"] = re.sub(r"^#(/definitions/)?", lambda to: _in_components(model, to[1]), pointer)
        return found


def _in_components(model: str, definitions: str | None) -> str:
    return f"#/components/schemas/{model}" + ("." if definitions else "")


def _parameter(where: str, name: str, required: bool, several: bool = False) -> Json:
    plain = {"type": "string"}
    schema = {"type": "array", "items": plain} if several else plain
    return {"name": name, "in": where, "required": required, "schema": schema}


def _is_true(told: bool | str | None) -> bool:
    """moto keeps what it was sent."""
    return told in (True, "true")


def _unless(faults: list[str], found: list[Operation]) -> list[Operation]:
    if faults:
        raise BadTarget(faults)
    return found
