"""What runs at a factory: the learner's own cells, as an agent over A2A that reports, or as tools over MCP that stop.

    python -m helpers.labs.manufacturing.program --cells cells.py --factory tannau --serve reports

The agent's model is a script: it calls the one tool that it has, and says what that returned.
"""

import json
from collections.abc import AsyncIterable
from inspect import getsource
from pathlib import Path
from typing import Any

from opentelemetry.trace import get_tracer
from strands import Agent, tool
from strands.models import Model
from strands.multiagent.a2a import A2AServer

from helpers.apps.command import parser, run
from helpers.apps.serving_a2a import serve
from helpers.apps.serving_mcp import serve_mcp
from helpers.labs.manufacturing.driving import through_mcp
from helpers.labs.manufacturing.plants import FACTORIES, LIMIT, readings
from helpers.labs.steps import plan
from helpers.settings import settings

REPORT = "report"
STOPS = "stops.jsonl"  # in the folder of the site


def deploy(path: Path, *functions: Any) -> Path:  # noqa: ANN401
    """Write the source of functions that stand in the cells of a notebook to `path`, as a factory runs them.

    Raises:
        OSError: a function has no source, or the file cannot be written.
    """
    path.write_text("\n\n".join([plan("manufacturing").setup, *map(getsource, functions)]), encoding="utf-8")
    return path


class Reporter(Model):
    """A model from a script: one call of the tool, then the words of the tool."""

    def update_config(self, **_: Any) -> None:  # noqa: ANN401
        """There is nothing to set."""

    def get_config(self) -> dict[str, Any]:
        """The name, which is nobody's."""
        return {"model_id": "scripted"}

    def structured_output(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401
        """Not asked for."""
        raise TypeError("this model answers in text")

    async def stream(self, messages: Any, *_: Any, **__: Any) -> AsyncIterable[Any]:  # noqa: ANN401
        """One turn."""
        told = [block["toolResult"]["content"][0]["text"] for block in messages[-1]["content"] if "toolResult" in block]
        yield {"messageStart": {"role": "assistant"}}
        if told:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": told[0]}}}
        else:
            yield {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "1", "name": REPORT}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn" if told else "tool_use"}}


def agent_of(factory: str, cells: dict[str, Any]) -> A2AServer:
    """The agent of a factory, over the learner's MCP server in the same process."""
    served = through_mcp(cells["factory_server"])
    given = [factory, readings(factory), LIMIT, cells["hours_left"]]

    @tool
    async def report() -> str:
        """What the factory's machines say of their bearings, as JSON."""
        (names,) = (await served(given, [{"tool": "machines", "arguments": {}}]))["results"]
        calls = [{"tool": "summary", "arguments": {"machine": name}} for name in names["data"]["result"]]
        found = [one["data"] for one in (await served(given, calls))["results"]]
        return json.dumps([one.get("result", one) for one in found])

    def agent(_: str) -> Agent:
        about = "Knows which bearings of this factory wear, and when they will be worn out."
        return Agent(Reporter(), name=factory, description=about, tools=[report], callback_handler=None)

    return A2AServer(agent_factory=agent, enable_a2a_compliant_streaming=True)


def stop(line: str, minutes: int) -> None:
    """Stop a line: in this factory (fiction), a line in a file, and a span."""
    with get_tracer("line").start_as_current_span("stop"), (settings().site_folder / STOPS).open("a") as file:
        file.write(json.dumps({"line": line, "minutes": minutes}) + "\n")


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--cells", type=Path, required=True, help="a file that `deploy` has written")
    arguments.add_argument("--factory", choices=FACTORIES, required=True)
    arguments.add_argument("--serve", choices=["reports", "stops"], required=True)
    given = arguments.parse_args()
    cells: dict[str, Any] = {"__name__": "cells"}
    exec(compile(given.cells.read_text("utf-8"), given.cells, "exec"), cells)  # noqa: S102 - the learner's own code
    if given.serve == "reports":
        serve(agent_of(given.factory, cells), given)
    else:
        serve_mcp(cells["stop_server"](stop), given)


if __name__ == "__main__":
    run(main)
