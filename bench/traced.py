"""What `bench.tracing` measures: calls of one kind, in a process that is traced where the settings say so.

python -m bench.traced gateway|a2a|agent [ADDRESS] [TOKEN or TOOL]

A line is a number of calls to make; the answer is a list of their milliseconds.
"""

import json
import sys
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

from strands import Agent, tool
from strands.agent.a2a_agent import A2AAgent

from bench import mcp_client
from bench.measure import milliseconds
from helpers.apps.command import run
from helpers.apps.peers import peer
from tests.scripted_model import ScriptedModel, text, use


class OneTool(ScriptedModel):
    """Asks for the tool, then answers."""

    async def stream(self, messages: Any, *_: object, **__: object) -> AsyncGenerator[Any]:  # noqa: ANN401
        done = any("toolResult" in block for block in messages[-1]["content"])
        yield {"messageStart": {"role": "assistant"}}
        for event in text("3 pieces") if done else use("1", "stock", {"sku": "GT-201"}):
            yield event
        yield {"messageStop": {"stopReason": "end_turn" if done else "tool_use"}}


@tool
def stock(sku: str) -> str:
    """The stock of an article."""
    return f"3 of {sku}"


def gateway(calls: int, url: str, name: str) -> list[float]:
    """Calls of a tool, in one session."""
    return list(mcp_client.calls(url, name, calls))


def a2a(calls: int, url: str, token: str) -> list[float]:
    """Questions to a peer that echoes."""
    asked = A2AAgent(url, client_config=peer(url, token))
    return [milliseconds(lambda: asked("echo hello")) for _ in range(calls)]


def agent(calls: int) -> list[float]:
    """Turns of an agent with a model from a script: it uses a tool and answers."""
    return [milliseconds(partial(_agent(), "How many?")) for _ in range(calls)]


def _agent() -> Agent:
    return Agent(OneTool(), name="bench", tools=[stock], callback_handler=None)


KINDS: dict[str, Callable[..., list[float]]] = {"gateway": gateway, "a2a": a2a, "agent": agent}


def main() -> None:
    """Make calls, as many as each line says."""
    kind, *given = sys.argv[1:]
    for line in sys.stdin:
        print(json.dumps(KINDS[kind](int(line), *given)), flush=True)


if __name__ == "__main__":
    run(main)
