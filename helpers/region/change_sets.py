"""CloudFormation's change sets: moto's, with what CloudFormation does when it carries one out.

moto's stacks made by a change set have no outputs and no exports, their resources no tags and no events, a failure is
an error of the call and leaves half a stack behind, and changed parameters alone are no change.
"""

import contextlib
from typing import Any

from moto.cloudformation import models
from moto.cloudformation.parsing import ResourceMap, clean_json
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.core.exceptions import ServiceException
from moto.core.resource_tagging import iter_taggable_backends

NO_CHANGE = "The submitted information didn't contain changes. Submit different information to create a change set."


class ChangeSets(models.CloudFormationBackend):  # type: ignore[misc]
    """The backend of one account and Region."""

    __module__ = models.__name__  # moto looks for the service's addresses beside its backend

    @classmethod
    def register(cls) -> None:
        """Take the place of moto's, in Regions that are yet to be used."""
        models.cloudformation_backends.backend = cls
        CloudFormationResponse._validate_different_update = lambda *_: None  # a change set says so itself

    def create_change_set(self, stack_name: str, change_set_name: str, **given: Any) -> tuple[str, str]:  # noqa: ANN401
        """As moto does it, and parameters count as changes; a name is taken by any stack that is more than planned."""
        if given["change_set_type"] == "CREATE":
            self._drop_plan_of(stack_name)
        ids: tuple[str, str] = super().create_change_set(stack_name, change_set_name, **given)
        made, stack = self.change_sets[ids[0]], self.stacks[ids[1]]
        if made.change_set_type == "UPDATE":
            _changed_by_parameters(made, stack)
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
        for name in _switched_off(made, stack):
            resource = stack.resource_map._parsed_resources.pop(name, None)
            if resource is not None:
                stack.resource_map._delete_resource(resource, stack.template_dict["Resources"][name])
        list(stack.stack_resources)  # makes what a condition has switched on
        _tell_resources(stack, made)
        stack.output_map = stack._create_output_map()
        told = stack.template_dict.get("Outputs") or {}
        stack.output_map._output_json_map = {
            name: output for name, output in told.items() if _holds(output, stack.resource_map)
        }
        if made.change_set_type == "CREATE":
            self._validate_export_uniqueness(stack)
        self.exports.update({export.name: export for export in stack.exports})
        for resource in stack.stack_resources:
            self._tag(resource, stack)

    def _tag(self, resource: Any, stack: Any) -> None:  # noqa: ANN401 - moto's
        """The stack's tags, on what can be tagged."""
        own = {"aws:cloudformation:stack-name": stack.name, "aws:cloudformation:stack-id": stack.stack_id}
        tags = {**stack.tags, **own, "aws:cloudformation:logical-id": getattr(resource, "logical_resource_id", "")}
        if isinstance(resource, CloudFormationModel) and hasattr(resource, "ec2_backend"):
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
        failed = [name for name in wanted if name not in made and _holds(wanted[name], stack.resource_map)]
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


def _changed_by_parameters(made: Any, stack: Any) -> None:  # noqa: ANN401
    """moto compares templates only."""
    wanted, old = made.template_dict["Resources"], stack.resource_map
    names = dict.fromkeys(old.build_resource_diff(made.template_dict, made.parameters)["Modify"], "Modify")
    new = _planned(made, stack)
    for name, told in wanted.items():
        if name in old._resource_json_map and _holds(told, new) != _holds(old._resource_json_map[name], old):
            names[name] = "Add" if _holds(told, new) else "Remove"
    made.changes = [one for one in made.changes if one.logical_resource_id not in names or one.action != "Modify"]
    known = {change.logical_resource_id for change in made.changes}
    made.changes += [
        models.Change(action, name, wanted[name]["Type"])
        for name, action in names.items()
        if name not in known and (action != "Modify" or _holds(wanted[name], new))
    ]
    if made.changes:
        made.status, made.execution_status, made.status_reason = "CREATE_COMPLETE", "AVAILABLE", None
    else:
        made.status, made.execution_status, made.status_reason = "FAILED", "UNAVAILABLE", NO_CHANGE


def _emptied(stack: Any) -> None:  # noqa: ANN401
    """Nothing is in it any more: moto would make anew what is asked for and not there."""
    stack.resource_map._resource_json_map = {}
    stack.template_dict = {}
    stack.output_map = stack._create_output_map()


def _planned(made: Any, stack: Any) -> Any:  # noqa: ANN401
    """The resources as they will be, none of them made."""
    given = (made.parameters, made.tags or {}, stack.region_name, stack.account_id)
    planned = ResourceMap(stack.stack_id, stack.name, *given, made.template_dict, None)
    planned.load_mapping()
    planned.load_parameters()
    planned.load_conditions()
    return planned


def _holds(told: Any, resource_map: Any) -> bool:  # noqa: ANN401
    """Whether the condition of a resource does."""
    condition = told.get("Condition")
    return condition is None or bool(resource_map.lazy_condition_map[condition])


def _switched_off(made: Any, stack: Any) -> list[str]:  # noqa: ANN401
    """Resources that the template has, and that a condition takes away."""
    wanted = stack.template_dict["Resources"]
    return [
        one.logical_resource_id for one in made.changes if one.action == "Remove" and one.logical_resource_id in wanted
    ]


def _tell_resources(stack: Any, made: Any) -> None:  # noqa: ANN401
    words = {"Add": "CREATE_COMPLETE", "Modify": "UPDATE_COMPLETE", "Remove": "DELETE_COMPLETE"}
    for change in made.changes:
        _event(stack, change.logical_resource_id, words[change.action], None, change.resource_type)


def _event(stack: Any, name: str, status: str, reason: str | None, kind: str = "") -> None:  # noqa: ANN401
    resource = stack.resource_map._parsed_resources.get(name)
    listed = stack.template_dict.get("Resources", {}).get(name, {}).get("Type", "AWS::CloudFormation::Stack")
    physical = stack.stack_id if name == stack.name else getattr(resource, "physical_resource_id", None) or ""
    event = models.Event(stack.stack_id, stack.name, name, physical, kind or listed, status, reason, "")
    stack.events.append(event)


def _tell(stack: Any, status: str, reason: str | None = None) -> None:  # noqa: ANN401
    stack.status = status
    stack._add_stack_event(status, resource_status_reason=reason)
