"""Agents that are tools, with a model from a script, called by the MCP SDK's own client."""

import asyncio
import json

from helpers.apps.gate import Gate
from helpers.apps.stock import Stock, server
from tests.apps import gated
from tests.scripted_model import ScriptedModel, text, use

REQUEST = "Two spades GT-201 have broken handles, discard them."
DISCARD = ("discard_stock", gated.WANTED)


class Scripted(ScriptedModel):
    """A turn is text, or calls of tools; after the last one it says what the tools said. Each turn is put down."""

    def __init__(self, turns, asked):
        self.turns, self.asked = turns, asked

    async def stream(self, messages, tool_specs=None, system_prompt=None, **options):
        with self.asked.open("a") as file:
            file.write(json.dumps(messages[0]["content"][0]["text"]) + "\n")
        number = sum(message["role"] == "assistant" for message in messages)
        turn = self.turns[number] if number < len(self.turns) else results(messages[-1])
        yield {"messageStart": {"role": "assistant"}}
        for index, block in enumerate([turn] if isinstance(turn, str) else turn):
            for event in text(block) if isinstance(block, str) else use(f"t{number}-{index}", *block):
                yield event
        yield {"messageStop": {"stopReason": "end_turn" if isinstance(turn, str) else "tool_use"}}


def results(message):
    return " ".join(block["toolResult"]["content"][0]["text"] for block in message["content"] if "toolResult" in block)


class AgentStore(gated.Store):
    """A store whose agent follows a script; each one of a folder is the program started again."""

    def __init__(self, folder, *turns, seconds=60):
        self.stock, self.gate = Stock(folder), Gate(folder / "gate", "falkenried", seconds)
        self.asked = folder / "asked"
        self.sessions = folder / "gate/agent/sessions"
        self.server = server(self.stock, self.gate, lambda: Scripted(turns or [[DISCARD]], self.asked))

    def ask(self, answer, mode, operation=None, request=REQUEST):
        """What comes of a request, and what was asked."""
        return asyncio.run(gated.call(self.server, "ask_stock", {"request": request}, answer, mode, operation))

    def turns(self):
        """How often the model was asked."""
        return len(self.asked.read_text().splitlines()) if self.asked.exists() else 0
