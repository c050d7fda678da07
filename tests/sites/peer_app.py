"""An A2A peer without a model, for tests: a scripted one answers at once, slowly, or not at all.

echo TEXT    TEXT, in one piece
count        how many messages of this context there are, this one included
spell TEXT   TEXT, a letter a piece
drip         pieces, until nobody has asked for a minute
act REF      notes REF in a file `acted` of the site, then answers
fail         an error of the model
length       how many characters the message has
"""

import asyncio
from collections.abc import AsyncGenerator

from strands import Agent
from strands.multiagent.a2a import A2AServer

from helpers.apps.command import parser, run
from helpers.apps.serving_a2a import serve
from helpers.settings import settings
from tests.scripted_model import ScriptedModel


class Scripted(ScriptedModel):
    """Does what the last message says."""

    async def stream(self, messages, tool_specs=None, system_prompt=None, **options):
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {}}}
        async for text in pieces(messages):
            yield {"contentBlockDelta": {"delta": {"text": text}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


async def pieces(messages) -> AsyncGenerator[str]:
    asked = messages[-1]["content"][0]["text"]
    action, _, rest = asked.partition(" ")
    if action == "fail":
        raise RuntimeError("the model is scripted to fail")
    if action == "drip":
        for number in range(1200):
            yield f"piece {number} "
            await asyncio.sleep(0.05)
    elif action == "spell":
        for letter in rest:
            yield letter
    elif action == "act":
        with (settings().site_folder / "acted").open("a") as file:
            file.write(f"{rest}\n")
        yield f"done {rest}"
    else:
        yield {"count": f"{len(messages)}", "length": f"{len(asked)}"}.get(action, rest)


def main() -> None:
    given = parser(__doc__ or "").parse_args()

    def agent(context_id: str) -> Agent:
        return Agent(Scripted(), name="peer", description="A peer for tests.", tools=[], callback_handler=None)

    serve(A2AServer(agent_factory=agent, enable_a2a_compliant_streaming=True), given)


if __name__ == "__main__":
    run(main)
