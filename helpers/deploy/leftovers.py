"""What a run has left behind, found by its tags, wherever it is: stacks, what stacks retained, what lives outside them.

CloudFormation gives a stack's tags to its resources. The tagging API lists most kinds, but for a while also what is
deleted already: so EC2's are asked of EC2. IAM roles, and log groups that services open themselves, have the stack's
name in theirs. What a stack retained is in the list of its resources, for 90 days after its end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from helpers.deploy import stacks
from helpers.deploy.account import Account

RETAINED = "DELETE_SKIPPED"
OVER = {"terminated", "shutting-down", "deleted", "deleting"}  # what EC2 still lists, and nobody pays for


@dataclass(frozen=True)
class LeftOver:
    """Something of the run that is still there, by its ARN or id, and the command that deletes it."""

    kind: str
    id: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.remedy}"


def find(account: Account, run: str) -> list[LeftOver]:
    """All that is left of `run`, stacks first; an empty list says that nothing is.

    Raises:
        ClientError: something could not be asked, so nothing can be said.
    """
    found = [
        LeftOver("stack", stack.name, f"python -m helpers.deploy down --name {run}") for stack in _stacks(account, run)
    ]
    for source in (_tagged, _ec2, _roles, _log_groups, _retained):
        found += source(account, run)
    return list({(one.kind, one.id): one for one in found}.values())


def _stacks(account: Account, run: str) -> list[stacks.Stack]:
    return [stack for stack in stacks.of_run(account, run) if not stack.nested]


def _tagged(account: Account, run: str) -> Iterator[LeftOver]:
    """What the tagging API lists, but for stacks, which are known, and for EC2's."""
    pages = account.client("resourcegroupstaggingapi").get_paginator("get_resources")
    for page in pages.paginate(TagFilters=[{"Key": stacks.RUN, "Values": [run]}]):
        for told in page["ResourceTagMappingList"]:
            arn = told["ResourceARN"]
            service = arn.split(":")[2]
            if service not in ("cloudformation", "ec2") and not _pending(account, arn):
                yield LeftOver(service, arn, _remedy(service, arn))


def _pending(account: Account, arn: str) -> bool:
    """KMS keys cannot be deleted at once: one that waits for its end is not left, and costs nothing."""
    if ":kms:" not in arn:
        return False
    state = account.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
    return bool(state == "PendingDeletion")


def _ec2(account: Account, run: str) -> Iterator[LeftOver]:
    pages = account.client("ec2").get_paginator("describe_tags")
    filters = [{"Name": f"tag:{stacks.RUN}", "Values": [run]}]
    found = {
        told["ResourceId"]: told["ResourceType"] for page in pages.paginate(Filters=filters) for told in page["Tags"]
    }
    over = _over(account, found)
    for name, kind in found.items():
        if name not in over:
            option = {"vpc": "vpc-id", "elastic-ip": "allocation-id"}.get(kind, f"{kind}-id")
            verb = {
                "instance": "terminate-instances --instance-ids",
                "vpc-endpoint": "delete-vpc-endpoints --vpc-endpoint-ids",
            }
            command = verb.get(kind, f"{'release-address' if kind == 'elastic-ip' else f'delete-{kind}'} --{option}")
            yield LeftOver(f"ec2 {kind}", name, f"aws ec2 {command} {name}")


def _over(account: Account, found: dict[str, str]) -> set[str]:
    """Instances and NAT gateways that have ended, and are listed for some time."""
    ec2, ended = account.client("ec2"), set()
    if instances := [name for name, kind in found.items() if kind == "instance"]:
        for page in ec2.get_paginator("describe_instances").paginate(Filters=[_ids("instance-id", instances)]):
            told = [one for reservation in page["Reservations"] for one in reservation["Instances"]]
            ended |= {one["InstanceId"] for one in told if one["State"]["Name"] in OVER}
    if gateways := [name for name, kind in found.items() if kind == "natgateway"]:
        for page in ec2.get_paginator("describe_nat_gateways").paginate(Filters=[_ids("nat-gateway-id", gateways)]):
            ended |= {one["NatGatewayId"] for one in page["NatGateways"] if one["State"] in OVER}
    return ended


def _ids(name: str, values: list[str]) -> dict[str, Any]:
    return {"Name": name, "Values": values}


def _roles(account: Account, run: str) -> Iterator[LeftOver]:
    """IAM roles, which the tagging API does not list."""
    iam = account.client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = role["RoleName"]
            if not name.startswith(f"{run}-"):
                continue
            tags = {tag["Key"]: tag["Value"] for tag in iam.list_role_tags(RoleName=name)["Tags"]}
            if tags.get(stacks.RUN) == run:
                yield LeftOver("iam role", name, f"aws iam delete-role --role-name {name} (its policies first)")


def _log_groups(account: Account, run: str) -> Iterator[LeftOver]:
    """Log groups that Lambda, ECS or AgentCore opened: they have no tags, but a name with the stack's in it."""
    names = {stack.name for stack in _ended(account, run)} | {stack.name for stack in _stacks(account, run)}
    if not names:
        return
    either = "|".join(re.escape(name).replace(r"\-", "[-_]") for name in sorted(names))
    of_run = re.compile(rf"(^|/)({either})([-_/]|$)")
    for page in account.client("logs").get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            if of_run.search(group["logGroupName"]):
                name = group["logGroupName"]
                yield LeftOver("log group", name, f"aws logs delete-log-group --log-group-name {name}")


def _ended(account: Account, run: str) -> list[stacks.Stack]:
    """Stacks of the run that were deleted in the last 90 days."""
    pages = account.client("cloudformation").get_paginator("list_stacks").paginate(StackStatusFilter=[stacks.GONE])
    told = [one for page in pages for one in page["StackSummaries"] if one["StackName"].startswith(f"{run}-")]
    found = [stacks.find(account, one["StackId"]) for one in told]
    return [stack for stack in found if stack and stack.of(run)]


def _retained(account: Account, run: str) -> Iterator[LeftOver]:
    """What a deleted stack kept by its deletion policy, if it is still there as far as AWS can tell."""
    for stack in _ended(account, run):
        for told in stacks.resources(account, stack.id):
            if told.get("ResourceStatus") == RETAINED and _exists(account, told):
                kind, name = told["ResourceType"], told.get("PhysicalResourceId", "")
                command = f"aws cloudcontrol delete-resource --type-name {kind} --identifier {name}"
                yield LeftOver(kind, name, command)


def _exists(account: Account, told: dict[str, Any]) -> bool:
    """As Cloud Control says; of a kind that it does not know, what was retained counts as being there."""
    given = {"TypeName": told["ResourceType"], "Identifier": told.get("PhysicalResourceId", "")}
    try:
        account.client("cloudcontrol").get_resource(**given)
    except ClientError as error:
        return error.response["Error"]["Code"] != "ResourceNotFoundException"
    return True


def _remedy(service: str, arn: str) -> str:
    name = arn.rpartition(":")[2]
    commands = {
        "s3": f"aws s3 rb --force s3://{name}",
        "logs": f"aws logs delete-log-group --log-group-name {arn.partition(':log-group:')[2].removesuffix(':*')}",
        "kms": f"aws kms schedule-key-deletion --key-id {arn}",
        "sns": f"aws sns delete-topic --topic-arn {arn}",
        "secretsmanager": f"aws secretsmanager delete-secret --secret-id {arn}",
        "dynamodb": f"aws dynamodb delete-table --table-name {arn.rpartition('/')[2]}",
    }
    return commands.get(service, f"delete it in the console of {service}, or with aws {service} help")
