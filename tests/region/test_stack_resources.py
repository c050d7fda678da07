"""Networks in stacks of the laptop's Region, as EC2 tells them."""

import json

import pytest

RANGE = "10.7.0.0/16"
TEMPLATE = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": RANGE}},
    "Place": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.7.1.0/24", "AvailabilityZone": "us-west-2-lax-1a",
            "MapPublicIpOnLaunch": False, "OutpostArn": "arn:aws:outposts:us-west-2:123456789012:outpost/op-1",
        },
    },
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Tie": {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"RouteTableId": {"Ref": "Table"}, "SubnetId": {"Ref": "Place"}},
    },
    "Way": {
        "Type": "AWS::EC2::Route",
        "Properties": {
            "RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "10.8.0.0/16", "LocalGatewayId": "lgw-1",
        },
    },
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": "one", "VpcId": {"Ref": "Vpc"},
            "SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}],
        },
    },
    "Out": {
        "Type": "AWS::EC2::SecurityGroupEgress",
        "Properties": {
            "GroupId": {"Ref": "Group"}, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
            "DestinationSecurityGroupId": {"Ref": "Group"},
        },
    },
    "In": {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Ref": "Group"}, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": RANGE,
        },
    },
}  # fmt: skip


@pytest.fixture
def deploy(client):
    """Make or change a stack, of these resources; it is deleted at the end."""
    cloudformation, made = client("cloudformation"), []

    def change(resources):
        body = json.dumps({"Resources": resources})
        given = {"StackName": "a-network", "ChangeSetName": f"change-{len(made)}", "TemplateBody": body}
        told = cloudformation.create_change_set(**given, ChangeSetType="UPDATE" if made else "CREATE")
        made.append(told["Id"])
        cloudformation.execute_change_set(ChangeSetName=told["Id"])
        listed = cloudformation.describe_stack_resources(StackName="a-network")["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}

    yield change
    cloudformation.delete_stack(StackName="a-network")


def test_subnets_routes_and_rules_are_told_as_the_template_has_them(deploy, client):
    ids, ec2 = deploy(TEMPLATE), client("ec2")
    assert all(ids.values()) and ids.keys() == TEMPLATE.keys(), "nothing is skipped"
    subnet = ec2.describe_subnets(SubnetIds=[ids["Place"]])["Subnets"][0]
    assert not subnet["MapPublicIpOnLaunch"] and subnet["OutpostArn"].endswith("op-1")
    table = ec2.describe_route_tables(RouteTableIds=[ids["Table"]])["RouteTables"][0]
    assert "lgw-1" in {route.get("LocalGatewayId") for route in table["Routes"]}
    assert [tie["SubnetId"] for tie in table["Associations"]] == [ids["Place"]]
    zones = ec2.describe_availability_zones(ZoneNames=["us-west-2-lax-1a"])["AvailabilityZones"]
    assert [(zone["ZoneType"], zone["GroupName"]) for zone in zones] == [("local-zone", "us-west-2-lax-1")]
    group = ec2.describe_security_groups(GroupIds=[ids["Group"]])["SecurityGroups"][0]
    assert [rule.get("FromPort") for rule in group["IpPermissionsEgress"]] == [None, 443]
    ends = [one["CidrIp"] for rule in group["IpPermissionsEgress"] for one in rule["IpRanges"]]
    assert ends == ["127.0.0.1/32"], "the rule that allows everything is gone"


def test_a_rule_that_leaves_the_template_leaves_its_group(deploy, client):
    ids, ec2 = deploy(TEMPLATE), client("ec2")
    deploy({name: made for name, made in TEMPLATE.items() if name not in ("In", "Out")})
    group = ec2.describe_security_groups(GroupIds=[ids["Group"]])["SecurityGroups"][0]
    assert not group["IpPermissions"] and len(group["IpPermissionsEgress"]) == 1
