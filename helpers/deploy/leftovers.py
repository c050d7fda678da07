"""What a run has left behind, found by its tags, wherever it is: stacks, what stacks retained, what lives outside them.

CloudFormation gives a stack's tags to its resources. The tagging API lists most kinds, but for a while also what is
deleted already: so EC2's are asked of EC2 (`ec2`). IAM roles, and log groups that services open themselves, have the
stack's name in theirs. What a stack retained is in the list of its resources, for 90 days after its end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from helpers.deploy import ec2, stacks
from helpers.deploy.account import Account

RETAINED = "DELETE_SKIPPED"


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
            if service not in ("cloudformation", "ec2") and not _is_over(account, arn):
                yield LeftOver(service, arn, _remedy(service, arn))


def _is_over(account: Account, arn: str) -> bool:
    """What the tagging API lists after its end, or for ever: keys that wait for theirs, and what ECS calls inactive."""
    service, kind = arn.split(":")[2], arn.split(":", 5)[5].partition("/")[0]
    if service == "kms":
        return bool(account.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion")
    if (service, kind) == ("ecs", "task-definition"):
        told = account.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return bool(told["status"] != "ACTIVE")
    if (service, kind) == ("ecs", "cluster"):
        found = account.client("ecs").describe_clusters(clusters=[arn])["clusters"]
        return not any(one["status"] == "ACTIVE" for one in found)
    return False


def _ec2(account: Account, run: str) -> Iterator[LeftOver]:
    for kind, name, command in ec2.find(account, run):
        yield LeftOver(f"ec2 {kind}", name, command)


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
        return bool(error.response["Error"]["Code"] != "ResourceNotFoundException")
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
