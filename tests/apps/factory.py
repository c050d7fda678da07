"""A factory whose maintenance agent follows a script, called by the MCP SDK's own client."""

import asyncio
import sqlite3
from contextlib import closing

import mcp_types

from helpers.apps.gate import Gate
from helpers.apps.lines import Lines
from helpers.apps.maintenance import Maintenance, server
from tests.apps.agents import Scripted
from tests.apps.gated import call, events

WANTED = {"line": "cutting", "minutes": 30, "reason": "blade"}
PROPOSAL = ("stop_line", WANTED)
REQUEST = "Stop the cutting line for 30 minutes, the blade is dull."


class Factory:
    """The program's parts in a folder; each `Factory` of one folder is the program started again."""

    def __init__(self, folder, *turns, pause=0):
        self.lines, self.gate = Lines(folder), Gate(folder / "gate", "factory", 60)
        self.asked = folder / "asked"
        self.server = server(self.lines, self.gate, lambda: Scripted(turns or [[PROPOSAL]], self.asked), pause)
        self.readings = Maintenance(self.lines).readings

    def call(self, answer, mode, operation=None):
        return asyncio.run(call(self.server, "stop_line", WANTED, answer, mode, operation))

    def ask(self, answer, mode, operation=None):
        return asyncio.run(call(self.server, "ask_maintenance", {"request": REQUEST}, answer, mode, operation))

    def stops(self):
        """For how many minutes each operation that was carried out stopped a line."""
        with closing(sqlite3.connect(self.lines.path)) as database:
            return [minutes for (minutes,) in database.execute("select minutes from stops")]

    def events(self):
        """What its log says."""
        return events(self.gate.log)

    def turns(self):
        """How often the model was asked."""
        return len(self.asked.read_text().splitlines())


def accept(**content):
    """An approval."""
    return mcp_types.ElicitResult(action="accept", content={"minutes": 30, "reason": "blade"} | content)
