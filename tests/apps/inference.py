"""A stand-in for a site's model endpoint: Ollama's chat without a model. It does what the message says.

use TOOL {"argument": ...}    calls the tool, then answers with its result
wait                          (anywhere) holds the last answer back until there is a file `go` in the site's folder
anything else                 is said again
"""

import asyncio
import json
import re

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from helpers.apps.command import parser
from helpers.settings import settings

USE = re.compile(r"use (\w+) (\{.*?\})")


async def chat(request: Request) -> StreamingResponse:
    messages = (await request.json())["messages"]
    asked = [message["content"] for message in messages if message["role"] == "user"][-1]
    return StreamingResponse(answer(messages[-1], asked), media_type="application/x-ndjson")


async def answer(last: dict, asked: str):
    call = USE.search(asked)
    if call and last["role"] != "tool":
        function = {"name": call[1], "arguments": json.loads(call[2])}
        yield event({"content": "", "tool_calls": [{"function": function}]})
    else:
        # A file cannot be awaited, only looked for.
        while "wait" in asked and not (settings().site_folder / "go").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for word in re.findall(r"\S+\s*", last["content"]):
            yield event({"content": word})
    yield event({"content": ""}, done=True)


def event(message: dict, done: bool = False) -> str:
    said = {"model": "stand-in", "created_at": "2026-03-02T08:00:00Z", "done": done}
    counts = {"done_reason": "stop", "total_duration": 1, "eval_count": 1, "prompt_eval_count": 1} if done else {}
    return json.dumps(said | {"message": {"role": "assistant", **message}} | counts) + "\n"


async def version(request: Request) -> JSONResponse:
    return JSONResponse({"version": "stand-in"})


def main() -> None:
    given = parser(__doc__ or "", agent=False).parse_args()
    routes = [Route("/ping", version), Route("/api/version", version), Route("/api/chat", chat, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), host=given.host, port=given.port, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
