"""The network that the kit's templates describe, and copies of them that are spoilt."""

import shutil

import pytest

from helpers import views
from helpers.deploy.layers import TEMPLATES, read_layers
from helpers.deploy.vpc import read_vpc
from helpers.views.vpc import figure_of
from tests.infra.flow_map import Map
from tests.infra.flows import allowed
from tests.infra.template import every
from tests.infra.values import GOOD, SECOND_OUTPOST
from tests.views.looking import defects, texts

VALUES = {f"{layer}.{name}": str(value) for layer in ("outposts", "inference", "agents", "agentcore")
          for name, value in GOOD[layer].items() if not name.endswith(("Id", "Ids", "KeyArn"))}  # fmt: skip
VALUES |= {f"outposts.{name}": GOOD["outposts"][name] for name in ("LocalGatewayId", "VirtualInterfaceGroupId")}
VALUES |= {f"outposts.{name}": value for name, value in SECOND_OUTPOST.items()} | {"outposts.HasS3": "yes"}
VALUES |= {"network.LocalZoneGroup": "us-west-2-lax-1", "agents.SubnetIds": "outposts.OutpostSubnetId"}
VALUES |= {"agents.EastWestGroupId": "outposts.EastWestGroupId", "inference.SubnetIds": "network.LocalZoneSubnetId"}
RACK = ("outpost", GOOD["outposts"]["OutpostArn"].rpartition("/")[2])


@pytest.fixture
def described(tmp_path):
    """The network of the kit's templates, with texts changed in one of them."""

    def read(*changes, name="network", values=VALUES):
        folder = shutil.copytree(TEMPLATES, tmp_path / f"templates-{len(list(tmp_path.iterdir()))}")
        path = folder / f"{name}.yaml"
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return read_vpc(read_layers(folder).changed(values))

    return read


def test_its_flows_are_those_that_the_rules_allow_at_both_ends(described):
    parameters = {"10.20.48.0/20": "range:SubnetCidr", "10.20.64.0/20": "range:SecondSubnetCidr"}
    parameters |= {"10.90.0.0/16": "range:OnPremisesCidr", "pl-s3": "list:S3PrefixList"}

    def name(end):
        return parameters.get(end, end.partition(".")[2].removesuffix("Group"))

    found = {(name(flow.source), name(flow.target), int(flow.port)) for flow in described().flows}
    assert found == {flow[:3] for flow in Map.read().crossing()} == {flow[:3] for flow in allowed(every())}


def test_subnets_are_where_their_zone_or_outpost_is_and_groups_where_their_members_are(described):
    found = described()
    assert [subnet.site[0] for subnet in found.subnets.values()] == [
        "region",
        "region",
        "local-zone",
        "outpost",
        "outpost",
    ]
    assert "AWS::ElasticLoadBalancingV2::LoadBalancer" in found.inside["network.FrontGroup", RACK]
    assert "AWS::ECS::Service" in found.inside["network.ModelGroup", ("local-zone", "us-west-2-lax-1a")]
    assert "AWS::RDS::DBInstance" in found.inside["network.KnowledgeGroup", ("region", "us-west-2")]
    assert not found.open_subnets and not found.public


def test_the_drawing_can_be_read(described):
    figure, alt = figure_of(described())
    small, cut, over = defects(figure)
    assert not small and not cut and not over
    shown = texts(figure)
    assert {
        "Front",
        "load balancer",
        "15 endpoints",
        "8000, 8080, 9000",
        "5432",
        "local gateway, direct-vpc-routing:",
    } <= set(shown)
    assert "AgentsGroup to KnowledgeGroup at 5432" in alt
    assert "no way to the internet" in alt and "open" not in alt


def test_a_rule_taken_away_at_one_end_takes_its_arrow(described):
    text = (TEMPLATES / "network.yaml").read_text()
    rule = text[text.index("  AgentsToKnowledgeIn:") : text.index("  AgentsToEndpointsOut:")]
    whole, without = described(), described((rule, ""))
    assert {flow.target for flow in set(whole.flows) - set(without.flows)} == {"network.KnowledgeGroup"}
    assert "5432" in texts(figure_of(whole)[0]) and "5432" not in texts(figure_of(without)[0])
    assert views.vpc(whole).data != views.vpc(without).data


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MapPublicIpOnLaunch: false", "MapPublicIpOnLaunch: true", "FirstSubnet, SecondSubnet, LocalZoneSubnet"),
        ("\nResources:\n", "\nResources:\n  Way:\n    Type: AWS::EC2::InternetGateway\n", "Way"),
        (
            "\nResources:\n",
            "\nResources:\n  Out:\n    Type: AWS::EC2::Route\n    Properties: {RouteTableId: !Ref RegionRouteTable, "
            "DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: nat-0123456789abcdef0}\n",
            "FirstSubnet, SecondSubnet",
        ),
    ],
)
def test_what_is_public_is_said_in_the_picture(described, old, new, said):
    figure, alt = figure_of(described((old, new)))
    assert f"VPC 10.20.0.0/16, open to the internet: {said}" == texts(figure)[1]
    assert "open to the internet" in alt and defects(figure) == ([], [], [])


def test_a_group_that_is_open_to_the_world_shows_the_internet(described):
    rule = "{GroupId: !Ref ModelGroup, CidrIp: 0.0.0.0/0, IpProtocol: tcp, FromPort: 1, ToPort: 9000}"
    world = f"  World:\n    Type: AWS::EC2::SecurityGroupIngress\n    Properties: {rule}\n"
    found = described(("\nResources:\n", f"\nResources:\n{world}"))
    assert ("0.0.0.0/0", "network.ModelGroup", "1-9000") in {flow[:3] for flow in found.flows}
    assert {"The internet", "1-9000"} <= set(texts(figure_of(found)[0]))


def test_a_group_without_outward_rules_may_reach_everything(described):
    nowhere = '      SecurityGroupEgress:\n        - {IpProtocol: "-1", CidrIp: 127.0.0.1/32, Description: Nowhere}\n'
    found = described((nowhere, ""), name="outposts")
    assert ("outposts.EastWestGroup", "0.0.0.0/0", "all") in {flow[:3] for flow in found.flows}


def test_layers_without_what_they_need_are_not_drawn_and_their_groups_are_in_no_subnet(described):
    found = described(values={})
    assert len(found.subnets) == 2 and not found.local_gateways
    figure, _ = figure_of(found)
    assert "In no subnet yet" in texts(figure) and defects(figure) == ([], [], [])
