"""The factory's maintenance, as tools over MCP: a line is stopped only if a person says so, and at most once.

    python -m helpers.apps.maintenance --port 8000

What is wrong with a line is for the caller's model to say: `diagnose` asks it, through sampling.
"""

from collections.abc import Callable
from typing import Annotated

import anyio
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from mcp_types import CreateMessageResult, SamplingMessage, TextContent
from pydantic import BaseModel
from strands.models import Model

from helpers.apps.agent_tool import AgentTool, site_model
from helpers.apps.command import parser, run
from helpers.apps.gate import GATED, Gate, Operation
from helpers.apps.gated import Arguments, Gated, Reason
from helpers.apps.lines import Findings, Line, LineName, Lines, Minutes, Stop, Stopped
from helpers.apps.maintenance_agent import ABOUT, NAME, maintenance_agent
from helpers.apps.retail import Refused
from helpers.apps.serving_mcp import serve_mcp
from helpers.settings import settings

SITE = "factory"
ENGINEER = "You are a maintenance engineer. Say in one sentence which machine needs attention first, and why."


class Diagnosis(BaseModel):
    """What the caller's model makes of the readings of a line."""

    line: str
    said: str
    model: str


def stopping(lines: Lines) -> Gated[Stop, Stopped]:
    """The gated operation."""

    def question(given: Arguments) -> str:
        machines = ", ".join(lines.line(given["line"]).machines)
        text = f"Stop the line {given['line']} ({machines}) for {given['minutes']} minutes?"
        return f"{text} Reason: {given['reason'].rstrip('.')}."

    def work(given: Arguments, form: Stop) -> Stopped:
        return lines.stop(given["line"], form.minutes, form.reason)

    return Gated("stop_line", Stop, Stopped, question, work)


class Maintenance:
    """The tools that need no approval. `pause` is how long the inspection of a machine takes, in seconds."""

    def __init__(self, lines: Lines, pause: float = 0) -> None:
        self.lines, self.pause = lines, pause

    def list_lines(self) -> list[Line]:
        """The production lines of the factory, their machines, and whether they stand still."""
        return self.lines.all()

    async def inspect(self, line: LineName, context: Context) -> list[Findings]:
        """Inspect the machines of a line, one after the other: what they measure and what was beyond its limit."""
        machines, found = self.lines.line(line).machines, list[Findings]()
        for number, machine in enumerate(machines, 1):
            await anyio.sleep(self.pause)
            found.append(self.lines.findings(machine))
            text = f"{machine}: {len(found[-1].anomalies)} quantities were beyond their limit"
            await context.info(text)  # only sent to callers that ask for logs
            await context.report_progress(number, len(machines), f"{machine} inspected")
        return found

    def readings(self, line: str) -> str:
        """What is known of a line's machines, one a line of text."""
        return "\n".join(_in_words(self.lines.findings(machine)) for machine in self.lines.line(line).machines)


def server(lines: Lines, gate: Gate, model: Callable[[], Model] = site_model, pause: float = 0) -> MCPServer:
    """The tools; `model` makes that of the agent."""
    made = MCPServer("maintenance", instructions="Looks after the lines of the furniture factory.")
    maintenance, gated = Maintenance(lines, pause), stopping(lines)
    made.add_tool(maintenance.list_lines)
    made.add_tool(maintenance.inspect)

    def sampled(line: LineName) -> Sample:
        text = TextContent(type="text", text=maintenance.readings(line))
        return Sample([SamplingMessage(role="user", content=text)], max_tokens=120, system_prompt=ENGINEER)

    @made.tool()
    def diagnose(line: LineName, reply: Annotated[CreateMessageResult, Resolve(sampled)]) -> Diagnosis:
        """Say what is wrong with a line. The caller's own model is asked, with the readings of the machines."""
        if not isinstance(reply.content, TextContent):
            raise Refused("The model that was asked answered with something else than text. Use one that writes text.")
        return Diagnosis(line=lines.line(line).line, said=reply.content.text, model=reply.model)

    def opened(line: LineName, minutes: Minutes, reason: Reason, context: Context) -> Operation:
        name = lines.line(line).line
        return gate.open(context, gated.tool, line=name, minutes=minutes, reason=reason)

    def asked(operation: Annotated[Operation, Resolve(opened)]) -> Elicit[BaseModel] | BaseModel | None:
        return gated.ask(operation)

    @made.tool(meta=GATED)
    def stop_line(
        line: LineName,
        minutes: Minutes,
        reason: Reason,
        operation: Annotated[Operation, Resolve(opened)],
        answer: Annotated[ElicitationResult[Stop], Resolve(asked)],
    ) -> Stopped:
        """Stop a line for some minutes. A person is asked first, and may correct them."""
        return gated.run(operation, answer)

    AgentTool(gate.path.parent / "agent", gate, gated, maintenance_agent(lines, model)).add_to(made, NAME, ABOUT)
    return made


def _in_words(found: Findings) -> str:
    at = found.latest
    beyond = [
        f"{anomaly.quantity} beyond its limit {anomaly.limit:g} since {anomaly.first}, highest {anomaly.highest:g}"
        for anomaly in found.anomalies
    ]
    now = f"{at.machine} ({at.state}): {at.temperature_c:g} °C, {at.vibration_mm_s:g} mm/s at {at.at}"
    return f"{now}; {'; '.join(beyond) or 'within its limits'}"


def main() -> None:
    arguments = parser(__doc__ or "", agent=False, asks=True)
    help = "how long the inspection of one machine takes (%(default)g)"
    arguments.add_argument("--pause", type=float, default=0, metavar="SECONDS", help=help)
    given = arguments.parse_args()
    folder = settings().site_folder
    gate = Gate(folder / "gate", SITE, given.question_seconds)
    serve_mcp(server(Lines(folder), gate, pause=given.pause), given, given.question_seconds)


if __name__ == "__main__":
    run(main)
