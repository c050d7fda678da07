"""The stacks of a run: found by their tags, followed by their events, and what stopped them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from helpers.deploy.account import Account

RUN, LAYER, MADE_BY = "workshop:run", "workshop:layer", "workshop:made-by"
KIT = "hybrid-agents-workshop"
PLANNED = "REVIEW_IN_PROGRESS"  # a change set was made for a stack that does not exist yet
GONE = "DELETE_COMPLETE"
CANCELLED = ("cancelled", "following resource(s) failed")


@dataclass(frozen=True)
class Stack:
    """One stack, as CloudFormation tells it."""

    id: str
    name: str
    status: str
    made: datetime
    tags: dict[str, str]
    outputs: dict[str, str]
    nested: bool

    @property
    def layer(self) -> str:
        """Its layer, as its tag says."""
        return self.tags.get(LAYER, "")

    def of(self, run: str) -> bool:
        """Whether this kit made it, in `run`."""
        return self.tags.get(RUN) == run and self.tags.get(MADE_BY) == KIT

    @property
    def moving(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != PLANNED


@dataclass(frozen=True)
class Event:
    """Something that happened to a resource of a stack."""

    id: str
    resource: str
    type: str
    status: str
    reason: str
    of_stack: bool


def tags(run: str, layer: str) -> list[dict[str, str]]:
    """The tags of a layer's stack; CloudFormation gives them to the resources in it."""
    return [{"Key": key, "Value": value} for key, value in ((RUN, run), (LAYER, layer), (MADE_BY, KIT))]


def find(account: Account, name_or_id: str) -> Stack | None:
    """The stack of that name or id; by its id also one that was deleted."""
    try:
        return _read(account.client("cloudformation").describe_stacks(StackName=name_or_id)["Stacks"][0])
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise


def of_run(account: Account, run: str) -> list[Stack]:
    """All stacks of a run that are there, in the order in which they were made."""
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    found = [_read(told) for page in pages for told in page["Stacks"]]
    return sorted((stack for stack in found if stack.of(run) and stack.status != GONE), key=lambda stack: stack.made)


def resources(account: Account, stack_id: str) -> list[dict[str, Any]]:
    """The resources of a stack."""
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return [told for page in pages for told in page["StackResourceSummaries"]]


def events(account: Account, stack_id: str) -> list[Event]:
    """All events of a stack, the oldest first."""
    pages = account.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
    found = [_event(told, stack_id) for page in pages for told in page["StackEvents"]]
    return found[::-1]


def follow(account: Account, stack_id: str, seen: set[str], pause: float, begun: bool = True) -> Iterator[Event]:
    """The events that are not in `seen`, as they come, until an operation has ended; asked for every `pause` seconds.

    With `begun`, one was just asked for, and the stack may not show it yet: its end is an event of the stack itself.
    """
    ended = False
    while not ended:
        stack = find(account, stack_id)  # first, so that no event of what ends in between is missed
        for event in events(account, stack_id) if stack else []:
            if event.id not in seen:
                seen.add(event.id)
                ended |= event.of_stack and not event.status.endswith("_IN_PROGRESS")
                yield event
        ended |= stack is None or stack.status == GONE or not (begun or stack.moving)
        if not ended:
            time.sleep(pause)


def first_failure(happened: list[Event]) -> Event | None:
    """The event that stopped an operation: later ones only say that the rest was given up."""
    failed = [event for event in happened if event.status.endswith("_FAILED") and event.reason]
    real = [event for event in failed if not any(word in event.reason.lower() for word in CANCELLED)]
    return next(iter(sorted(real or failed, key=lambda event: event.of_stack)), None)


def _read(told: dict[str, Any]) -> Stack:
    return Stack(
        id=told["StackId"],
        name=told["StackName"],
        status=told["StackStatus"],
        made=told["CreationTime"],
        tags={tag["Key"]: tag["Value"] for tag in told.get("Tags", [])},
        outputs={output["OutputKey"]: output["OutputValue"] for output in told.get("Outputs", [])},
        nested="ParentId" in told,
    )


def _event(told: dict[str, Any], stack_id: str) -> Event:
    return Event(
        id=told["EventId"],
        resource=told.get("LogicalResourceId", ""),
        type=told.get("ResourceType", ""),
        status=told.get("ResourceStatus", ""),
        reason=told.get("ResourceStatusReason", ""),
        of_stack=told.get("PhysicalResourceId") == stack_id,
    )
