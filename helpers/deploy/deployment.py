"""One run: its stacks planned, made, told and deleted. The same on AWS and in the laptop's Region."""

import re
import time
from collections.abc import Callable

from helpers.deploy import causes, changes, errors, leftovers, prices, stacks
from helpers.deploy.account import Account
from helpers.deploy.changes import ChangeSet, NotYet, Wanted
from helpers.deploy.layers import Layer, Layers, read_layers
from helpers.deploy.leftovers import LeftOver
from helpers.deploy.lookups import Lookups
from helpers.deploy.plan import CHANGED, NEW, SAME, Change, LayerPlan, Plan
from helpers.deploy.preflight import Preflight
from helpers.deploy.progress import Silent, Watcher
from helpers.deploy.stacks import GONE, PLANNED, Event, Stack
from helpers.deploy.status import Row, Status
from helpers.deploy.template import Template

RUN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
UNDONE = "ROLLBACK_COMPLETE"  # a stack that was never made; it can only be deleted
STUCK = {"ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"}
DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
SETTLE = 120.0  # seconds for which AWS's tagging API may still list what was deleted

Agree = Callable[[Plan], bool]


def shown(plan: Plan) -> bool:
    """Print the plan with its prices, and go on."""
    plan.print()
    return True


class Deployment:
    """A run of that name: stacks `NAME-LAYER`, with tags that say so."""

    def __init__(
        self, run: str, layers: Layers | None = None, account: Account | None = None, pause: float | None = None
    ) -> None:
        """`layers` are the kit's own, `account` is boto3's default; AWS is asked every `pause` seconds.

        Raises:
            LayersInvalid: the name cannot be that of stacks and buckets.
        """
        if not RUN.fullmatch(run) or len(run) > 31:
            raise errors.LayersInvalid(
                f"{run!r}: a run's name has small letters, digits and single hyphens, at most 31"
            )
        self.run = run
        self.account = account or Account()
        self._layers = layers
        self._lookups = Lookups(self.account)
        self._pause = pause

    @property
    def layers(self) -> Layers:
        """Its layers; read when first needed, since `down` needs none."""
        if self._layers is None:
            self._layers = read_layers()
        return self._layers

    @property
    def pause(self) -> float:
        """How often AWS is asked, in seconds."""
        return self._pause if self._pause is not None else (0.1 if self.account.local else 5.0)

    def plan(self) -> Plan:
        """What `up` would change and cost. Nothing is made; change sets are deleted again.

        Raises:
            DeployError: one of its classes; nothing was changed.
        """
        with causes.told(self.run, "plan"):
            self.account.check(self.run, "plan")
            return self._plan("plan")

    def up(self, agree: Agree = shown, watcher: Watcher | None = None) -> Status | None:
        """Make or update all layers, in order. `agree` is given the plan, with prices, before anything is made.

        None when it does not agree. Run again after a failure: what is there stays, what was rolled back is made anew.

        Raises:
            DeployError: one of its classes; layers before the one that failed are there.
        """
        with causes.told(self.run, "up"):
            self.account.check(self.run, "up")
            if not agree(self._plan("up")):
                return None
            for layer in self.layers.chosen(self.run):
                self._make(layer, watcher or Silent())
            return self._status()

    def status(self) -> Status:
        """The stacks that are there, and what is left outside them.

        Raises:
            DeployError: it could not be asked.
        """
        with causes.told(self.run, "status"):
            self.account.check(self.run, "status")
            return self._status()

    def down(self, watcher: Watcher | None = None) -> list[LeftOver]:
        """Delete all stacks of the run, newest first, wait, and list what is left: nothing, if all went well.

        Only stacks with the run's tags are touched. Run again after an interruption or a failure.

        Raises:
            InUse, DeleteFailed: a stack cannot be deleted.
        """
        with causes.told(self.run, "down"):
            self.account.check(self.run, "down")
            for stack in reversed(stacks.of_run(self.account, self.run)):
                if not stack.nested:
                    self._delete(stack, watcher or Silent(), "down")
            return self._left()

    def _left(self) -> list[LeftOver]:
        """What is left, asked again for some time while the tagging API lags behind."""
        deadline = time.monotonic() + (0 if self.account.local else SETTLE)
        while (found := leftovers.find(self.account, self.run)) and time.monotonic() < deadline:
            time.sleep(self.pause)
        return found

    def _plan(self, command: str) -> Plan:
        chosen = self.layers.chosen(self.run)
        before = Preflight(self.account, self.run, command)
        told = [self._plan_layer(layer, before, command) for layer in chosen]
        needs = {layer.name: ", ".join(layer.needs) for layer in self.layers.layer if layer not in chosen}
        left_out = {name: f"no value for {names}" for name, names in needs.items()}
        return Plan(self.run, self.account.told(), told, left_out, before.notes)

    def _plan_layer(self, layer: Layer, before: Preflight, command: str) -> LayerPlan:
        template, given, missing = self._read(layer)
        before.check(layer, given)
        existing = self._existing(layer, command)
        new = existing is None or existing.status in (PLANNED, UNDONE)
        made = template.resources(given, self.account.region)
        told, after = [Change("Add", name, one.get("Type", "")) for name, one in made.items()], missing
        if not missing and not (existing and existing.status == UNDONE):
            try:
                told = self._prepared(layer, template, given, new, command).changes
            except NotYet:
                after = "the layer before"
            finally:
                self._forget(layer, new)
        costs = {name: prices.price(one, made) for name, one in made.items()}
        costs = {name: cost for name, cost in costs.items() if cost.words}
        state = NEW if new else CHANGED if told else SAME
        return LayerPlan(layer.name, self._name(layer), state, told, costs, after)

    def _forget(self, layer: Layer, new: bool) -> None:
        stack = stacks.find(self.account, self._name(layer))
        if stack and stack.of(self.run) and (stack.status == PLANNED or not new):
            changes.forget(self.account, stack.name, new)

    def _read(self, layer: Layer) -> tuple[Template, dict[str, str], str]:
        """The template, its parameters' values, and the layer that has still to give one."""
        template = Template(self.layers.folder / layer.template)
        given, missing = self._lookups.fill(layer, layer.given(self.run, self.layers.parameters)), ""
        for parameter, sources in layer.outputs.items():
            found = [self._output(*source.split(".")) for source in sources.split(",")]
            given[parameter] = ",".join(found)
            if not all(found):
                missing = sources.split(",")[found.index("")].partition(".")[0]
                del given[parameter]
        undeclared = {*layer.parameters, *layer.outputs, *layer.lookups} - set(template.parameters)
        if undeclared:
            said = f"{layer.template} has no parameter {', '.join(sorted(undeclared))}"
            raise errors.LayersInvalid(said, self.run)
        return template, template.declared(given), missing

    def _output(self, layer: str, output: str) -> str:
        """An output of an earlier layer, or nothing if that is not there."""
        stack = stacks.find(self.account, f"{self.run}-{layer}")
        return stack.outputs.get(output, "") if stack else ""

    def _existing(self, layer: Layer, command: str) -> Stack | None:
        """The layer's stack, if it is there and this run's."""
        stack = stacks.find(self.account, self._name(layer))
        if stack is None or stack.status == GONE:
            return None
        if not stack.of(self.run):
            raise errors.NameTaken(f"the stack {stack.name}", self.run, command)
        if stack.moving and command == "plan":
            raise errors.Busy(f"{stack.name}: {stack.status}", self.run, command)
        if stack.status in STUCK:
            raise errors.RollBackFailed(f"{stack.name}: {stack.status}", self.run, command)
        return stack

    def _prepared(self, layer: Layer, template: Template, given: dict[str, str], new: bool, command: str) -> ChangeSet:
        tags = stacks.tags(self.run, layer.name)
        wanted = Wanted(self._name(layer), template.body(), given, tags, new)
        return changes.prepare(self.account, wanted, self.run, command, self.pause)

    def _make(self, layer: Layer, watcher: Watcher) -> None:
        """One layer, until its stack is as wanted."""
        existing = self._settled(layer, watcher)
        template, given, missing = self._read(layer)
        if missing:
            said = f"layer {layer.name} takes an output of {missing} that is not there"
            raise errors.LayersInvalid(said, self.run)
        new = existing is None or existing.status == PLANNED
        try:
            made = self._prepared(layer, template, given, new, "up")
        except NotYet as error:
            raise errors.LayersInvalid(f"layer {layer.name}: {error}", self.run) from error
        watcher.begin(layer.name, "making" if new else "changing", len(made.changes))
        if made.changes:
            self._execute(layer, made, watcher)
        else:
            self._forget(layer, new)
        watcher.end(layer.name, self._state(made.stack_id) if made.changes else SAME)

    def _settled(self, layer: Layer, watcher: Watcher) -> Stack | None:
        """The layer's stack when nothing is under way any more, and without what an earlier try left."""
        existing = self._existing(layer, "up")
        if existing and existing.moving:
            list(stacks.follow(self.account, existing.id, set(), self.pause, begun=False))
            existing = self._existing(layer, "up")
        if existing and existing.status == UNDONE:
            self._delete(existing, watcher, "up")
            return None
        return existing

    def _execute(self, layer: Layer, made: ChangeSet, watcher: Watcher) -> None:
        seen = {event.id for event in stacks.events(self.account, made.stack_id)}
        client = self.account.client("cloudformation")
        client.execute_change_set(ChangeSetName=made.id, StackName=self._name(layer))
        happened = self._follow(layer.name, made.stack_id, seen, watcher)
        state = self._state(made.stack_id)
        if state in DONE:
            return
        failure = stacks.first_failure(happened)
        reason = f"{failure.resource}: {failure.reason}" if failure else state
        said = f"layer {layer.name}, {reason.rstrip('. ')}; the layer was rolled back, those before it are there"
        stuck = state in STUCK
        raise (errors.RollBackFailed if stuck else causes.of_reason(reason, errors.RolledBack))(said, self.run, "up")

    def _delete(self, stack: Stack, watcher: Watcher, command: str) -> None:
        """One stack of the run, until it is gone."""
        watcher.begin(stack.layer, "deleting", len(stacks.resources(self.account, stack.id)))
        if stack.moving and stack.status != "DELETE_IN_PROGRESS":
            list(stacks.follow(self.account, stack.id, set(), self.pause, begun=False))
        seen = {event.id for event in stacks.events(self.account, stack.id)}
        if stack.status != "DELETE_IN_PROGRESS":
            self.account.client("cloudformation").delete_stack(StackName=stack.id)
        happened = self._follow(stack.layer, stack.id, seen, watcher)
        state = self._state(stack.id)
        watcher.end(stack.layer, state)
        if state != GONE:
            failure = stacks.first_failure(happened)
            reason = f"{failure.resource}: {failure.reason}" if failure else state
            cause = causes.of_reason(reason, errors.DeleteFailed)
            raise cause(f"layer {stack.layer}, {reason}", self.run, command)

    def _follow(self, layer: str, stack_id: str, seen: set[str], watcher: Watcher) -> list[Event]:
        happened = []
        for event in stacks.follow(self.account, stack_id, seen, self.pause):
            happened.append(event)
            watcher.happened(layer, event)
        return happened

    def _state(self, stack_id: str) -> str:
        stack = stacks.find(self.account, stack_id)
        return stack.status if stack else GONE

    def _status(self) -> Status:
        found = [stack for stack in stacks.of_run(self.account, self.run) if not stack.nested]
        rows = [Row(stack, stacks.resources(self.account, stack.id)) for stack in found]
        return Status(self.run, self.account.told(), rows, leftovers.find(self.account, self.run))

    def _name(self, layer: Layer) -> str:
        return f"{self.run}-{layer.name}"
