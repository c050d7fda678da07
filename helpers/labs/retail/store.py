"""A store of the lab, as tools over MCP: its stock, its sums of each week, and goods sent after its manager's approval.

    python -m helpers.labs.retail.store --store arnsee --port 8000

What the steps of the lab build, with the gate of notebook 09 around `send`. Receipts stay in this process.
"""

from pathlib import Path
from typing import Annotated

from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

from helpers.apps.command import parser, run
from helpers.apps.database import create, transaction
from helpers.apps.gate import GATED, Gate, Operation
from helpers.apps.gated import Arguments, Gated
from helpers.apps.inventory import Sku
from helpers.apps.retail import Refused, table
from helpers.apps.serving_mcp import serve_mcp
from helpers.labs.retail.season import FEWEST, STORES, WEEKS, Receipt, receipts
from helpers.settings import settings

SCHEMA = (
    "create table if not exists stock (sku text primary key, quantity integer check (quantity >= 0))",
    "create table if not exists sent (sku text, receiver text, quantity integer)",
)
Quantity = Annotated[int, Field(description="How many pieces", ge=1, le=500)]


class Approval(BaseModel):
    """Approve to send; the number may be lowered."""

    quantity: Quantity


class Sent(BaseModel):
    """What was sent."""

    sku: str
    to: str
    quantity: int
    left: int


class Shelves:
    """A store's stock and its receipts."""

    def __init__(self, folder: Path, store: str) -> None:
        self.path, self.store = folder / "shelves.sqlite", store
        self._sums = sums(receipts(store))
        rows = [(row["sku"], int(row["quantity"])) for row in table("inventory") if row["store"] == store]
        create(self.path, *SCHEMA)
        with transaction(self.path) as database:
            database.executemany("insert into stock values (?, ?) on conflict do nothing", rows)

    def count(self, sku: Sku) -> int:
        """How many pieces of an article the store has."""
        with transaction(self.path) as database:
            row = database.execute("select quantity from stock where sku = ?", [_number(sku)]).fetchone()
        if row is None:
            raise Refused(f"There is no article {sku!r}. Numbers look like GW-301.")
        return int(row[0])

    def weekly(self, sku: Sku) -> list[int | None]:
        """How many pieces of an article were sold in each of six weeks; None where that is not told."""
        self.count(sku)
        return self._sums.get(_number(sku), [0] * WEEKS)

    def possible(self, sku: str, to: str, quantity: int) -> None:
        """Whether goods could be sent now.

        Raises:
            Refused: there are not so many pieces, or the receiver is no other store.
        """
        if to not in STORES or to == self.store:
            raise Refused(f"{self.store} sends goods to no {to!r}. There are {', '.join(STORES)}.")
        if quantity > (there := self.count(sku)):
            raise Refused(f"{quantity} pieces of {sku} cannot be sent; there are {there}.")

    def send(self, given: Arguments, form: Approval) -> Sent:
        """Take pieces off the stock; whoever calls this has an approval.

        Raises:
            Refused: more was approved than asked for, or there are not so many any more.
        """
        if form.quantity > given["quantity"]:
            raise Refused(f"{form.quantity} pieces are more than were asked for; nothing was sent.")
        self.possible(given["sku"], given["to"], form.quantity)
        sku = _number(given["sku"])
        with transaction(self.path) as database:
            database.execute("update stock set quantity = quantity - ? where sku = ?", [form.quantity, sku])
            database.execute("insert into sent values (?, ?, ?)", [sku, given["to"], form.quantity])
        return Sent(sku=sku, to=given["to"], quantity=form.quantity, left=self.count(sku))


def sums(lines: list[Receipt]) -> dict[str, list[int | None]]:
    """Pieces of each article and week; None where 1 or 2 customers bought it."""
    told: dict[str, list[int | None]] = {}
    for sku in {line["sku"] for line in lines}:
        weeks = [[line for line in lines if (line["sku"], line["week"]) == (sku, week + 1)] for week in range(WEEKS)]
        few = [0 < len({line["card"] for line in own}) < FEWEST for own in weeks]
        told[sku] = [
            None if hidden else sum(line["quantity"] for line in own) for own, hidden in zip(weeks, few, strict=True)
        ]
    return told


def server(shelves: Shelves, gate: Gate) -> MCPServer:
    """The tools of a store."""
    made = MCPServer("store", instructions="Knows what a garden store has, and sends goods to other stores.")

    def question(given: Arguments) -> str:
        there = shelves.count(given["sku"])
        return f"Send {given['quantity']} of {there} pieces of {given['sku']} from {shelves.store} to {given['to']}?"

    gated = Gated("send", Approval, Sent, question, shelves.send)

    def opened(sku: Sku, to: str, quantity: Quantity, context: Context) -> Operation:
        shelves.possible(sku, to, quantity)
        return gate.open(context, gated.tool, sku=_number(sku), to=to, quantity=quantity)

    def asked(operation: Annotated[Operation, Resolve(opened)]) -> Elicit[BaseModel] | BaseModel | None:
        return gated.ask(operation)

    made.add_tool(shelves.count)
    made.add_tool(shelves.weekly)

    @made.tool(meta=GATED)
    def send(
        sku: Sku,
        to: Annotated[str, Field(description="The store that gets them")],
        quantity: Quantity,
        operation: Annotated[Operation, Resolve(opened)],
        answer: Annotated[ElicitationResult[Approval], Resolve(asked)],
    ) -> Sent:
        """Send pieces of an article to another store. The manager of this store is asked first."""
        return gated.run(operation, answer)

    return made


def main() -> None:
    """Serve one store."""
    arguments = parser(__doc__ or "", agent=False, asks=True)
    arguments.add_argument("--store", default=STORES[0], choices=STORES, help="which store (%(default)s)")
    given = arguments.parse_args()
    folder = settings().site_folder
    gate = Gate(folder / "gate", given.store, given.question_seconds)
    serve_mcp(server(Shelves(folder, given.store), gate), given, given.question_seconds)


def _number(sku: str) -> str:
    return sku.strip().upper()


if __name__ == "__main__":
    run(main)
