"""A model from a script that speaks Ollama's API: it gives a pharmacy agent what it is asked for to its tools.

    python -m helpers.labs.healthcare.model --port 11500 --seconds 0.2

`campus.start("helpers.labs.healthcare.model", name="inference")` makes it the model endpoint of a site. A request to
reserve becomes a call of the tool `reserve`; what the tool says is the answer.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from helpers.apps.command import hosts, parser, run
from helpers.inference.http import HostGuard

ORDER = re.compile(r"reserve (\d+) units? of ([\w ]+?),? reference (R-[\w-]+)", re.IGNORECASE)
COUNTS = {"total_duration": 1, "prompt_eval_count": 1, "eval_count": 1}


def reply(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What comes after these messages, as Ollama has it."""
    last = messages[-1]
    if last.get("role") == "tool":
        return {"role": "assistant", "content": f"{last['content']}"}
    if order := ORDER.search(str(last.get("content"))):
        units, medicine, reference = order.groups()
        arguments = {"reference": reference, "medicine": medicine, "units": int(units)}
        return {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "reserve", "arguments": arguments}}],
        }
    return {"role": "assistant", "content": "Say how many units of which medicine, and a reference."}


def application(seconds: float, allowed: frozenset[str]) -> Starlette:
    """Chats, each answer after so many seconds, in pieces of a word."""

    async def chat(request: Request) -> Response:
        asked = await request.json()
        told = {"model": asked["model"], "created_at": "2026-03-02T08:00:00Z"}
        end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **COUNTS}

        async def lines() -> AsyncIterator[str]:
            await asyncio.sleep(seconds)
            for piece in _pieces(reply(asked["messages"])):
                yield json.dumps(told | {"message": piece, "done": False}) + "\n"
            yield json.dumps(told | end) + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    routes = [Route("/", _ollama), Route("/ping", _ping), Route("/api/chat", chat, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(HostGuard, allowed=allowed)])


def _pieces(message: dict[str, Any]) -> list[dict[str, Any]]:
    words = re.findall(r"\S+\s*", message["content"])
    return [message] if "tool_calls" in message else [{"role": "assistant", "content": word} for word in words]


async def _ollama(request: Request) -> Response:
    return PlainTextResponse("Ollama is running")


async def _ping(request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    arguments.add_argument("--seconds", type=float, default=0.0, help="how long an answer takes (%(default)g)")
    given = arguments.parse_args()
    uvicorn.run(application(given.seconds, hosts(given)), host=given.host, port=given.port, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    run(main)
