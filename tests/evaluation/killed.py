"""A run that waits for ever at one case: `python -m tests.evaluation.killed CASES FILE QUESTION`."""

import sys
from pathlib import Path

import anyio

from helpers.evaluation.cases import read
from helpers.evaluation.runner import run
from tests.evaluation import making


class Script(making.Script):
    """Answers in words, but not to the question it is to hang at."""

    async def stream(self, messages, tool_specs=None, system_prompt=None, **more):
        if messages[0]["content"][0]["text"] == sys.argv[3]:
            print("waiting", flush=True)
            await anyio.sleep_forever()
        async for event in super().stream(messages, tool_specs, system_prompt, **more):
            yield event


if __name__ == "__main__":
    run(read(Path(sys.argv[1])), Script("In words."), Path(sys.argv[2]), progress=False)
