"""What a deployment would change, in words, and what it would cost an hour."""

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd
from rich.console import Console
from rich.table import Table

from helpers.deploy.prices import HOURS, Price, prices

WORDS = {"Add": "make", "Modify": "change", "Remove": "delete", "Import": "take over", "Dynamic": "perhaps change"}
NEW, CHANGED, SAME = "new", "changed", "as it is"


@dataclass(frozen=True)
class Change:
    """One resource: `action` is CloudFormation's word; `replaced` when a change makes it anew."""

    action: str
    name: str
    type: str
    replaced: bool = False

    def __str__(self) -> str:
        again = ", which replaces it" if self.replaced else ""
        return f"{WORDS.get(self.action, self.action.lower())} {self.name} ({self.type}){again}"


@dataclass(frozen=True)
class LayerPlan:
    """What one layer's stack comes to. `after` names the layer that must be there before AWS can tell more."""

    layer: str
    stack: str
    state: str
    changes: list[Change]
    costs: dict[str, Price]
    after: str = ""

    @property
    def usd(self) -> float:
        """The cost of an hour, of what has a price."""
        return sum(price.usd or 0.0 for price in self.costs.values())

    @property
    def unpriced(self) -> dict[str, str]:
        """Resources that the table has no price for, with the reason."""
        return {name: price.words for name, price in self.costs.items() if price.usd is None}

    def __str__(self) -> str:
        counted = Counter(WORDS.get(change.action, change.action) for change in self.changes)
        what = ", ".join(f"{word} {count}" for word, count in counted.items()) or "nothing to do"
        return f"{self.layer} ({self.state}): {what}; {money(self.usd)} an hour"


@dataclass(frozen=True)
class Plan:
    """All layers of a run."""

    run: str
    where: str
    layers: list[LayerPlan]
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def usd(self) -> float:
        """The cost of an hour, in US dollars, when all is there; resources without a price are not in it."""
        return sum(layer.usd for layer in self.layers)

    @property
    def changes(self) -> int:
        """How many resources are made, changed or deleted."""
        return sum(len(layer.changes) for layer in self.layers)

    @property
    def unpriced(self) -> dict[str, str]:
        """Resources that the table has no price for, as layer.name, with the reason."""
        return {f"{layer.layer}.{name}": why for layer in self.layers for name, why in layer.unpriced.items()}

    def frame(self) -> pd.DataFrame:
        """A row a resource: layer, does, resource, type, usd_per_hour, what."""
        rows = []
        for layer in self.layers:
            done = {change.name: WORDS.get(change.action, change.action) for change in layer.changes}
            kinds = {change.name: change.type for change in layer.changes}
            for name in dict.fromkeys([*done, *layer.costs]):
                cost = layer.costs.get(name, Price(0.0, ""))
                rows.append((layer.layer, done.get(name, "keep"), name, kinds.get(name, ""), cost.usd, cost.words))
        return pd.DataFrame(rows, columns=["layer", "does", "resource", "type", "usd_per_hour", "what"])

    def cost(self) -> str:
        """The price in a sentence, with what is not in it."""
        missing = len(self.unpriced)
        table = prices()
        text = f"When all is there it costs {money(self.usd)} an hour, {money(self.usd * HOURS)} a month"
        text += f" (list prices of {table.date} for {table.region})."
        if missing:
            text += f" {missing} resource{'s have' if missing > 1 else ' has'} no price in the table: see `unpriced`."
        return " ".join([text, *table.notes])

    def __str__(self) -> str:
        lines = [f"Run {self.run}, on {self.where}.", ""]
        for layer in self.layers:
            lines += [str(layer), *(f"  {change}" for change in layer.changes)]
            lines += [f"  told from the template: AWS can say more once {layer.after} is there"] if layer.after else []
            lines += [f"  no price: {name}: {why}" for name, why in layer.unpriced.items()]
        lines += [f"{name}: left out, {why}" for name, why in self.left_out.items()]
        return "\n".join([*lines, *self.notes, "", self.cost()])

    def print(self, console: Console | None = None) -> None:
        """The plan as a table, and its cost."""
        shown = Table("layer", "does", "resource", "type", "USD an hour", "what", title=f"Run {self.run}: the plan")
        for row in self.frame().itertuples(index=False):
            usd = "?" if pd.isna(row[4]) else f"{row[4]:.4f}" if row[4] else ""
            shown.add_row(*row[:4], usd, row[5])
        console = console or Console()
        console.print(f"On {self.where}.", shown, highlight=False)
        for line in [*(f"{name} is left out: {why}" for name, why in self.left_out.items()), *self.notes, self.cost()]:
            console.print(line, highlight=False, markup=False)


def money(usd: float) -> str:
    """An amount, to be read."""
    return f"${usd:,.2f}" if usd >= 10 or not usd else f"${usd:,.4f}".rstrip("0").rstrip(".")
