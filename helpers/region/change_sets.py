"""CloudFormation's change sets: moto's, with what CloudFormation does when it carries one out.

moto's stacks made by a change set have no outputs and no exports, their resources no tags and no events, a failure is
an error of the call and leaves half a stack behind, and changed parameters alone are no change. What moto has no type
for is told as skipped (`templates`).
"""

import contextlib
from dataclasses import dataclass
from typing import Any

from moto.cloudformation import models
from moto.cloudformation.parsing import clean_json
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.exceptions import ServiceException
from moto.core.resource_tagging import iter_taggable_backends
from moto.ec2.models.core import TaggedEC2Resource

from helpers.region import resources
from helpers.region.templates import adapt

NO_CHANGE = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(frozen=True)
class Listed:
    """A resource as its stack lists it; without a physical id it was skipped."""

    logical_resource_id: str
    physical_resource_id: str
    cf_resource_type: str


class ChangeSets(models.CloudFormationBackend):  # type: ignore[misc]
    """The backend of one account and Region."""

    __module__ = models.__name__  # moto looks for the service's addresses beside its backend

    @classmethod
    def register(cls) -> None:
        """Take the place of moto's, in Regions that are yet to be used."""
        models.cloudformation_backends.backend = cls
        resources.register()
        CloudFormationResponse._validate_different_update = lambda *_: None  # a change set says so itself

    def create_change_set(self, stack_name: str, change_set_name: str, **given: Any) -> tuple[str, str]:  # noqa: ANN401
        """As moto does it, of what moto can make; a name is taken by any stack that is more than planned."""
        if given["change_set_type"] == "CREATE":
            self._drop_plan_of(stack_name)
        adapted = adapt(given["template"], given["parameters"], stack_name, self.account_id, self.region_name)
        given |= {"template": adapted.template, "parameters": adapted.parameters}
        ids: tuple[str, str] = super().create_change_set(stack_name, change_set_name, **given)
        made, stack = self.change_sets[ids[0]], self.stacks[ids[1]]
        made.skipped, before = adapted.skipped, getattr(stack, "skipped", {})
        made.changes += [models.Change("Add", *one) for one in made.skipped.items() if one[0] not in before]
        made.changes += [models.Change("Remove", *one) for one in before.items() if one[0] not in made.skipped]
        if not made.changes:
            made.status, made.execution_status, made.status_reason = "FAILED", "UNAVAILABLE", NO_CHANGE
        return ids

    def _drop_plan_of(self, stack_name: str) -> None:
        for stack_id, stack in list(self.stacks.items()):
            if stack.name == stack_name:
                if stack.status != "REVIEW_IN_PROGRESS":
                    raise models.ValidationError(message=f"Stack [{stack_name}] already exists and cannot be created.")
                del self.stacks[stack_id]

    def execute_change_set(self, change_set_name: str, stack_name: str | None = None) -> None:
        """Make the resources, or none: what fails is rolled back, and told in the stack's events."""
        made = self.describe_change_set(change_set_name)
        stack, kind = self.stacks[made.stack_id], made.change_set_type
        before = (stack.template, stack.template_dict, dict(stack.parameters))
        _tell(stack, f"{kind}_IN_PROGRESS", "User Initiated")
        try:
            self._carry_out(made, stack)
        except Exception as error:
            made.execution_status = "EXECUTE_FAILED"
            reason = getattr(error, "message", None) if isinstance(error, ServiceException) else None
            self._roll_back(stack, kind, str(reason or error), before)
            return
        made.execution_status = "EXECUTE_COMPLETE"
        _tell(stack, f"{kind}_COMPLETE")

    def _carry_out(self, made: Any, stack: Any) -> None:  # noqa: ANN401 - moto's
        stack.resource_map.cross_stack_resources = self.exports
        stack.template, stack.parameters = made.template, made.parameters
        stack.tags = made.tags or stack.tags
        stack._parse_template()
        stack.description = stack.template_dict.get("Description")
        made.apply()
        stack.skipped = made.skipped
        _tell_resources(stack, made)
        stack.output_map = stack._create_output_map()
        if made.change_set_type == "CREATE":
            self._validate_export_uniqueness(stack)
        self.exports.update({export.name: export for export in stack.exports})
        for resource in stack.stack_resources:
            self._tag(resource, stack)

    def list_stack_resources(self, stack_name_or_id: str) -> tuple[Any, list[Listed]]:
        """Those that were made, and those that were skipped."""
        stack = self.get_stack(stack_name_or_id)
        found = [_listed(stack, name, resource) for name, resource in stack.resource_map._parsed_resources.items()]
        skipped = [Listed(name, "", kind) for name, kind in getattr(stack, "skipped", {}).items()]
        return stack, [one for one in found if one] + skipped

    def _tag(self, resource: Any, stack: Any) -> None:  # noqa: ANN401 - moto's
        """The stack's tags, on what can be tagged."""
        own = {"aws:cloudformation:stack-name": stack.name, "aws:cloudformation:stack-id": stack.stack_id}
        tags = {**stack.tags, **own, "aws:cloudformation:logical-id": getattr(resource, "logical_resource_id", "")}
        if isinstance(resource, TaggedEC2Resource):
            resource.ec2_backend.create_tags([resource.physical_resource_id], tags)
            return
        arn = getattr(resource, "arn", None)
        for backend in iter_taggable_backends(self.account_id, self.region_name) if isinstance(arn, str) else ():
            if backend.owns_arn(arn):
                with contextlib.suppress(NotImplementedError, ServiceException):
                    backend.tag_resource(arn, tags)

    def _roll_back(self, stack: Any, kind: str, reason: str, before: tuple[Any, ...]) -> None:  # noqa: ANN401
        made = [name for name in stack.resource_map.resources if name in stack.resource_map._parsed_resources]
        wanted = stack.template_dict.get("Resources", {})
        failed = [name for name in wanted if name not in made]
        _event(stack, next(iter(failed), stack.name), f"{kind}_FAILED", reason)
        rolling = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
        _tell(stack, f"{rolling}_IN_PROGRESS", f"The following resource(s) failed to {kind.lower()}: {failed[:1]}.")
        if kind == "CREATE":
            with contextlib.suppress(Exception):
                stack.resource_map.delete()
            _emptied(stack)
        else:
            stack.template, stack.template_dict, stack.parameters = before
            with contextlib.suppress(Exception):
                stack.resource_map.update(stack.template_dict, stack.parameters)
        _tell(stack, f"{rolling}_COMPLETE")

    def delete_stack(self, name_or_stack_id: str) -> None:
        """As moto does it; a stack that others import from stays, and what cannot be deleted is told in the stack."""
        stack = self.stacks.get(name_or_stack_id)
        if stack is None:  # by its name; then moto comes here again with its id
            super().delete_stack(name_or_stack_id)
            return
        if importer := self._importer(stack):
            name = stack.exports[0].name
            raise models.ValidationError(message=f"Export {name} cannot be deleted as it is in use by {importer.name}")
        try:
            super().delete_stack(name_or_stack_id)
            _emptied(stack)
        except Exception as error:
            self.stacks[stack.stack_id] = stack
            _event(stack, stack.name, "DELETE_FAILED", str(getattr(error, "message", error)))
            stack.status = "DELETE_FAILED"

    def _importer(self, stack: Any) -> Any:  # noqa: ANN401 - moto's
        names = {export.name for export in stack.exports} if stack.template_dict else set()
        for other in self.stacks.values():
            if other is not stack and names & _imports(other.template_dict, other):
                return other
        return None


