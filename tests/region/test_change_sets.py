"""Change sets as CloudFormation carries them out: what is skipped, what changes, what is deleted."""

import itertools
import json

import pytest
from botocore.exceptions import ClientError

counted = itertools.count(1)
VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${AWS::StackName}-${Suffix}"}}}
RULE = {"Type": "AWS::Route53Resolver::FirewallDomainList", "Properties": {"Domains": ["example.com"]}}


def template(resources, **parts):
    parameters = {"Suffix": {"Type": "String", "Default": "a"}, "Has": {"Type": "String", "Default": "no"}}
    conditions = {"Has": {"Fn::Equals": [{"Ref": "Has"}, "yes"]}}
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": resources, **parts})


@pytest.fixture
def stack(client):
    """Change sets for a stack of its own; deleted in any case."""
    cloudformation, name = client("cloudformation"), f"change-{next(counted)}"

    class Stack:
        def plan(self, body, kind="CREATE", **given):
            values = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
            names = {"StackName": name, "ChangeSetName": f"c{next(counted)}"}
            cloudformation.create_change_set(**names, ChangeSetType=kind, TemplateBody=body, Parameters=values)
            told = cloudformation.describe_change_set(**names)
            changes = [one["ResourceChange"] for one in told["Changes"]]
            return names, {one["LogicalResourceId"]: one["Action"] for one in changes}, told["Status"]

        def make(self, body, kind="CREATE", **given):
            names, changes, _ = self.plan(body, kind, **given)
            cloudformation.execute_change_set(**names)
            return changes

        def told(self):
            return cloudformation.describe_stacks(StackName=name)["Stacks"][0]

        def resources(self):
            found = cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
            return {one["LogicalResourceId"]: one.get("PhysicalResourceId") for one in found}

        def events(self):
            found = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            return {one["LogicalResourceId"]: (one["ResourceStatus"], one.get("ResourceStatusReason")) for one in found}

    yield Stack()
    cloudformation.delete_stack(StackName=name)


def test_what_moto_has_no_type_for_is_skipped_and_listed_without_an_id(stack):
    refers = {"Fn::Sub": "${Rule}/${Suffix}"}
    body = template({"Rule": RULE, "Topic": TOPIC}, Outputs={"Of": {"Value": refers}})
    assert stack.make(body) == {"Topic": "Add", "Rule": "Add"}, "a plan has what AWS would make"
    assert not stack.resources()["Rule"] and stack.resources()["Topic"]
    assert stack.events()["Rule"][0] == "CREATE_SKIPPED" and "FirewallDomainList" in stack.events()["Rule"][1]
    assert stack.told()["Outputs"][0]["OutputValue"] == "arn:aws:skipped:us-west-2:123456789012:Rule/a"


def test_the_same_again_is_no_change(stack):
    body = template({"Rule": RULE, "Topic": TOPIC, "Plain": {"Type": "AWS::SNS::Topic"}})
    stack.make(body)
    _, changes, status = stack.plan(body, "UPDATE")
    assert not changes and status == "FAILED"


def test_a_condition_adds_and_removes(stack, client):
    body = template({"Topic": TOPIC, "Vpc": {**VPC, "Condition": "Has"}})
    assert stack.make(body) == {"Topic": "Add"}
    assert stack.make(body, "UPDATE", Has="yes") == {"Vpc": "Add"}
    vpc = stack.resources()["Vpc"]
    assert client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert stack.make(body, "UPDATE", Has="no") == {"Vpc": "Remove"}
    assert "Vpc" not in stack.resources()
    with pytest.raises(ClientError, match="does not exist"):
        client("ec2").describe_vpcs(VpcIds=[vpc])
    stack.make(body, "UPDATE", Has="yes")
    assert client("ec2").describe_vpcs(VpcIds=[stack.resources()["Vpc"]])["Vpcs"], "it is made anew"


def test_a_parameter_within_a_text_is_a_change(stack):
    body = template({"Topic": TOPIC})
    stack.make(body)
    assert stack.plan(body, "UPDATE", Suffix="b")[1] == {"Topic": "Modify"}


def test_an_if_without_a_value_leaves_the_entry_out(stack, client):
    tags = [{"Key": "a", "Value": "b"}, {"Fn::If": ["Has", {"Key": "c", "Value": "d"}, {"Ref": "AWS::NoValue"}]}]
    stack.make(template({"Vpc": {**VPC, "Properties": {**VPC["Properties"], "Tags": tags}}}))
    told = client("ec2").describe_vpcs(VpcIds=[stack.resources()["Vpc"]])["Vpcs"][0]["Tags"]
    assert {tag["Key"] for tag in told if not tag["Key"].startswith("aws:")} == {"a"}


def test_a_parameter_without_a_value_is_refused(stack):
    body = json.dumps({"Parameters": {"Must": {"Type": "String"}}, "Resources": {"Vpc": VPC}})
    with pytest.raises(ClientError, match="Must"):
        stack.plan(body)
    stack.make(template({"Vpc": VPC}))  # so that there is something to delete


def test_what_moto_makes_and_does_not_delete_is_deleted(stack, client):
    subnet = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.1.0/24", "AvailabilityZone": "us-west-2a"}
    associated = {"SubnetId": {"Ref": "Subnet"}, "RouteTableId": {"Ref": "Table"}}
    endpoint = {"VpcId": {"Ref": "Vpc"}, "ServiceName": "com.amazonaws.us-west-2.s3", "VpcEndpointType": "Gateway"}
    stack.make(
        template(
            {
                "Vpc": VPC,
                "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": subnet},
                "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
                "Of": {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": associated},
                "S3": {
                    "Type": "AWS::EC2::VPCEndpoint",
                    "Properties": {**endpoint, "RouteTableIds": [{"Ref": "Table"}]},
                },
            }
        )
    )
    ids, ec2 = stack.resources(), client("ec2")
    assert all(ids.values())
    client("cloudformation").delete_stack(StackName=stack.told()["StackId"])
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [ids["Vpc"]]}])["RouteTables"]
    endpoints = ec2.describe_vpc_endpoints(VpcEndpointIds=[ids["S3"]])["VpcEndpoints"]
    assert not tables and [one["State"] for one in endpoints] == ["deleted"]


def test_a_key_s_policy_and_tags_can_be_read_back(stack, client):
    policy = {"Statement": [{"Sid": {"Fn::Sub": "Of${Suffix}"}, "Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    given = {"KeyPolicy": policy, "Tags": [{"Key": "a", "Value": "b"}]}
    stack.make(template({"Key": {"Type": "AWS::KMS::Key", "Properties": given}}))
    key = stack.resources()["Key"]
    assert client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert {"TagKey": "a", "TagValue": "b"} in client("kms").list_resource_tags(KeyId=key)["Tags"]
    told = client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    assert json.loads(told)["Statement"][0]["Sid"] == "Ofa"
