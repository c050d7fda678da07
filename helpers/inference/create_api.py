"""Ollama's `POST /api/create`, for what it is used for here: another level of quantisation of a model that is there.

    client.create("qwen2.5-coder:1.5b-q4_0", from_="qwen2.5-coder:1.5b", quantize="q4_0", stream=True)

Ollama takes models of 16 and 32 bit only; this endpoint takes what the catalogue has, and calls it requantised.
"""

import contextlib
from collections.abc import AsyncGenerator

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from helpers.inference import shapes
from helpers.inference.catalogue import canonical
from helpers.inference.creation import create
from helpers.inference.engine import Engine
from helpers.inference.errors import BadRequest
from helpers.inference.http import answer, progress, read_body
from helpers.inference.shapes import JSON


class CreateRequest(shapes.PullRequest):
    """The part of Ollama's shape that is served; the rest (files, adapters, template, ...) is refused by its name."""

    model_config = ConfigDict(extra="allow")

    source: str = Field("", alias="from")
    quantize: str = ""


class CreateAPI:
    """The handler of `/api/create`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def routes(self) -> list[Route]:
        """Its route."""
        return [Route("/api/create", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        """Make the model; progress as lines of JSON, or the last of them."""
        asked = shapes.parse(CreateRequest, await read_body(request))
        return await answer(request, self._records(_checked(asked)), asked.stream, lambda parts: parts[-1])

    async def _records(self, asked: CreateRequest) -> AsyncGenerator[JSON]:
        name = canonical(asked.model or asked.name)
        steps = progress(create(self.engine.store, name, asked.source, asked.quantize))
        async with contextlib.aclosing(steps):
            async for status in steps:
                if status["status"] == "writing manifest":
                    await self._unload(name)
                yield status

    async def _unload(self, name: str) -> None:
        """An earlier model of that name makes room."""
        for model in [model for model in self.engine.store.models() if model.name == name]:
            await self.engine.unload(model)


def _checked(asked: CreateRequest) -> CreateRequest:
    if not (asked.model or asked.name):
        raise BadRequest('give the new model\'s name: {"model": "NAME"}')
    if not asked.source or not asked.quantize:
        raise BadRequest('give the model to start from and the level: {"from": "NAME", "quantize": "q4_0"}')
    if odd := sorted(name for name, value in (asked.model_extra or {}).items() if value):
        raise BadRequest(f"{odd[0]} is not supported here; only from and quantize are")
    return asked
