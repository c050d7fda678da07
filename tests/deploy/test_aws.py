"""What AWS does and moto does not, answered by botocore's Stubber: failures on the way, and left-overs."""

from datetime import UTC, datetime

import boto3
import pytest

from helpers.deploy import ec2, errors, leftovers, stacks
from helpers.deploy.account import Account
from helpers.deploy.deployment import Deployment
from helpers.settings import settings

ID = "arn:aws:cloudformation:us-west-2:111122223333:stack/a-run-network/1"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def on_aws(monkeypatch):
    monkeypatch.setenv("WORKSHOP_PROFILE", "aws")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def stack(status="CREATE_COMPLETE", run="a-run"):
    tags = stacks.tags(run, "network")
    told = {"StackId": ID, "StackName": "a-run-network", "StackStatus": status, "CreationTime": NOW, "Tags": tags}
    return {"Stacks": [told]}


def event(number, resource, status, reason="", physical=""):
    return {
        "StackId": ID,
        "StackName": "a-run-network",
        "EventId": str(number),
        "LogicalResourceId": resource,
        "PhysicalResourceId": physical,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "Timestamp": NOW,
    }


def test_on_the_laptop_s_profile_aws_is_not_touched(stubbed, layers):
    for act in ("plan", "up", "status", "down"):
        with pytest.raises(errors.WrongRegion, match="nothing was done"):
            getattr(Deployment("a-run", layers, stubbed), act)()


def test_without_a_region_aws_is_not_touched_either(monkeypatch, layers):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(errors.WrongRegion, match=r"region\.start\(\)"):
        Deployment("a-run", layers, Account(boto3.Session())).plan()


def test_no_permission_to_ask(stubbed, layers, on_aws):
    stub = stubbed.stub("cloudformation")
    stub.add_client_error("describe_stacks", "AccessDenied", "not authorized to perform: cloudformation:DescribeStacks")
    with pytest.raises(errors.NoPermission, match=r"cloudformation:DescribeStacks.*down --name a-run"):
        Deployment("a-run", layers, stubbed).down()


def test_a_stack_that_cannot_be_deleted_names_the_resource(stubbed, layers, on_aws):
    stub = stubbed.stub("cloudformation")
    stub.add_response("describe_stacks", stack())
    stub.add_response("list_stack_resources", {"StackResourceSummaries": []})
    stub.add_response(
        "describe_stack_events", {"StackEvents": [event(1, "a-run-network", "CREATE_COMPLETE", physical=ID)]}
    )
    stub.add_response("delete_stack", {}, {"StackName": ID})
    stub.add_response("describe_stacks", stack("DELETE_FAILED"))
    happened = [
        event(4, "a-run-network", "DELETE_FAILED", "The following resource(s) failed to delete: [Subnet].", ID),
        event(3, "Subnet", "DELETE_FAILED", "The subnet is held by an interface of AgentCore eni-1"),
        event(2, "a-run-network", "DELETE_IN_PROGRESS", "User Initiated", ID),
    ]
    stub.add_response("describe_stack_events", {"StackEvents": happened})
    stub.add_response("describe_stacks", stack("DELETE_FAILED"))
    with pytest.raises(errors.DeleteFailed, match=r"Subnet: The subnet is held .*eni-1.*by hand"):
        Deployment("a-run", layers, stubbed, pause=0).down()


