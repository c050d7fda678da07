"""Each template of the kit is deployed to the laptop's Region as far as moto goes, probed and deleted; what it skips is
said. `workshop.yaml` is not: it nests the others from S3 in a loop over learners (tests/infra/test_class.py reads it).
"""

from ipaddress import ip_network

import pytest

from helpers.deploy.account import Account
from helpers.deploy.deployment import Deployment
from helpers.deploy.layers import read_layers
from tests.deploy.certificate import imported
from tests.infra.values import GOOD, IMAGE, SECOND_OUTPOST

OUTPOST = {f"outposts.{name}": GOOD["outposts"][name] for name in ("OutpostArn", "OutpostZone", "LocalGatewayId")}
OUTPOST |= {"outposts.VirtualInterfaceGroupId": GOOD["outposts"]["VirtualInterfaceGroupId"]}
OUTPOST |= {f"outposts.{name}": value for name, value in SECOND_OUTPOST.items()}
IMAGES = ("inference.Image", "agents.AgentImage", "agents.ToolsImage", "agentcore.OrchestratorImage")
# What must be there at least, and all that this Region skips, by type.
MADE = {
    "network": {"AWS::EC2::VPC", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::VPCEndpoint", "AWS::KMS::Key"},
    "outposts": {"AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"},
    "knowledge": {"AWS::RDS::DBInstance", "AWS::RDS::DBSubnetGroup"},
    "inference": {"AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::Listener", "AWS::AutoScaling::AutoScalingGroup"},
    "agentcore": {"AWS::IAM::Role", "AWS::Logs::LogGroup"},
    "agents": {"AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::IAM::Role"},
}
SKIPPED = {
    "network": ("AWS::EC2::SecurityGroupEgress",),
    "outposts": ("AWS::EC2::LocalGateway", "AWS::EC2::SecurityGroupEgress", "AWS::S3Outposts::"),
    "knowledge": (),
    "inference": ("AWS::ECS::CapacityProvider", "AWS::ECS::ClusterCapacityProviderAssociations"),
    "agentcore": ("AWS::BedrockAgentCore::", "AWS::Bedrock::", "AWS::Cognito::", "AWS::Logs::Delivery"),
    "agents": ("AWS::ApplicationAutoScaling::", "AWS::BedrockAgentCore::", "AWS::ECS::C"),
}


@pytest.fixture(scope="module")
def deployed(address, session, client):
    """The status of a run of all layers; after the last test it is taken down, and nothing may be left."""
    certificate = imported(client("acm"))
    given = OUTPOST | dict.fromkeys(IMAGES, IMAGE)
    given |= {"inference.CertificateArn": certificate, "agents.CertificateArn": certificate}
    deployment = Deployment("own", read_layers().changed(given), Account(session, address))
    yield deployment.up(lambda plan: not plan.left_out)
    assert deployment.down() == []


@pytest.fixture
def layer(deployed):
    """By its name, the row of a layer's stack."""
    return {row.stack.layer: row for row in deployed.rows}.__getitem__


@pytest.mark.parametrize("name", MADE)
def test_a_template_is_made_and_what_is_skipped_is_said(name, layer):
    row = layer(name)
    assert row.stack.status == "CREATE_COMPLETE"
    made = {one["ResourceType"] for one in row.resources if one["LogicalResourceId"] not in row.skipped}
    assert made >= MADE[name]
    assert all(kind.startswith(SKIPPED[name]) for kind in row.skipped.values()), row.skipped
    assert bool(row.skipped) == bool(SKIPPED[name])
    print(f"{name}: moto has no {', '.join(sorted(set(row.skipped.values()))) or 'gap'}")


def test_the_network_has_no_way_to_the_internet(deployed, client):
    ec2, vpc = client("ec2"), deployed.outputs["network.VpcId"]
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    groups = ec2.describe_security_groups(Filters=here)["SecurityGroups"]
    inward = [rule for group in groups for rule in group["IpPermissions"] if group["GroupName"] != "default"]
    ranges = [each["CidrIp"] for rule in inward for each in rule["IpRanges"]]  # an Outpost lets its site in
    assert inward and all(ip_network(each).is_private for each in ranges)
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    assert not ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    assert not [one for one in ec2.describe_subnets(Filters=here)["Subnets"] if one["MapPublicIpOnLaunch"]]
    region = "com.amazonaws.us-west-2."
    endpoints = ec2.describe_vpc_endpoints(Filters=here)["VpcEndpoints"]
    names = {one["ServiceName"].removeprefix(region) for one in endpoints}
    assert {"bedrock-agentcore", "bedrock-agentcore.gateway", "bedrock-runtime", "ecr.dkr", "logs", "s3"} <= names


@pytest.mark.parametrize("name", ["inference", "agents"])
def test_load_balancers_are_internal(name, layer, client):
    kind = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    (arn,) = [one["PhysicalResourceId"] for one in layer(name).resources if one["ResourceType"] == kind]
    found = client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert [one["Scheme"] for one in found] == ["internal"]


def test_where_there_is_no_rds_the_database_is_an_instance(address, session):
    given = {"Site": "local-zone", "Zone": "us-west-2a", "SubnetIds": "network.FirstSubnetId", "Image": IMAGE}
    others = {"outposts", "inference", "agentcore", "agents"}
    layers = read_layers().changed({f"knowledge.{name}": value for name, value in given.items()}, others)
    deployment = Deployment("edge", layers, Account(session, address))
    made = {one["ResourceType"] for one in deployment.up(lambda plan: True).rows[1].resources}
    assert {"AWS::EC2::Instance", "AWS::EC2::VolumeAttachment", "AWS::ECS::TaskDefinition"} <= made
    assert deployment.down() == []
