"""Watching a deployment: bars in a terminal or a notebook, or nothing."""

from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from helpers.deploy.stacks import Event

ENDS = ("_COMPLETE", "_FAILED", "_SKIPPED")


class Watcher(Protocol):
    """What is told while stacks are made or deleted."""

    def begin(self, layer: str, what: str, total: int) -> None:
        """An operation begins on a layer, of `total` resources."""

    def happened(self, layer: str, event: Event) -> None:
        """Something happened to one of them."""

    def end(self, layer: str, status: str) -> None:
        """The layer's stack is in this state, and stays there."""


class Silent:
    """Tells nobody."""

    def begin(self, layer: str, what: str, total: int) -> None:
        """Nothing."""

    def happened(self, layer: str, event: Event) -> None:
        """Nothing."""

    def end(self, layer: str, status: str) -> None:
        """Nothing."""


class Bars:
    """A bar for each layer, and a line for each failure; use it in a `with`."""

    def __init__(self, console: Console | None = None) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, TextColumn("{task.fields[now]}", markup=False), console=console)
        self.tasks: dict[str, TaskID] = {}
        self.done: dict[str, set[str]] = {}

    def __enter__(self) -> "Bars":
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def begin(self, layer: str, what: str, total: int) -> None:
        """A new bar."""
        self.tasks[layer] = self.progress.add_task(f"{what} {layer}", total=total or None, now="")
        self.done[layer] = set()

    def happened(self, layer: str, event: Event) -> None:
        """Forward by one for each resource that is done."""
        if event.status.endswith("_FAILED"):
            self.progress.console.print(f"{layer}: {event.resource} {event.status}: {event.reason}", markup=False)
        if event.of_stack:
            return
        if event.status.endswith(ENDS):
            self.done[layer].add(event.resource)
        self.progress.update(
            self.tasks[layer], completed=len(self.done[layer]), now=f"{event.resource} {event.status.lower()}"
        )

    def end(self, layer: str, status: str) -> None:
        """The bar is full, and says how it ended."""
        total = self.progress.tasks[self.progress.task_ids.index(self.tasks[layer])].total or len(self.done[layer])
        self.progress.update(self.tasks[layer], total=total or 1, completed=total or 1, now=status.lower())
