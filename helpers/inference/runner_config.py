"""What passes from the engine to a runner: apart from both, so that only the runner loads llama.cpp."""

from pathlib import Path

from pydantic import BaseModel


class RunnerConfig(BaseModel):
    """What a runner needs to know. `n_ctx` is in tokens, for a chat model shared by the requests under way."""

    name: str
    file: Path
    socket: Path
    embedding: bool
    n_ctx: int
    threads: int
    chat_template: str = ""
    speculate: bool = True
