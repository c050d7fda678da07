"""The maintenance agent of the factory: looks at lines and has them stopped, as asked in plain words."""

from collections.abc import Callable
from functools import partial

from strands import ToolContext, tool
from strands.models import Model

from helpers.apps.agent_tool import MakeAgent, of_session, propose, site_model
from helpers.apps.lines import Lines

NAME = "ask_maintenance"
ABOUT = (
    "Ask the factory's maintenance agent, in plain words: how a line is, or to stop one. A person is asked before a "
    "line is stopped."
)
INSTRUCTIONS = "You look after a factory's lines. Do what is asked with one tool, then tell its result in one sentence."


def maintenance_agent(lines: Lines, model: Callable[[], Model] = site_model) -> MakeAgent:
    """What makes the agent of a session."""

    @tool
    def look_at_line(line: str) -> str:
        """How a line is: which of its machines were beyond their limits.

        Args:
            line: cutting or finishing.
        """
        machines = lines.line(line).machines
        beyond = [name for name in machines if lines.findings(name).anomalies]
        return f"Beyond their limits on the line {line}: {', '.join(beyond) or 'no machines'}."

    @tool(context=True)
    def stop_line(line: str, minutes: int, reason: str, tool_context: ToolContext) -> str:
        """Stop a line for some minutes.

        Args:
            line: cutting or finishing.
            minutes: For how many minutes.
            reason: Why, in a few words.
        """
        return propose(tool_context, partial(lines.wanted, line, minutes, reason))

    return of_session(model, INSTRUCTIONS, [look_at_line, stop_line])
