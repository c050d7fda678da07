"""What passes from the engine to a runner: apart from both, so that only the runner loads llama.cpp."""

import os
from pathlib import Path
from typing import Self

import psutil
from pydantic import BaseModel

from helpers.inference.catalogue import Model


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

    @classmethod
    def of(cls, model: Model, file: Path, socket: Path, embedding: bool, n_ctx: int) -> Self:
        """The configuration for `model` on this machine: a thread for each physical core."""
        return cls(
            name=model.name,
            file=file,
            socket=socket,
            embedding=embedding,
            n_ctx=n_ctx,
            threads=psutil.cpu_count(logical=False) or os.cpu_count() or 1,
            chat_template=model.template_text(),
        )