def test_the_first_failure_is_told_not_what_was_given_up_after_it():
    told = [
        stacks._event(event(1, "Vpc", "CREATE_FAILED", "Resource creation cancelled"), ID),
        stacks._event(event(2, "Gpu", "CREATE_FAILED", "InsufficientInstanceCapacity"), ID),
        stacks._event(event(3, "a-run-network", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed", ID), ID),
    ]
    assert stacks.first_failure(told).resource == "Gpu"


def test_following_waits_for_an_end_that_comes_later(stubbed):
    stub = stubbed.stub("cloudformation")
    for status, happened in [
        ("UPDATE_COMPLETE", []),  # asked for, and not yet shown
        ("UPDATE_IN_PROGRESS", [event(1, "a", "UPDATE_IN_PROGRESS", "User Initiated", ID)]),
        ("UPDATE_COMPLETE", [event(2, "a", "UPDATE_COMPLETE", "", ID), event(1, "a", "UPDATE_IN_PROGRESS", "", ID)]),
    ]:
        stub.add_response("describe_stacks", stack(status))
        stub.add_response("describe_stack_events", {"StackEvents": happened})
    assert [one.id for one in stacks.follow(stubbed, ID, set(), pause=0)] == ["1", "2"]


def test_what_ec2_lists_after_its_end_is_not_left_over(stubbed):
    described = [("i-1", "instance"), ("i-2", "instance"), ("nat-1", "natgateway"), ("vol-1", "volume")]
    described += [("vol-2", "volume"), ("x-1", "new-kind")]
    tags = [{"ResourceId": name, "ResourceType": kind, "Key": stacks.RUN, "Value": "a-run"} for name, kind in described]
    stub, tagged = stubbed.stub("ec2"), [{"Name": f"tag:{stacks.RUN}", "Values": ["a-run"]}]
    stub.add_response("describe_tags", {"Tags": tags}, {"Filters": tagged})
    states = [
        {"InstanceId": "i-1", "State": {"Name": "terminated"}},
        {"InstanceId": "i-2", "State": {"Name": "running"}},
    ]
    stub.add_response("describe_instances", {"Reservations": [{"Instances": states}]}, {"Filters": tagged})
    gateways = {"NatGateways": [{"NatGatewayId": "nat-1", "State": "deleted"}]}
    stub.add_response("describe_nat_gateways", gateways, {"Filter": tagged})
    stub.add_response("describe_volumes", {"Volumes": [{"VolumeId": "vol-1", "State": "available"}]})
    found = {one.id: one.remedy for one in leftovers._ec2(stubbed, "a-run")}
    assert found == {
        "i-2": "aws ec2 terminate-instances --instance-ids i-2",
        "vol-1": "aws ec2 delete-volume --volume-id vol-1",
        "x-1": "delete it in the console of EC2 (new-kind)",
    }, "vol-2 has a tag, and is gone"


def test_ec2_has_each_call_as_the_table_says_it(stubbed):
    client = stubbed.client("ec2")
    for row in ec2.KINDS.values():
        operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[row.operation])
        assert row.filters in operation.input_shape.members, row
        told = operation.output_shape.members[row.answer].member
        assert row.id in (told.members["Instances"].member if "Instances" in told.members else told).members, row


def test_what_is_inactive_or_waits_for_its_end_is_not_left_over(stubbed):
    arn = "arn:aws:{}:us-west-2:111122223333:{}"
    names = [("kms", "key/1"), ("kms", "key/2"), ("ecs", "task-definition/a:1"), ("ecs", "cluster/a"), ("sns", "t")]
    mappings = [{"ResourceARN": arn.format(*name), "Tags": []} for name in names]
    stubbed.stub("resourcegroupstaggingapi").add_response("get_resources", {"ResourceTagMappingList": mappings})
    for key, state in (("1", "PendingDeletion"), ("2", "Enabled")):
        told = {"KeyMetadata": {"KeyId": key, "KeyState": state}}
        stubbed.stub("kms").add_response("describe_key", told)
    inactive = {"taskDefinition": {"status": "INACTIVE"}}
    stubbed.stub("ecs").add_response("describe_task_definition", inactive)
    stubbed.stub("ecs").add_response("describe_clusters", {"clusters": [{"status": "INACTIVE"}]})
    assert [one.id for one in leftovers._tagged(stubbed, "a-run")] == [
        mappings[1]["ResourceARN"],
        mappings[4]["ResourceARN"],
    ]


@pytest.mark.parametrize(
    ("code", "left"), [(None, 1), ("ResourceNotFoundException", 0), ("UnsupportedActionException", 1)]
)
def test_what_a_deleted_stack_retained_is_left_until_it_is_gone(stubbed, code, left):
    stub = stubbed.stub("cloudformation")
    summary = {"StackId": ID, "StackName": "a-run-network", "CreationTime": NOW, "StackStatus": "DELETE_COMPLETE"}
    stub.add_response("list_stacks", {"StackSummaries": [summary]})
    stub.add_response("describe_stacks", stack("DELETE_COMPLETE"))
    kept = {"LogicalResourceId": "Key", "PhysicalResourceId": "k-1", "ResourceType": "AWS::X::Key"}
    kept |= {"LastUpdatedTimestamp": NOW, "ResourceStatus": "DELETE_SKIPPED"}
    stub.add_response("list_stack_resources", {"StackResourceSummaries": [kept]})
    control = stubbed.stub("cloudcontrol")
    if code:
        control.add_client_error("get_resource", code, "as AWS says it")
    else:
        control.add_response("get_resource", {"TypeName": "AWS::X::Key"})
    assert len(list(leftovers._retained(stubbed, "a-run"))) == left
