"""CloudFormation templates as tests see them: parameters that refuse, rules, conditions, resources."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import cfnlint.decode

from helpers.settings.settings import ROOT

FOLDER = ROOT / "infra" / "cloudformation"
NAMES = ["network", "outposts", "inference", "agents", "knowledge", "agentcore", "workshop"]


@dataclass(frozen=True)
class Template:
    """A template's text, and what it says."""

    name: str
    text: str

    @cached_property
    def body(self) -> Mapping[str, Any]:
        decoded, problems = cfnlint.decode.decode_str(self.text)
        assert not problems, problems
        return json.loads(json.dumps(decoded, default=str))

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.body["Parameters"]

    @property
    def resources(self) -> Mapping[str, Any]:
        """By logical id; those in a loop as the loop has them."""
        return dict(_unrolled(self.body["Resources"]))

    def of(self, kind: str) -> dict[str, Any]:
        """The properties of the resources of a type."""
        return {key: made.get("Properties", {}) for key, made in self.resources.items() if made["Type"] == kind}

    def changed(self, old: str, new: str) -> "Template":
        """The same with one text for another, for tests that break a template."""
        assert old in self.text, f"{self.name}.yaml has no {old!r}"
        return Template(self.name, self.text.replace(old, new))

    def with_resource(self, text: str) -> "Template":
        """The same with a resource more; `text` is YAML, indented by two."""
        return self.changed("\nResources:\n", f"\nResources:\n{text}\n")


@cache
def read(name: str) -> Template:
    return Template(name, (FOLDER / f"{name}.yaml").read_text())


def every() -> list[Template]:
    return [read(name) for name in NAMES]


def _unrolled(resources: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, made in resources.items():
        if key.startswith("Fn::ForEach::"):
            yield from made[2].items()
        else:
            yield key, made


def nodes(body: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value in a template, and the keys that lead to it."""
    stack: list[tuple[tuple[str, ...], Any]] = [((), body)]
    while stack:
        path, value = stack.pop()
        yield path, value
        if isinstance(value, dict):
            stack += [((*path, str(key)), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            stack += [((*path, str(place)), inner) for place, inner in enumerate(value)]


def refusals(template: Template, given: Mapping[str, Any]) -> list[str]:
    """Why CloudFormation would not take these parameters: constraints of the parameters, then rules."""
    wrong = []
    values = {}
    for name, parameter in template.parameters.items():
        values[name] = given.get(name, parameter.get("Default"))
        if values[name] is None:
            wrong.append(f"{name} is missing")
        elif complaint := _complaint(parameter, values[name]):
            wrong.append(f"{name}: {complaint}")
    assert given.keys() <= template.parameters.keys(), "no such parameter"
    return wrong or [said for rule in template.body.get("Rules", {}).values() for said in _broken(rule, values)]


def _complaint(parameter: Mapping[str, Any], value: Any) -> str:
    if "AllowedPattern" in parameter and not re.search(parameter["AllowedPattern"], str(value)):
        return str(parameter["ConstraintDescription"])
    if "AllowedValues" in parameter and str(value) not in map(str, parameter["AllowedValues"]):
        return f"one of {parameter['AllowedValues']}"
    if parameter["Type"] == "Number":
        low, high = parameter.get("MinValue", value), parameter.get("MaxValue", value)
        return "" if low <= value <= high else f"from {low} to {high}"
    return ""


def _broken(rule: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    if not truth(rule.get("RuleCondition", True), values):
        return []
    return [made["AssertDescription"] for made in rule["Assertions"] if not truth(made["Assert"], values)]


def truth(said: Any, values: Mapping[str, Any], conditions: Mapping[str, Any] | None = None) -> bool:
    """What a condition says, for values of the parameters."""
    if isinstance(said, bool):
        return said
    ((function, given),) = said.items()
    if function == "Fn::Equals":
        left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in given)
        return str(left) == str(right)
    if function == "Fn::Contains":
        return str(values[given[1]["Ref"]]) in map(str, given[0])
    if function == "Condition":
        return truth((conditions or {})[given], values, conditions)
    inner = [truth(each, values, conditions) for each in given]
    return {"Fn::Not": not inner[0], "Fn::And": all(inner), "Fn::Or": any(inner)}[function]
