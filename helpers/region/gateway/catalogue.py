"""What targets offer: read when they are made, changed or synchronised, checked, and kept for those who list it."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from helpers.region.gateway.messages import Json
from helpers.region.gateway.operations import BadTarget, Operation
from helpers.sites.private import write_private

MOST_TOOLS = 1000  # of a target
MOST_LETTERS = 256  # of a tool's name, the target's included
NAME = re.compile(r"[A-Za-z0-9_.-]+")
SEPARATOR = "___"


@dataclass(frozen=True)
class Catalogue:
    """What one target offers, under its own names."""

    tools: list[Json]
    prompts: list[Json] = field(default_factory=list)
    resources: list[Json] = field(default_factory=list)
    templates: list[Json] = field(default_factory=list)
    stateless: bool = False  # whether its server speaks MCP without sessions too
    operations: dict[str, Operation] = field(default_factory=dict)  # by the tool that each is; they are not kept

    def check(self, target: str) -> Self:
        """This catalogue, if AgentCore Gateway takes it.

        Raises:
            BadTarget: it does not; all reasons at once.
        """
        none = [] if self.tools else ["The target offers no tool; it has to offer one at least."]
        if reasons := self.faults(target) or none:
            raise BadTarget(reasons)
        return self

    def faults(self, target: str) -> list[str]:
        """What is wrong with what it has."""
        many = f"The target offers {len(self.tools)} tools; it may offer {MOST_TOOLS}. Make two targets."
        return [
            *_faults("tool", self.tools, target),
            *_faults("prompt", self.prompts, target),
            *_addresses("uri", self.resources),
            *_addresses("uriTemplate", self.templates),
            *[many] * (len(self.tools) > MOST_TOOLS),
        ]

    def write(self, path: Path) -> None:
        """Keep it, for a Region that starts again while the target is away."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, json.dumps(asdict(replace(self, operations={}))).encode())

    @classmethod
    def kept(cls, path: Path) -> Self | None:
        """What was kept, if anything was."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def prefixed(target: str, offers: Iterable[Json]) -> list[Json]:
    """Tools or prompts under the names that a gateway gives them."""
    return [offer | {"name": f"{target}{SEPARATOR}{offer['name']}"} for offer in offers]


def _faults(kind: str, offers: list[Json], target: str) -> Iterable[str]:
    names = [offer.get("name") for offer in offers]
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            yield f"A {kind} has the name {name!r}: letters, digits, '_', '-' and '.' only, and one letter at least."
        elif len(f"{target}{SEPARATOR}{name}") > MOST_LETTERS:
            yield f"The name of the {kind} {name[:40]}... is longer than {MOST_LETTERS} with its target's. Shorten it."
    for name, times in Counter(map(str, names)).items():
        if times > 1:
            yield f"There are {times} {kind}s with the name {name}. Give each a name of its own."
    for offer in offers if kind == "tool" else []:
        schema = offer.get("inputSchema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            yield f"The tool {offer.get('name')} has no inputSchema of the type object."


def _addresses(name: str, offers: list[Json]) -> Iterable[str]:
    if not all(isinstance(offer.get(name), str) for offer in offers):
        yield f"A resource has no {name}."
