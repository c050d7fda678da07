"""A store's stock, as tools over MCP: goods are discarded only if a person says so, and at most once.

python -m helpers.apps.stock --port 8000
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field
from strands.models import Model

from helpers.apps.agent_tool import AgentTool, site_model
from helpers.apps.command import parser, run
from helpers.apps.database import create, transaction
from helpers.apps.gate import GATED, Gate, Operation
from helpers.apps.gated import Arguments, Gated, Reason
from helpers.apps.inventory import Article, Sku
from helpers.apps.retail import Refused, table
from helpers.apps.serving_mcp import serve_mcp
from helpers.apps.stock_agent import ABOUT, NAME, stock_agent
from helpers.settings import settings

STORE = "falkenried"
SCHEMA = (
    "create table if not exists stock (sku text primary key, name text, quantity integer check (quantity >= 0))",
    "create table if not exists discarded (sku text, quantity integer, reason text, at real)",
)
MOST = 500  # pieces that one operation may discard
Quantity = Annotated[int, Field(description="How many pieces", ge=1, le=MOST)]


class Counted(Article):
    """An article, and how many pieces the store has."""

    quantity: int


class Discard(BaseModel):
    """Approve to discard; the number and the reason may be corrected first."""

    quantity: Quantity
    reason: Reason


class Wanted(Discard):
    """What an agent may ask for."""

    sku: Sku


class Discarded(BaseModel):
    """What was discarded, and how many pieces are left."""

    sku: str
    quantity: int
    reason: str
    left: int

    def __str__(self) -> str:
        return f"{self.quantity} pieces of {self.sku} were discarded; {self.left} are left."


class Stock:
    """The store's stock, in a database of its own."""

    def __init__(self, folder: Path, store: str = STORE) -> None:
        self.path, self.store = folder / "stock.sqlite", store
        rows = [(row["sku"], row["name"], int(row["quantity"])) for row in table("inventory") if row["store"] == store]
        create(self.path, *SCHEMA)
        with transaction(self.path) as database:
            database.executemany("insert into stock values (?, ?, ?) on conflict do nothing", rows)

    def article(self, sku: str) -> Counted:
        """An article.

        Raises:
            Refused: the store has no such article.
        """
        with transaction(self.path) as database:
            return self._article(database, sku)

    def wanted(self, sku: str, quantity: int, reason: str) -> dict[str, Any]:
        """The arguments of an operation that could be carried out now.

        Raises:
            ValueError: they break their types.
            Refused: there are not so many pieces, or no such article.
        """
        wanted = Wanted(sku=sku, quantity=quantity, reason=reason)
        with transaction(self.path) as database:
            article = self._enough(database, wanted.sku, wanted.quantity)
        return wanted.model_dump() | {"sku": article.sku}

    def discard(self, sku: str, quantity: int, reason: str) -> Discarded:
        """Take pieces off the stock; whoever calls this has an approval.

        Raises:
            Refused: there are not so many pieces, or no such article.
        """
        with transaction(self.path) as database:
            article = self._enough(database, sku, quantity)
            database.execute("update stock set quantity = quantity - ? where sku = ?", [quantity, article.sku])
            database.execute("insert into discarded values (?, ?, ?, ?)", [article.sku, quantity, reason, time.time()])
        return Discarded(sku=article.sku, quantity=quantity, reason=reason, left=article.quantity - quantity)

    def _enough(self, database: sqlite3.Connection, sku: str, quantity: int) -> Counted:
        article = self._article(database, sku)
        if not 0 < quantity <= article.quantity:
            raise Refused(f"{quantity} pieces of {article.sku} cannot be discarded; there are {article.quantity}.")
        return article

    def _article(self, database: sqlite3.Connection, sku: str) -> Counted:
        row = database.execute("select * from stock where sku = ?", [sku.strip().upper()]).fetchone()
        if row is None:
            raise Refused(f"{self.store} has no article {sku!r}. Numbers look like GT-201.")
        return Counted(sku=row[0], name=row[1], quantity=row[2])


def discarding(stock: Stock) -> Gated[Discard, Discarded]:
    """The gated operation."""

    def question(given: Arguments) -> str:
        article = stock.article(given["sku"])
        text = f"Discard {given['quantity']} of {article.quantity} pieces of {article.sku} {article.name}?"
        return f"{text} Reason: {given['reason'].rstrip('.')}."

    def work(given: Arguments, form: Discard) -> Discarded:
        return stock.discard(given["sku"], form.quantity, form.reason)

    return Gated("discard_stock", Discard, Discarded, question, work)


def server(stock: Stock, gate: Gate, model: Callable[[], Model] = site_model) -> MCPServer:
    """The tools; `model` makes that of the agent."""
    made = MCPServer("stock", instructions="Keeps the stock of a garden store.")
    gated = discarding(stock)

    def opened(sku: Sku, quantity: Quantity, reason: Reason, context: Context) -> Operation:
        article = stock.article(sku)
        return gate.open(context, gated.tool, sku=article.sku, quantity=quantity, reason=reason)

    def asked(operation: Annotated[Operation, Resolve(opened)]) -> Elicit[BaseModel] | BaseModel | None:
        return gated.ask(operation)

    @made.tool()
    def count_stock(sku: Sku) -> Counted:
        """How many pieces of an article the store has."""
        return stock.article(sku)

    @made.tool(meta=GATED)
    def discard_stock(
        sku: Sku,
        quantity: Quantity,
        reason: Reason,
        operation: Annotated[Operation, Resolve(opened)],
        answer: Annotated[ElicitationResult[Discard], Resolve(asked)],
    ) -> Discarded:
        """Discard pieces of an article. A person is asked first, and may correct the number."""
        return gated.run(operation, answer)

    AgentTool(gate.path.parent / "agent", gate, gated, stock_agent(stock, model)).add_to(made, NAME, ABOUT)
    return made


def main() -> None:
    arguments = parser(__doc__ or "", agent=False, asks=True)
    arguments.add_argument("--store", default=STORE, help="which store (%(default)s)")
    given = arguments.parse_args()
    folder = settings().site_folder
    gate = Gate(folder / "gate", given.store, given.question_seconds)
    serve_mcp(server(Stock(folder, given.store), gate), given, given.question_seconds)


if __name__ == "__main__":
    run(main)
