"""Templates as moto can deploy them: what moto lacks is taken out and named, the rest is decided before moto sees it.

moto passes over types that it does not know and breaks on their attributes; it puts nothing, not no value, where an
`If` leaves a list's entry out; and it sees no change where a condition, or a parameter within a `Sub`, changes.
"""

import json
import re
from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import ResourceMap, get_model_map

Json = Any
NO_VALUE = {"Ref": "AWS::NoValue"}
STANDS_FOR = "arn:aws:skipped:us-west-2:123456789012:{}"  # where something is referred to that is not made
NAMED = re.compile(r"\$\{(\w+)(\.[\w.]+)?\}")
IMAGES = "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
AN_IMAGE = "ami-1e749f67"  # one of moto's; it has not all of AWS's public parameters
AFTER_THIS = ("DependsOn", "Condition")  # moto makes in order what refers to each other


class Adapted(NamedTuple):
    """A template as JSON, the parameters for it, and the types of resources that are skipped, by logical id."""

    template: str
    parameters: dict[str, str]
    skipped: dict[str, str]


def adapt(template: str, parameters: Mapping[str, str], stack: str, account: str, region: str) -> Adapted:
    """The template without what moto lacks and what conditions leave out.

    Raises:
        MissingParameterError: a parameter has no value.
    """
    body = Stack.parse_template(template)
    if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
        return Adapted(template, dict(parameters), {})  # moto says what is wrong with it
    given = _with_images(body, parameters)
    planned = ResourceMap("", stack, given, {}, region, account, body, None)
    planned.load_mapping()
    planned.load_parameters()
    planned.load_conditions()
    wanted = {name: made for name, made in body["Resources"].items() if _holds(made, planned)}
    skipped = {name: made["Type"] for name, made in wanted.items() if not _known(made["Type"])}
    kinds = {name: made["Type"] for name, made in wanted.items() if name not in skipped}
    decide = Decisions(planned, body["Resources"].keys() - kinds.keys(), kinds)
    body["Resources"] = {name: _resource(decide(made)) for name, made in wanted.items() if name not in skipped}
    outputs = {name: made for name, made in body.get("Outputs", {}).items() if _holds(made, planned)}
    body["Outputs"] = {name: _less(decide(made), AFTER_THIS) for name, made in outputs.items()}
    return Adapted(json.dumps(_less(body, ("Conditions", "Rules", "Transform")), default=str), given, skipped)


class Decisions:
    """Parameters and `If`s put in, and a name in place of each reference to what is not made or not known."""

    def __init__(self, planned: Any, gone: Set[str], kinds: Mapping[str, str]) -> None:  # noqa: ANN401 - moto's
        self.planned, self.gone, self.kinds = planned, gone, kinds
        self.values: dict[str, Json] = planned.resolved_parameters
        self.functions: dict[str, Callable[[Json], Json]] = {
            "Fn::If": self._if,
            "Fn::Sub": lambda given: {"Fn::Sub": self._sub(given)},
            "Fn::GetAtt": self._attribute,
            "Ref": self._ref,
        }

    def __call__(self, part: Json) -> Json:
        """A part of the template, decided."""
        if isinstance(part, list):
            return [inner for inner in map(self, part) if inner != NO_VALUE]
        if not isinstance(part, dict):
            return part
        (name, inner), *more = part.items() or [("", None)]
        if name in self.functions and not more:
            return self.functions[name](inner)
        decided = {name: self(inner) for name, inner in part.items()}
        return {name: inner for name, inner in decided.items() if inner != NO_VALUE}

    def _if(self, parts: Json) -> Json:
        return self(parts[1] if self.planned.lazy_condition_map[parts[0]] else parts[2])

    def _ref(self, name: str) -> Json:
        if name in self.gone:
            return STANDS_FOR.format(name)
        return self.values.get(name, {"Ref": name})

    def _attribute(self, path: list[str]) -> Json:
        owner, attribute = path[0], ".".join(path[1:])  # moto's reader takes it apart at each dot
        return STANDS_FOR.format(owner) if self._lacks(owner, attribute) else {"Fn::GetAtt": [owner, attribute]}

    def _lacks(self, owner: str, attribute: str) -> bool:
        if owner in self.gone:
            return True
        model = get_model_map().get(self.kinds.get(owner, ""))
        return model is not None and not model.has_cfn_attr(attribute)

    def _sub(self, given: Json) -> Json:
        if isinstance(given, list):
            return [self._text(given[0], given[1].keys()), self(given[1])]
        return self._text(given, frozenset())

    def _text(self, text: str, own: Set[str]) -> str:
        def put_in(found: re.Match[str]) -> str:
            name, attribute = found[1], (found[2] or "").removeprefix(".")
            if name in own:
                return found[0]
            if name in self.gone or (attribute and self._lacks(name, attribute)):
                return STANDS_FOR.format(name)
            return str(self.values[name]) if name in self.values and not attribute else found[0]

        return NAMED.sub(put_in, text)


def _with_images(body: Json, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters, and an image of moto's for each that AWS would look up."""
    given = dict(parameters)
    for name, told in body.get("Parameters", {}).items():
        if told.get("Type") == IMAGES:
            told |= {"Type": "String", "Default": AN_IMAGE}
            given.pop(name, None)
    return given


def _resource(made: Json) -> Json:
    made = {"Properties": {}} | _less(made, AFTER_THIS)  # moto would put them in, and later see a change
    if made["Type"] == "AWS::KMS::Key":  # moto takes tags and policy as KMS's own API has them
        given = made["Properties"]
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in given.get("Tags", [])]
        made["Properties"] = given | {"Tags": tags, "KeyPolicy": {"Fn::ToJsonString": given.get("KeyPolicy", {})}}
    return made


def _less(part: Json, names: tuple[str, ...]) -> Json:
    return {name: inner for name, inner in part.items() if name not in names}


def _known(kind: str) -> bool:
    return kind in get_model_map() or kind.startswith("Custom::")


def _holds(told: Json, planned: Any) -> bool:  # noqa: ANN401 - moto's
    condition = told.get("Condition")
    return condition is None or bool(planned.lazy_condition_map[condition])
