"""Security groups allow the connections of the map, and none other; nothing has a public address."""

import re

import pytest

from tests.infra.flows import allowed, mapped
from tests.infra.template import every, nodes, read

OPEN = """  WorldIn:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref AgentsGroup, CidrIp: 0.0.0.0/0, IpProtocol: tcp, FromPort: 8000, ToPort: 8000}"""
PUBLIC = re.compile(r"0\.0\.0\.0/0|::/0")
PUBLIC_TYPES = {
    "AWS::EC2::InternetGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::EC2::CarrierGateway",
    "AWS::EC2::EgressOnlyInternetGateway",
}


def open_to_the_world(template):
    """Values that mean every address; also what is public by type, or by being asked for."""
    found = [f"{'/'.join(path)}: {value}" for path, value in nodes(template.body) if _is_public(path, value)]
    return found + [name for name, made in template.resources.items() if made["Type"] in PUBLIC_TYPES]


def _is_public(path, value):
    if path and path[-1] in {
        "AssociatePublicIpAddress",
        "MapPublicIpOnLaunch",
        "PubliclyAccessible",
        "EndpointPublicAccess",
    }:
        return value is not False
    return (
        isinstance(value, str)
        and bool(PUBLIC.search(value))
        and path[-1] in {"CidrIp", "CidrIpv6", "DestinationCidrBlock"}
    )


def test_security_groups_allow_the_flows_of_the_map_and_none_other():
    assert allowed(every()) == mapped()


def test_a_flow_that_is_not_in_the_map_is_seen():
    network = read("network").changed("ToPort: 5432", "ToPort: 8080").changed("FromPort: 5432", "FromPort: 8080")
    extra = allowed([network, read("outposts")]) - mapped()
    assert {(flow.source, flow.target, flow.port) for flow in extra} == {("Agents", "Knowledge", 8080)}


def test_a_flow_that_only_one_end_allows_is_seen():
    network = read("network")
    start = network.text.index("  AgentsToKnowledgeIn:")
    end = network.text.index("  AgentsToEndpointsOut:")
    broken = network.changed(network.text[start:end], "")
    assert {(flow.target, flow.end) for flow in mapped() - allowed([broken, read("outposts")])} == {("Knowledge", "to")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("IpProtocol: tcp", 'IpProtocol: "-1"', "more than one TCP port"),
        ("ToPort: 443", "ToPort: 65535", "more than one TCP port"),
        (
            '      SecurityGroupEgress:\n        - {IpProtocol: "-1", CidrIp: 127.0.0.1/32, Description: Nowhere}\n',
            "",
            "everywhere",
        ),
    ],
)
def test_a_rule_that_is_too_wide_is_seen(old, new, said):
    with pytest.raises(AssertionError, match=said):
        allowed([read("network").changed(old, new)])


def test_a_range_written_in_a_template_is_seen():
    with pytest.raises(AssertionError, match="written in the template"):
        allowed([read("network").with_resource(OPEN)])


@pytest.mark.parametrize("template", every(), ids=lambda template: template.name)
def test_nothing_is_open_to_the_world_or_has_a_public_address(template):
    assert not open_to_the_world(template)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("network", "\nResources:\n", f"\nResources:\n{OPEN}\n"),
        ("network", "\nResources:\n", "\nResources:\n  Way:\n    Type: AWS::EC2::InternetGateway\n"),
        ("network", "MapPublicIpOnLaunch: false", "MapPublicIpOnLaunch: true"),
        ("agents", "AssociatePublicIpAddress: false", "AssociatePublicIpAddress: true"),
        ("agents", "EndpointPublicAccess: false", "EndpointPublicAccess: true"),
        ("knowledge", "PubliclyAccessible: false", "PubliclyAccessible: true"),
        ("outposts", "DestinationCidrBlock: !Ref OnPremisesCidr", "DestinationCidrBlock: 0.0.0.0/0"),
    ],
)
def test_what_is_open_is_seen(name, old, new):
    assert open_to_the_world(read(name).changed(old, new))


def test_ranges_are_private_by_their_patterns():
    ranges = {flow.source.removeprefix("range:") for flow in mapped() if flow.source.startswith("range:")}
    for name in ranges:
        pattern = read("outposts").parameters[name]["AllowedPattern"]
        assert re.search(pattern, "10.20.48.0/20")
        assert not any(re.search(pattern, public) for public in ("0.0.0.0/0", "10.0.0.0/8", "8.8.8.0/24", "::/0"))
