"""Ollama's HTTP API (`/api/...`) over the engine. Shapes follow Ollama's docs/api.md."""

import json
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from helpers.inference import shapes, wire
from helpers.inference.catalogue import Model
from helpers.inference.embedding import embed
from helpers.inference.engine import Engine, Runner
from helpers.inference.errors import BadRequest
from helpers.inference.http import answer, events, progress, read_body, unless_gone
from helpers.inference.shapes import JSON
from helpers.inference.tool_choice import narrowed

VERSION = "0.30.0"  # of Ollama's API that is spoken here; some clients ask before they use a newer feature


class OllamaAPI:
    """The handlers; each is a route of the same name."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store

    def routes(self) -> list[Route]:
        """The routes of this dialect."""
        posts = {
            "chat": self.chat,
            "generate": self.generate,
            "embed": self.embed,
            "embeddings": self.embeddings,
            "show": self.show,
            "pull": self.pull,
        }
        gets = {"version": self.version, "tags": self.tags, "ps": self.ps}
        return [
            *(Route(f"/api/{name}", handler, methods=["POST"]) for name, handler in posts.items()),
            *(Route(f"/api/{name}", handler, methods=["GET"]) for name, handler in gets.items()),
            Route("/api/delete", self.delete, methods=["DELETE"]),
        ]

    async def version(self, request: Request) -> Response:
        return JSONResponse({"version": VERSION})

    async def tags(self, request: Request) -> Response:
        return JSONResponse({"models": [self._listed(model) for model in self.store.models()]})

    async def ps(self, request: Request) -> Response:
        return JSONResponse({"models": [_running(r) for r in self.engine.runners.values() if r.alive]})

    async def show(self, request: Request) -> Response:
        model = self.store.find(await _model_name(request))
        info = await run_in_threadpool(self.store.info, model)
        template = model.template_text() or info.get("tokenizer.chat_template") or ""
        shown = {
            "license": model.licence,
            "modelfile": f"FROM {self.store.file(model)}\n",
            "parameters": "",
            "template": template,
            "details": _details(model),
            "model_info": {key: value for key, value in info.items() if key != "tokenizer.chat_template"},
            "capabilities": model.capabilities,
            "modified_at": self.store.modified(model).isoformat(),
        }
        return JSONResponse(shown)

    async def pull(self, request: Request) -> Response:
        asked = shapes.parse(shapes.PullRequest, await read_body(request))
        records = progress(self.store.pull(asked.model or asked.name))
        return await answer(request, records, asked.stream, lambda parts: parts[-1])

    async def delete(self, request: Request) -> Response:
        model = self.store.find(await _model_name(request))
        await self.engine.unload(model)
        await run_in_threadpool(self.store.remove, model.name)
        return Response(status_code=200)

    async def chat(self, request: Request) -> Response:
        asked = shapes.parse(shapes.ChatRequest, await read_body(request))
        return await answer(request, self._chat(asked), asked.stream, _whole_chat)

    async def generate(self, request: Request) -> Response:
        asked = shapes.parse(shapes.GenerateRequest, await read_body(request))
        return await answer(request, self._generate(asked), asked.stream, _whole_generation)

    async def embed(self, request: Request) -> Response:
        started = time.perf_counter_ns()
        asked = shapes.parse(shapes.EmbedRequest, await read_body(request))
        texts = [asked.input] if isinstance(asked.input, str) else asked.input or []
        vectors, tokens, load = await unless_gone(request.receive, embed(self.engine, asked, texts))
        took = {"total_duration": time.perf_counter_ns() - started, "load_duration": load}
        answer = {"model": asked.model, "embeddings": vectors, **took, "prompt_eval_count": tokens}
        return Response(to_json(answer), media_type="application/json")

    async def embeddings(self, request: Request) -> Response:
        asked = shapes.parse(shapes.EmbedRequest, await read_body(request))
        vectors, _, _ = await unless_gone(
            request.receive, embed(self.engine, asked, [asked.prompt] if asked.prompt else [])
        )
        return JSONResponse({"embedding": vectors[0] if vectors else []})

    async def _chat(self, asked: shapes.ChatRequest) -> AsyncGenerator[JSON]:
        model = self.store.find(asked.model)
        check_capabilities(model, asked, tools=bool(asked.tools))
        payload = wire.sampling(asked.options) | wire.response_format(asked.format)
        payload["messages"] = wire.openai_messages(asked.messages or [])
        if asked.tools:
            payload["tools"] = asked.tools
        if any(message.images for message in asked.messages or []):
            raise BadRequest(f'"{model.name}" does not support images')
        async for record in self._generated(model, asked, "/v1/chat/completions", payload, bool(asked.messages)):
            text, calls = record.pop("text"), record.pop("calls")
            message: JSON = {"role": "assistant", "content": text}
            yield record | {"message": message | ({"tool_calls": calls} if calls else {})}

    async def _generate(self, asked: shapes.GenerateRequest) -> AsyncGenerator[JSON]:
        model = self.store.find(asked.model)
        check_capabilities(model, asked)
        if asked.template or asked.images:
            raise BadRequest(f'"{model.name}" does not support {"images" if asked.images else "a template; use raw"}')
        payload = wire.sampling(asked.options) | wire.response_format(asked.format)
        path = "/v1/chat/completions"
        if asked.suffix:
            path, payload = "/infill", payload | {"input_prefix": asked.prompt, "input_suffix": asked.suffix}
        elif asked.raw:
            path, payload = "/completion", payload | {"prompt": asked.prompt}
        else:
            system = [shapes.Message(role="system", content=asked.system)] if asked.system else []
            payload["messages"] = wire.openai_messages([*system, shapes.Message(role="user", content=asked.prompt)])
        if "messages" not in payload:  # llama.cpp's own endpoints name it otherwise
            payload["n_predict"] = payload.pop("max_tokens")
        async for record in self._generated(model, asked, path, payload, bool(asked.prompt)):
            record.pop("calls")
            yield record | {"response": record.pop("text")}

    async def _generated(
        self, model: Model, asked: shapes.Request, path: str, payload: JSON, has_input: bool
    ) -> AsyncGenerator[JSON]:
        """Records with `text` and `calls`, the last with counts; without input the model is only (un)loaded."""
        started = time.perf_counter_ns()
        keep_alive = wire.seconds(asked.keep_alive)
        async with self.engine.use(model, "chat", (asked.options or {}).get("num_ctx"), keep_alive) as runner:
            load = time.perf_counter_ns() - started
            if not has_input:
                reason = "unload" if keep_alive == 0 else "load"
                yield _record(asked.model, "", done_reason=reason)
                return
            calls, reason = wire.CallCollector(), "stop"
            timings: dict[str, float] = {}
            async for event in events(runner, path, await narrowed(runner, payload)):
                text, fragments, finish = _delta(event)
                calls.add(fragments)
                reason = finish or reason
                timings = event.get("timings") or timings
                if text:
                    yield _record(asked.model, text)
            if found := calls.calls():
                yield _record(asked.model, "") | {"calls": found}
            counts = wire.statistics(timings, time.perf_counter_ns() - started, load)
            yield _record(asked.model, "", done_reason="length" if reason in ("length", "limit") else "stop", **counts)

    def _listed(self, model: Model) -> JSON:
        return {
            "name": model.name,
            "model": model.name,
            "modified_at": self.store.modified(model).isoformat(),
            "size": model.size,
            "digest": model.sha256,
            "details": _details(model),
        }


def check_capabilities(model: Model, asked: shapes.Request | None = None, tools: bool = False) -> None:
    """Refuse what `model` cannot do, in Ollama's words.

    Raises:
        BadRequest: chat with an embedding model, tools without a template for them, thinking.
    """
    if "completion" not in model.capabilities:
        raise BadRequest(f'"{model.name}" does not support chat')
    if tools and "tools" not in model.capabilities:
        raise BadRequest(f"{model.name} does not support tools")
    if asked and asked.think:
        raise BadRequest(f'"{model.name}" does not support thinking')


def _whole_chat(records: list[JSON]) -> JSON:
    text = "".join(record["message"]["content"] for record in records)
    calls = [call for record in records for call in record["message"].get("tool_calls", [])]
    message = {"role": "assistant", "content": text} | ({"tool_calls": calls} if calls else {})
    return records[-1] | {"message": message}


def _whole_generation(records: list[JSON]) -> JSON:
    return records[-1] | {"response": "".join(record["response"] for record in records)}


def _record(model: str, text: str, **final: Any) -> JSON:  # noqa: ANN401
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"model": model, "created_at": now, "text": text, "calls": [], "done": bool(final), **final}


def _delta(event: JSON) -> tuple[str, list[JSON], str | None]:
    """Text, tool-call fragments and the reason for ending, of an OpenAI-style or a native event."""
    if "content" in event:
        return event["content"], [], event.get("stop_type") if event.get("stop") else None
    choice = (event.get("choices") or [{}])[0]
    delta = choice.get("delta", {})
    return delta.get("content") or "", delta.get("tool_calls") or [], choice.get("finish_reason")


async def _model_name(request: Request) -> str:
    body = await read_body(request)
    try:
        given = json.loads(body)
        return str(given.get("model") or given["name"])
    except (ValueError, KeyError, AttributeError) as error:
        raise BadRequest('give the model: {"model": "NAME"}') from error


def _running(runner: Runner) -> JSON:
    model = runner.model
    return {
        "name": model.name,
        "model": model.name,
        "size": runner.memory(),
        "digest": model.sha256,
        "details": _details(model),
        "expires_at": runner.expires_at.isoformat(),
        "size_vram": 0,
        "context_length": runner.n_ctx,
    }


def _details(model: Model) -> JSON:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": model.quantization_level,
    }
