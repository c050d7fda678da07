"""llama.cpp's own OpenAI-style API (`/v1/...`), passed on to the runner of the model that the request names."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from helpers.inference.catalogue import Model
from helpers.inference.embedding import check_embeds
from helpers.inference.engine import Engine, Mode
from helpers.inference.errors import BadRequest, RunnerFailed
from helpers.inference.http import died, read_body, unless_gone
from helpers.inference.ollama_api import check_capabilities
from helpers.inference.shapes import JSON
from helpers.inference.tool_choice import narrowed
from helpers.settings import settings

DEFAULT = "default"  # what llama.cpp's clients say when a server has one model only


class OpenAIAPI:
    """The handlers of `/v1`, and llama.cpp's `/tokenize` and `/health`, which its clients know."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store

    def routes(self) -> list[Route]:
        """The routes of this dialect."""
        chat = ("/v1/chat/completions", "/v1/completions", "/tokenize")
        return [
            *(Route(path, self.chat, methods=["POST"]) for path in chat),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
            Route("/v1/models", self.models, methods=["GET"]),
            Route("/v1/models/{name:path}", self.model, methods=["GET"]),
            Route("/health", self.health, methods=["GET"]),
        ]

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._listed(m) for m in self.store.models()]})

    async def model(self, request: Request) -> Response:
        return JSONResponse(self._listed(self.store.find(request.path_params["name"])))

    async def chat(self, request: Request) -> Response:
        body = _parse(await read_body(request))
        model = self._find(body, settings().chat_model)
        check_capabilities(model, tools=bool(body.get("tools")))
        return await self._pass_on(request, model, "chat", body)

    async def embeddings(self, request: Request) -> Response:
        body = _parse(await read_body(request))
        model = self._find(body, settings().embed_model)
        check_embeds(model)
        return await self._pass_on(request, model, "embed", body)

    def _find(self, body: JSON, default: str) -> Model:
        name = body.get("model") or DEFAULT
        return self.store.find(default if name == DEFAULT else str(name))

    async def _pass_on(self, request: Request, model: Model, mode: Mode, body: JSON) -> Response:
        try:
            async with contextlib.AsyncExitStack() as stack:
                reply = await unless_gone(request.receive, self._send(stack, request.url.path, model, mode, body))
                if body.get("stream") and reply.status_code == 200:
                    return StreamingResponse(_stream(reply, stack.pop_all(), model), media_type="text/event-stream")
                content = await unless_gone(request.receive, reply.aread())
        except httpx.TransportError as error:
            raise RunnerFailed(died(model)) from error
        return Response(content, reply.status_code, media_type="application/json")

    async def _send(
        self, stack: contextlib.AsyncExitStack, path: str, model: Model, mode: Mode, body: JSON
    ) -> httpx.Response:
        runner = await stack.enter_async_context(self.engine.use(model, mode))
        request = runner.client.build_request("POST", path, json=await narrowed(runner, body))
        reply = await runner.client.send(request, stream=True)
        stack.push_async_callback(reply.aclose)
        return reply

    def _listed(self, model: Model) -> dict[str, Any]:
        created = int(self.store.modified(model).timestamp())
        return {"id": model.name, "object": "model", "created": created, "owned_by": "library"}


async def _stream(reply: httpx.Response, stack: contextlib.AsyncExitStack, model: Model) -> AsyncIterator[bytes]:
    try:
        async with stack:
            async for piece in reply.aiter_raw():
                yield piece
    except httpx.TransportError:
        yield f"data: {json.dumps({'error': {'message': died(model), 'type': 'server_error'}})}\n\n".encode()


def _parse(body: bytes) -> JSON:
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise BadRequest(f"the request is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise BadRequest("the request must be a JSON object")
    return parsed
