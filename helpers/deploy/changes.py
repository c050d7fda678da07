"""Change sets: what CloudFormation would do to a stack, asked for before it is done."""

from dataclasses import dataclass
from uuid import uuid4

from botocore.exceptions import WaiterError

from helpers.deploy import causes
from helpers.deploy.account import Account
from helpers.deploy.errors import TemplateRefused
from helpers.deploy.plan import Change
from helpers.deploy.stacks import KIT

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
NOTHING = ("didn't contain changes", "No updates are to be performed")
LATER = ("No export named", "Unresolved import")  # of a layer that is not there yet


class NotYet(Exception):
    """The stack imports what an earlier layer has still to make."""


@dataclass(frozen=True)
class ChangeSet:
    """One that can be carried out; none of its `changes` are made before."""

    id: str
    stack_id: str
    changes: list[Change]


@dataclass(frozen=True)
class Wanted:
    """What a stack shall be."""

    stack: str
    body: str
    given: dict[str, str]
    tags: list[dict[str, str]]
    new: bool


def prepare(account: Account, wanted: Wanted, run: str, command: str, pause: float) -> ChangeSet:
    """A change set that makes the stack what is wanted; without changes if it is so already.

    Raises:
        NotYet: it needs exports that are not there.
        DeployError: CloudFormation refuses the template or its parameters; the class says why.
    """
    client = account.client("cloudformation")
    made = client.create_change_set(
        StackName=wanted.stack,
        ChangeSetName=f"{KIT}-{uuid4().hex[:12]}",
        ChangeSetType="CREATE" if wanted.new else "UPDATE",
        TemplateBody=wanted.body,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in wanted.given.items()],
        Tags=wanted.tags,
        Capabilities=CAPABILITIES,
    )
    names = {"ChangeSetName": made["Id"], "StackName": wanted.stack}
    try:
        waiting = {"Delay": max(1, round(pause)), "MaxAttempts": 120}
        client.get_waiter("change_set_create_complete").wait(**names, WaiterConfig=waiting)
    except WaiterError as error:
        reason = (error.last_response or {}).get("StatusReason") or str(error)
        if any(text in reason for text in NOTHING):
            return ChangeSet(made["Id"], made["StackId"], [])
        if any(text in reason for text in LATER):
            raise NotYet(reason) from error
        raise causes.of_reason(reason, TemplateRefused)(f"{wanted.stack}: {reason}", run, command) from error
    pages = client.get_paginator("describe_change_set").paginate(**names)
    changes = [_change(told["ResourceChange"]) for page in pages for told in page["Changes"]]
    return ChangeSet(made["Id"], made["StackId"], changes)


def forget(account: Account, stack_name: str, new: bool) -> None:
    """Take away what `prepare` left: its change sets, and the stack that was only planned."""
    client = account.client("cloudformation")
    if new:
        client.delete_stack(StackName=stack_name)
        return
    pages = client.get_paginator("list_change_sets").paginate(StackName=stack_name)
    for told in [told for page in pages for told in page["Summaries"]]:
        ours = told["StackName"] == stack_name and told["ChangeSetName"].startswith(KIT)
        if ours and told.get("ExecutionStatus") in ("AVAILABLE", "UNAVAILABLE"):
            client.delete_change_set(ChangeSetName=told["ChangeSetId"], StackName=stack_name)


def _change(told: dict[str, str]) -> Change:
    replaced = told.get("Replacement") in ("True", "Conditional")
    return Change(told["Action"], told["LogicalResourceId"], told["ResourceType"], replaced)
