"""The containers that templates start, as tests see them: what they run, at which port, and with which variables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.infra.template import Template


@dataclass(frozen=True)
class Container:
    """A container of a task definition."""

    name: str
    given: dict[str, Any]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.given["PortMappings"][0]["ContainerPort"])

    @property
    def variables(self) -> set[str]:
        """The names of the variables that it is given."""
        listed = [*_listed(self.given.get("Environment", [])), *_listed(self.given.get("Secrets", []))]
        return {each["Name"] for each in listed}

    def value(self, name: str) -> Any:
        """What a variable is set to."""
        return next(each["Value"] for each in _listed(self.given["Environment"]) if each["Name"] == name)

    def command(self, parameters: dict[str, str]) -> list[str]:
        """What it runs, with these values for parameters and attributes; where there is a choice, the first."""
        return [_worked_out(word, parameters) for word in self.given["Command"]]


def containers(template: Template) -> Iterator[Container]:
    """Every container of a template's task definitions."""
    for task in template.of("AWS::ECS::TaskDefinition").values():
        for given in task["ContainerDefinitions"]:
            yield Container(given["Name"], given)


def _listed(given: Any) -> list[dict[str, Any]]:
    """A list, with what a condition would put in or leave out put in."""
    if isinstance(given, dict):
        return _listed(given["Fn::If"][1])
    return [inner for each in given for inner in ([each] if "Name" in each else [each["Fn::If"][1]])]


def _worked_out(word: Any, given: dict[str, str]) -> str:
    if isinstance(word, str):
        return word
    ((function, said),) = word.items()
    if function == "Ref":
        return given[said]
    if function == "Fn::GetAtt":
        return given[".".join(said)]
    if function == "Fn::If":
        return _worked_out(said[1], given)
    assert function == "Fn::Sub", word
    for name, value in given.items():
        said = said.replace(f"${{{name}}}", value)
    return str(said)
