"""The connections that security groups allow, read from templates and from the map."""

import tomllib
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.infra.template import FOLDER, Template

RULES = {"AWS::EC2::SecurityGroupIngress": "to", "AWS::EC2::SecurityGroupEgress": "from"}
NOWHERE = {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "Nowhere"}


class Flow(NamedTuple):
    """Whoever is at `source` may reach `target` at a TCP port; `end` is the one whose group says so."""

    source: str
    target: str
    port: int
    end: str


def mapped() -> set[Flow]:
    """What the map allows, once for each end that has a rule."""
    entries = tomllib.loads((FOLDER / "flows.toml").read_text())["flow"]
    return {Flow(e["from"], e["to"], e["port"], end) for e in entries for end in e.get("ends", ["from", "to"])}


def allowed(templates: Iterable[Template]) -> set[Flow]:
    """What the security groups allow.

    Raises:
        AssertionError: a rule is wider than one TCP port, or a group has no outward rule, which means to everywhere.
    """
    found = set()
    for template in templates:
        for kind, end in RULES.items():
            found |= {_flow(rule, rule["GroupId"], end) for rule in template.of(kind).values()}
        for name, group in template.of("AWS::EC2::SecurityGroup").items():
            assert group.get("SecurityGroupEgress"), f"{name} has no outward rule, so it may reach everywhere"
            found |= {_flow(rule, name, "to") for rule in group.get("SecurityGroupIngress", [])}
            found |= {_flow(rule, name, "from") for rule in group["SecurityGroupEgress"] if rule != NOWHERE}
    return found


def _flow(rule: Any, group: Any, end: str) -> Flow:
    assert rule["IpProtocol"] == "tcp" and rule["FromPort"] == rule["ToPort"], f"{rule} is more than one TCP port"
    own, other = _name(group), _other(rule)
    source, target = (other, own) if end == "to" else (own, other)
    return Flow(source, target, rule["FromPort"], end)


def _other(rule: Any) -> str:
    for key in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        if key in rule:
            return _name(rule[key])
    if "DestinationPrefixListId" in rule:
        return f"list:{rule['DestinationPrefixListId']['Ref']}"
    cidr = rule.get("CidrIp", rule.get("CidrIpv6"))
    assert isinstance(cidr, dict), f"{cidr} is written in the template; ranges are parameters with a pattern"
    return f"range:{cidr['Ref']}"


def _name(group: Any) -> str:
    name = group["Ref"] if isinstance(group, dict) else str(group)
    return name.removesuffix("Id").removesuffix("Group")
