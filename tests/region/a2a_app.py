"""An A2A agent as a runtime, for tests, on AgentCore's SDK: says again what it hears."""

import os

from a2a.server.agent_execution import AgentExecutor
from a2a.types import AgentCapabilities, AgentCard
from a2a.utils import new_agent_text_message
from bedrock_agentcore.runtime.a2a import serve_a2a

from helpers.apps.command import parser


class Echo(AgentExecutor):
    async def execute(self, context, event_queue):
        await event_queue.enqueue_event(new_agent_text_message(f"{context.get_user_input()} ({os.getpid()})"))

    async def cancel(self, context, event_queue):
        raise NotImplementedError


if __name__ == "__main__":
    given = parser(__doc__, agent=False).parse_args()
    card = AgentCard(
        name="echo",
        description="Says again what it hears.",
        url=f"http://127.0.0.1:{given.port}/",
        version="1",
        capabilities=AgentCapabilities(streaming=False),
        default_input_modes=["text"],
        default_output_modes=["text"],
        skills=[],
    )
    serve_a2a(Echo(), card, port=given.port, host=given.host)
