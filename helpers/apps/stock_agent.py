"""The stock agent of a store: counts and discards goods, as asked in plain words. Discarding is for the gate to do."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from strands import ToolContext, tool
from strands.models import Model

from helpers.apps.agent_tool import MakeAgent, of_session, propose, site_model

if TYPE_CHECKING:
    from helpers.apps.stock import Stock

NAME = "ask_stock"
ABOUT = (
    "Ask the store's stock agent, in plain words: how much there is, or to discard goods. A person is asked before "
    "anything is discarded."
)
INSTRUCTIONS = "You keep a store's stock. Do what is asked with one tool, then tell its result in one sentence."


def stock_agent(stock: "Stock", model: Callable[[], Model] = site_model) -> MakeAgent:
    """What makes the agent of a session."""

    @tool
    def count_stock(sku: str) -> str:
        """How many pieces of an article the store has.

        Args:
            sku: Article number, for example GT-201.
        """
        article = stock.article(sku)
        return f"There are {article.quantity} pieces of {article.sku} {article.name}."

    @tool(context=True)
    def discard_stock(sku: str, quantity: int, reason: str, tool_context: ToolContext) -> str:
        """Discard pieces of an article.

        Args:
            sku: Article number, for example GT-201.
            quantity: How many pieces.
            reason: Why, in a few words.
        """
        return propose(tool_context, partial(stock.wanted, sku, quantity, reason))

    return of_session(model, INSTRUCTIONS, [count_stock, discard_stock])
