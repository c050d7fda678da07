"""What the endpoint's dialects need: who may ask, how a body is read, a runner asked, a stream passed on or made."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from helpers.inference.catalogue import Model
from helpers.inference.engine import Runner
from helpers.inference.errors import BadRequest, InferenceError, RunnerFailed
from helpers.inference.shapes import JSON
from helpers.settings.settings import LOOPBACK
from helpers.sites.trust import is_instrumented

DONE = "data: [DONE]"
PING = "/ping"  # whether a program is well, and nothing else: load balancers and kubelets ask it by its address
BODY_LIMIT = 64 * 2**20
T = TypeVar("T")


class HostGuard:
    """Refuses requests that name another host, or come from a page of another origin.

    A web page that a learner has open can make the browser send requests to loopback; the `Host` and `Origin` headers
    betray it (DNS rebinding, cross-site requests). Any `Host` may ask `/ping` whether the program is well: a load
    balancer's health check names the address that it asks, and cannot be told to name another.
    """

    def __init__(self, app: ASGIApp, allowed: frozenset[str] = LOOPBACK) -> None:
        self.app = app
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        asks_health = scope["path"] == PING and scope["method"] in ("GET", "HEAD")
        host = None if asks_health else headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if reason := foreign(host, origin, self.allowed):
            return await JSONResponse({"error": reason}, 403)(scope, receive, send)
        return await self.app(scope, receive, send)


def traced() -> list[Middleware]:
    """Goes on with the trace of whoever calls, unless OTEL_PYTHON_DISABLED_INSTRUMENTATIONS has `asgi` in its list.

    Put it behind the guards: who is not let in adds to nobody's trace.
    """
    if not is_instrumented("asgi"):
        return []
    of_no_work = rf"{PING}$,/\.well-known/"
    return [Middleware(OpenTelemetryMiddleware, excluded_urls=of_no_work, exclude_spans=["receive", "send"])]


def foreign(host: str | None, origin: str, allowed: frozenset[str]) -> str | None:
    """Why a request with these headers is refused, or None where it is meant for this server; host None is any."""
    for kind, value, name in (("Host", host, _hostname(f"//{host}")), ("Origin", origin, _hostname(origin))):
        if value is not None and (value or kind == "Host") and name not in allowed:
            return f"{kind} {value!r} is not allowed; this endpoint answers {', '.join(sorted(allowed))}"
    return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


async def read_body(request: Request, most: int = BODY_LIMIT) -> bytes:
    """The body, if it is not larger than `most` bytes.

    Raises:
        BadRequest: it is larger.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise BadRequest(f"the request is larger than {most // 2**20} MiB")
    return bytes(body)


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, but give it up when the client goes away: nobody computes for a reader who has left."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise BadRequest("the client went away")
        return task.result()
    finally:
        for each in (task, gone):
            each.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def events(runner: Runner, path: str, payload: JSON) -> AsyncGenerator[JSON]:
    """The events of a streamed request to `runner`.

    Raises:
        BadRequest: llama.cpp refuses the request.
        RunnerFailed: the runner ended before its answer did.
    """
    ended = False
    try:
        async with runner.client.stream("POST", path, json=payload | {"stream": True}) as response:
            if response.status_code != 200:
                raise BadRequest(refusal(await response.aread()))
            async for line in response.aiter_lines():
                if line == DONE:
                    ended = True
                elif line.startswith("data: "):
                    event = _event(line.removeprefix("data: "))
                    ended = ended or event.get("stop") is True
                    yield event
    except httpx.TransportError as error:
        raise RunnerFailed(died(runner.model)) from error
    if not ended:
        raise RunnerFailed(died(runner.model))


def _event(data: str) -> JSON:
    event: JSON = json.loads(data)
    if "error" in event:
        raise BadRequest(refusal(data.encode()))
    return event


def died(model: Model) -> str:
    """What to say when a model's process is gone in mid-request."""
    return (
        f"the process that runs {model.name} ended unexpectedly, perhaps for want of memory. Ask again: it is "
        "started anew"
    )


def refusal(body: bytes) -> str:
    """The reason in llama.cpp's error answer; a full context is told in Ollama's words, which its clients know."""
    try:
        error = json.loads(body)
        error = error.get("error", error)
        if error.get("type") == "exceed_context_size_error":
            return too_long(error["n_prompt_tokens"], error["n_ctx"])
        return str(error.get("message", error))
    except (ValueError, AttributeError, KeyError):
        return body.decode(errors="replace")[:500]


def too_long(tokens: int, n_ctx: int) -> str:
    """What to say of a prompt that does not fit."""
    return (
        f"the input length exceeds the context length: {tokens} tokens, the context holds {n_ctx}. Shorten the input, "
        'or ask for more, if the model was trained for it: "options": {"num_ctx": N}'
    )


async def post(runner: Runner, path: str, payload: JSON) -> httpx.Response:
    """What `runner` answers, refusals too.

    Raises:
        RunnerFailed: the runner ended.
    """
    try:
        return await runner.client.post(path, json=payload)
    except httpx.TransportError as error:
        raise RunnerFailed(died(runner.model)) from error


async def answer(
    request: Request, records: AsyncGenerator[JSON], stream: bool, whole: Callable[[list[JSON]], JSON]
) -> Response:
    """Stream the records as NDJSON, or send them as one; errors before the first get a status of their own."""
    if not stream:
        return JSONResponse(whole(await unless_gone(request.receive, _all(records))))
    first = await unless_gone(request.receive, anext(records))
    return StreamingResponse(_ndjson(replay(first, records)), media_type="application/x-ndjson")


async def progress(steps: Generator[Any]) -> AsyncGenerator[JSON]:
    """The steps of work that blocks, each from a thread; the work is ended when nobody listens any more."""
    try:
        async for step in iterate_in_threadpool(steps):
            yield dict(step)
    finally:
        await run_in_threadpool(steps.close)


async def _all(records: AsyncIterator[JSON]) -> list[JSON]:
    return [record async for record in records]


async def _ndjson(records: AsyncIterator[JSON]) -> AsyncIterator[str]:
    try:
        async for record in records:
            yield json.dumps(record, ensure_ascii=False) + "\n"
    except InferenceError as error:  # the status is sent; the stream is the only place left to say it
        yield json.dumps({"error": str(error)}) + "\n"


async def replay(first: T, rest: AsyncIterator[T]) -> AsyncIterator[T]:
    """`first`, then `rest`."""
    yield first
    async for item in rest:
        yield item
