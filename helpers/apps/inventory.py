"""The stores' inventory, as tools over MCP: what there is, what runs low, and goods sent from one store to another.

    python -m helpers.apps.inventory --port 8000

Transfers change the numbers in memory: when the program is started anew, they are as in the file.
"""

import json
from threading import Lock
from typing import Annotated

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

from helpers.apps.command import parser, run
from helpers.apps.retail import Refused, table
from helpers.apps.serving_mcp import serve_mcp

Sku = Annotated[str, Field(description="Article number, for example GT-201")]
Store = Annotated[str, Field(description="Name of a store, for example falkenried")]


class Article(BaseModel):
    """An article that the stores sell."""

    sku: str
    name: str


class Stock(Article):
    """How much of an article a store has, and where it lies."""

    store: str
    quantity: int
    shelf: str
    reorder_level: int


class Transfer(BaseModel):
    """A transfer that was made, and what both stores have now."""

    sku: str
    quantity: int
    sender: Stock
    receiver: Stock


class Inventory:
    """The tools, over the table."""

    def __init__(self) -> None:
        lines = [Stock.model_validate(row) for row in table("inventory")]
        self.lines = {(line.sku, line.store): line for line in lines}
        self.stores = sorted({line.store for line in lines})
        self._writing = Lock()  # tools run in threads

    def find_article(
        self, text: Annotated[str, Field(description="A part of the article's name, or of its number")]
    ) -> list[Article]:
        """Look up articles of the stores, with their numbers, by a part of the name."""
        wanted = text.strip().lower()
        articles = {line.sku: line.name for line in self.lines.values()}
        return [Article(sku=sku, name=name) for sku, name in articles.items() if wanted in f"{sku} {name}".lower()]

    def stock(self, sku: Sku, store: Store) -> Stock:
        """The stock of an article in a store: how many pieces, on which shelf, and below which number to reorder."""
        return self._line(sku, store).model_copy()

    def low_stock(self, store: Store) -> list[Stock]:
        """Articles that run low in a store: there are fewer pieces than their reorder level."""
        return [line for line in self.of(store) if line.quantity < line.reorder_level]

    def transfer(
        self,
        sku: Sku,
        from_store: Store,
        to_store: Store,
        quantity: Annotated[int, Field(description="How many pieces")],
    ) -> Transfer:
        """Send pieces of an article from one store to another; the stock of both is changed."""
        sender, receiver = self._line(sku, from_store), self._line(sku, to_store)
        if sender is receiver:
            raise Refused(f"The goods are in {sender.store} already. Name another store to send them to.")
        with self._writing:
            if not 0 < quantity <= sender.quantity:
                raise Refused(
                    f"{quantity} pieces cannot be sent; {sender.store} has {sender.quantity} of {sender.sku}."
                )
            sender.quantity -= quantity
            receiver.quantity += quantity
            now = sender.model_copy(), receiver.model_copy()
        return Transfer(sku=sender.sku, quantity=quantity, sender=now[0], receiver=now[1])

    def of(self, store: str) -> list[Stock]:
        """All that a store has."""
        name = self._store(store)
        return [line.model_copy() for line in self.lines.values() if line.store == name]

    def _line(self, sku: str, store: str) -> Stock:
        line = self.lines.get((sku.strip().upper(), self._store(store)))
        if line is None:
            raise Refused(f"There is no article {sku!r}. Look for its number with find_article.")
        return line

    def _store(self, name: str) -> str:
        plain = name.strip().lower()
        if plain not in self.stores:
            raise Refused(f"There is no store {name!r}. There are {', '.join(self.stores)}.")
        return plain


def server(inventory: Inventory) -> MCPServer:
    """The tools, a prompt, and what can be read."""
    made = MCPServer("inventory", instructions="Knows what the stores have, and sends goods from one to another.")
    for tool in (inventory.find_article, inventory.stock, inventory.low_stock, inventory.transfer):
        made.add_tool(tool)

    @made.prompt()
    def reorder_note(store: str) -> str:
        """A note to the purchasing department on what a store is to reorder."""
        return (
            f"Look up with low_stock what runs low in the store {store}. Write a note to the purchasing department: a "
            "line for each article with its number, its name, what is left, and how many pieces bring it to twice its "
            "reorder level."
        )

    @made.resource("inventory://stores", mime_type="application/json")
    def stores() -> str:
        """The names of the stores."""
        return json.dumps(inventory.stores)

    @made.resource("inventory://stores/{store}", mime_type="application/json")
    def stock_of(store: str) -> str:
        """All that a store has."""
        return json.dumps([line.model_dump() for line in inventory.of(store)])

    return made


def main() -> None:
    given = parser(__doc__ or "", agent=False).parse_args()
    serve_mcp(server(Inventory()), given)


if __name__ == "__main__":
    run(main)
