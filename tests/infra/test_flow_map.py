"""One map for policies and security groups: its parties are those of both, and what both leave out is in neither."""

import ipaddress

import pytest

from tests.infra.flow_map import PLACES, Flow, Map
from tests.infra.flows import allowed
from tests.infra.template import every, read

MAP = Map.read()
KEYS = {"from", "to", "port", "protocol", "at", "by", "why"}


def flawed(flow_map):
    """What the map itself says that cannot be."""
    pairs = [
        (s, t, f.get("protocol", "tcp"), f["port"]) for f in flow_map.given["flows"] for s in f["from"] for t in f["to"]
    ]
    named = {party for pair in pairs for party in pair[:2]}
    found = [f"{pair} is there twice" for pair in set(pairs) if pairs.count(pair) > 1]
    found += [f"{name} is no party" for name in named - set(flow_map.parties)]
    found += [f"{name} has no flow" for name in set(flow_map.parties) - named]
    for name, party in flow_map.parties.items():
        found += [] if party["is"].strip() else [f"nobody says what {name} is"]
        found += [f"{name} is at two places"] if sum(place in party for place in PLACES) > 1 else []
    for flow in flow_map.given["flows"]:
        found += [f"{flow} is not understood"] if set(flow) - KEYS or not flow["why"].strip() else []
    return found


def test_the_map_is_whole():
    assert flawed(MAP) == []


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        ({"from": ["front"], "to": ["pharmacy"], "port": 9000, "why": "again"}, "twice"),
        ({"from": ["front"], "to": ["nobody"], "port": 9000, "why": "unknown"}, "no party"),
        ({"from": ["front"], "to": ["record"], "port": 9000, "why": " "}, "not understood"),
        ({"from": ["front"], "to": ["record"], "prot": 9000, "port": 1, "why": "misspelt"}, "not understood"),
    ],
)
def test_a_flow_that_cannot_be_is_told(flow, said):
    assert any(said in flaw for flaw in flawed(Map(MAP.given | {"flows": [*MAP.given["flows"], flow]})))


def test_a_party_without_a_flow_is_told():
    assert "x has no flow" in flawed(Map(MAP.given | {"parties": MAP.parties | {"x": {"is": "nobody"}}}))


def test_every_flow_counts_for_policies_or_for_security_groups():
    """Without any one of them, what one of the two must allow is less, or is said by a flow with the same groups."""
    for left_out in MAP.given["flows"]:
        fewer = Map(MAP.given | {"flows": [flow for flow in MAP.given["flows"] if flow is not left_out]})
        same = all(fewer.flows(site) == MAP.flows(site) for site in MAP.given["addresses"])
        assert not same or fewer.crossing() != MAP.crossing() or "by" in left_out, left_out


def test_groups_and_ranges_of_the_map_are_those_of_the_templates():
    groups = {name.removesuffix("Group") for each in every() for name in each.of("AWS::EC2::SecurityGroup")}
    named = {party["group"] for party in MAP.parties.values() if "group" in party}
    assert named | {"EastWest"} == groups - {"Quarantine"}
    ranges = {name for party in MAP.parties.values() for name in party.get("ranges", [])}
    assert ranges <= set(read("outposts").parameters)


def test_a_group_for_quarantine_is_in_no_flow():
    assert not [flow for flow in allowed(every()) if "Quarantine" in flow[:2]]


def test_a_new_flow_between_a_pod_and_what_is_outside_is_asked_of_both():
    flow = {"from": ["front"], "to": ["record"], "port": 9001, "why": "to see it"}
    more = Map(MAP.given | {"flows": [*MAP.given["flows"], flow]})
    assert more.crossing() - MAP.crossing() == {Flow("Front", "Agents", 9001, end) for end in ("from", "to")}
    assert more.flows("outpost") - MAP.flows("outpost") == {("front", "record", "tcp", 9001)}


def test_the_addresses_are_those_that_the_templates_propose():
    network, outposts = (
        {n: p.get("Default") for n, p in read(name).parameters.items()} for name in ("network", "outposts")
    )
    sites = MAP.given["addresses"]
    assert sites["local-zone"]["front"] == network["LocalZoneCidr"]
    assert sites["outpost"]["front"] == outposts["SubnetCidr"]
    assert sites["outpost"]["peer"] == outposts["SecondSubnetCidr"]
    for site in sites.values():
        assert _within(site["knowledge"], site["front"])
        assert all(_within(network[name], site["region"]) for name in ("FirstCidr", "SecondCidr"))


def _within(inner, outer):
    return ipaddress.ip_network(inner).subnet_of(ipaddress.ip_network(outer))


def node_groups(agents):
    """The security groups that a node of EKS has, by name."""
    (interface,) = agents.resources["NodeTemplate"]["Properties"]["LaunchTemplateData"]["NetworkInterfaces"]
    refs = [group.get("Ref") or group.get("Fn::If", [None, {}])[1].get("Ref", "") for group in interface["Groups"]]
    return {ref.removesuffix("GroupId") for ref in refs if ref}


def lacking(agents):
    """The groups that the flows of pods need, and nodes have not; the inference tier has nodes of its own."""
    pods = {MAP.parties[name]["group"] for name in MAP.pods - {"inference"}}
    by = {flow["by"] for flow in MAP.given["flows"] if "by" in flow and set(flow["from"]) & MAP.pods}
    return (pods | by) - node_groups(agents)


def test_nodes_have_the_groups_that_the_flows_of_their_pods_need():
    assert not lacking(read("agents"))


def test_a_node_without_a_group_is_seen():
    line = "              - !If [HasPeers, !Ref EastWestGroupId, !Ref AWS::NoValue]\n        BlockDeviceMappings"
    assert lacking(read("agents").changed(line, "        BlockDeviceMappings")) == {"EastWest"}
