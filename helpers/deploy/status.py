"""What is there of a run."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from helpers.deploy.leftovers import LeftOver
from helpers.deploy.stacks import Stack

SKIPPED = "skipped by this Region"


@dataclass(frozen=True)
class Row:
    """A stack and its resources."""

    stack: Stack
    resources: list[dict[str, Any]]

    @property
    def skipped(self) -> dict[str, str]:
        """The types, by name, of resources that have no id: what the laptop's Region cannot make."""
        told = [one for one in self.resources if not one.get("PhysicalResourceId")]
        return {one["LogicalResourceId"]: one["ResourceType"] for one in told}


@dataclass(frozen=True)
class Status:
    """The stacks of a run, in the order in which they were made, and all that is there by their tags."""

    run: str
    where: str
    rows: list[Row]
    there: list[LeftOver]

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of all stacks, as `layer.Output`."""
        found = [(row.stack.layer, row.stack.outputs) for row in self.rows]
        return {f"{layer}.{name}": value for layer, told in found for name, value in told.items()}

    @property
    def skipped(self) -> dict[str, int]:
        """How many resources of each type were skipped, since this Region does not have them; none on AWS."""
        return dict(Counter(kind for row in self.rows for kind in row.skipped.values()))

    def frame(self) -> pd.DataFrame:
        """A row a stack: layer, stack, state, resources, skipped, since."""
        rows = [
            (row.stack.layer, row.stack.name, row.stack.status, len(row.resources), len(row.skipped), row.stack.made)
            for row in self.rows
        ]
        return pd.DataFrame(rows, columns=["layer", "stack", "state", "resources", "skipped", "since"])

    def print(self, console: Console | None = None) -> None:
        """The stacks as a table."""
        console = console or Console()
        if not self.there:
            console.print(f"Nothing of run {self.run} is there, on {self.where}.", highlight=False)
            return
        table = Table(
            "layer", "stack", "state", "resources", SKIPPED, "since", title=f"Run {self.run}, on {self.where}"
        )
        for column in table.columns:
            column.overflow = "fold"
        for row in self.frame().itertuples(index=False):
            table.add_row(*row[:3], str(row[3]), str(row[4]), f"{row[5]:%Y-%m-%d %H:%M}")
        console.print(table)
        if self.skipped:
            counted = ", ".join(f"{kind} ({count})" for kind, count in self.skipped.items())
            console.print(f"{SKIPPED.capitalize()}, which does not have them: {counted}", highlight=False, markup=False)
        if not self.rows:  # with stacks, what is there is theirs
            left = map(str, self.there)
            console.print("Left behind, outside any stack:", *left, sep="\n", highlight=False, markup=False)
        console.print(f"To stop paying: python -m helpers.deploy down --name {self.run}", highlight=False)
