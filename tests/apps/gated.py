"""A store with a gate, called by the MCP SDK's own client, in this process and in one of its own."""

import asyncio
import sqlite3
from contextlib import closing

import mcp_types
from mcp.client import Client

from helpers.apps.gate import OPERATION, Gate
from helpers.apps.stock import Stock, server

WANTED = {"sku": "GT-201", "quantity": 2, "reason": "broken handles"}


class Store:
    """The program's parts in a folder; each `Store` of one folder is the program started again."""

    def __init__(self, folder, seconds=60):
        self.folder = folder
        self.stock, self.gate = Stock(folder), Gate(folder / "gate", "falkenried", seconds)
        self.server = server(self.stock, self.gate)

    def call(self, answer, mode, operation=None, **changed):
        """What comes of a call, and what was asked; `answer` is that of the person, or a function of the question."""
        return asyncio.run(call(self.server, "discard_stock", WANTED | changed, answer, mode, operation))

    def discarded(self):
        """How many pieces each operation that was carried out took."""
        with closing(sqlite3.connect(self.stock.path)) as database:
            return [quantity for (quantity,) in database.execute("select quantity from discarded")]

    def events(self):
        """What its log says."""
        return events(self.gate.log)


async def call(server, name, arguments, answer, mode, operation):
    """What comes of a call, and what was asked."""
    asked = []

    async def elicit(context, params):
        asked.append(params)
        return await answer(params) if callable(answer) else answer

    async with Client(server, mode=mode, elicitation_callback=elicit) as client:
        meta = {OPERATION: operation} if operation else None
        return await client.call_tool(name, arguments, meta=meta), asked


def events(log):
    """What a log says."""
    return [entry.event for entry in log.entries()]


def accept(**content):
    """An approval."""
    return mcp_types.ElicitResult(action="accept", content={"quantity": 2, "reason": "broken handles"} | content)


DECLINE, CANCEL = (mcp_types.ElicitResult(action=action) for action in ("decline", "cancel"))