def _imports(part: Any, stack: Any) -> set[str]:  # noqa: ANN401
    """The names of the exports that a stack's template imports."""
    if isinstance(part, list):
        return {name for entry in part for name in _imports(entry, stack)}
    if not isinstance(part, dict):
        return set()
    found = {name for entry in part.values() for name in _imports(entry, stack)}
    if "Fn::ImportValue" in part:
        found.add(str(clean_json(part["Fn::ImportValue"], stack.resource_map)))
    return found


def _emptied(stack: Any) -> None:  # noqa: ANN401
    """Nothing is in it any more: moto would make anew what is asked for and not there."""
    stack.resource_map._resource_json_map = {}
    stack.template_dict, stack.skipped = {}, {}
    stack.output_map = stack._create_output_map()


def _listed(stack: Any, name: str, resource: Any) -> Listed | None:  # noqa: ANN401
    """None for what is no resource; moto gives some kinds no id."""
    if name not in stack.resource_map.resources:
        return None
    physical = getattr(resource, "physical_resource_id", None) or f"{stack.name}-{name}"
    return Listed(name, physical, stack.template_dict["Resources"][name]["Type"])


def _tell_resources(stack: Any, made: Any) -> None:  # noqa: ANN401
    words = {"Add": "CREATE_COMPLETE", "Modify": "UPDATE_COMPLETE", "Remove": "DELETE_COMPLETE"}
    for change in made.changes:
        name, kind = change.logical_resource_id, change.resource_type
        if name in made.skipped:
            _event(stack, name, "CREATE_SKIPPED", f"The laptop's Region does not have {kind}", kind)
        else:
            _event(stack, name, words[change.action], None, kind)


def _event(stack: Any, name: str, status: str, reason: str | None, kind: str = "") -> None:  # noqa: ANN401
    resource = stack.resource_map._parsed_resources.get(name)
    listed = stack.template_dict.get("Resources", {}).get(name, {}).get("Type", "AWS::CloudFormation::Stack")
    physical = stack.stack_id if name == stack.name else getattr(resource, "physical_resource_id", None) or ""
    event = models.Event(stack.stack_id, stack.name, name, physical, kind or listed, status, reason, "")
    stack.events.append(event)


def _tell(stack: Any, status: str, reason: str | None = None) -> None:  # noqa: ANN401
    stack.status = status
    stack._add_stack_event(status, resource_status_reason=reason)
