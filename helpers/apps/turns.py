"""All that a trial of placements needs at a site, in one program: an agent, a model from a script, and tools.

    python -m helpers.apps.turns --port 9000 --model-seconds 0.05

`POST /sites` tells where the programs of all sites are, `POST /turn` asks the agent, and says at which of them it finds
its model and its tools; `POST /distance` measures how far another is. The model speaks Ollama's API; its script asks
twice for a patient's record, then answers, so that each turn asks the same as the one before. All is fiction.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from helpers.apps.command import hosts, parser, run
from helpers.inference.http import HostGuard, traced
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK

INSTRUCTIONS = "Answer from the patient's record."
PATIENT = "P-1001"
CALLS = 2  # of the tool, in a turn
ENTRIES = 12
ANSWER = f"Nothing in the record of {PATIENT} speaks against it."
COUNTS = {"total_duration": 1, "prompt_eval_count": 1, "eval_count": 1}
PINGS = 50  # at most, when a distance is measured
SECONDS = 300  # that a tool may take, over a slow link


class Turns:
    """The three parts. `sites` says by place where the programs of all sites are, as this one reaches them."""

    def __init__(self, model_seconds: float, tool_seconds: float) -> None:
        self.sites: dict[str, str] = {}
        self.model_seconds, self.tool_seconds = model_seconds, tool_seconds
        # Of the tool. It keeps its connections between turns: httpx would close them after 5 s, and uvicorn too.
        kept = httpx.Limits(keepalive_expiry=SECONDS)
        self.client = httpx.Client(timeout=SECONDS, trust_env=False, limits=kept)

    async def meet(self, request: Request) -> Response:
        """Take the addresses: on loopback, where links are entered, or those that WORKSHOP_APPS has on AWS."""
        sites: dict[str, str] = await request.json()
        known = {url.rstrip("/") for url in settings().apps.values()} if settings().profile == "aws" else set()
        if foreign := [url for url in sites.values() if urlsplit(url).hostname not in LOOPBACK and url not in known]:
            said = f"{foreign[0]} is neither on loopback, where a trial has its links, nor in WORKSHOP_APPS."
            return JSONResponse({"error": said}, 422)
        self.sites = sites
        return JSONResponse({"sites": list(sites)})

    async def turn(self, request: Request) -> Response:
        """Ask the agent."""
        asked = await request.json()
        model, tools = (self.sites.get(asked.get(part, "")) for part in ("model", "tools"))
        if not model or not tools:
            known = ", ".join(self.sites)
            return JSONResponse({"error": f"Name the places of model and tools; known are {known}."}, 422)
        answer = await self._agent(model, tools).invoke_async(asked["question"])
        return JSONResponse({"answer": str(answer).strip()})

    async def distance(self, request: Request) -> Response:
        """Seconds of a round trip to the program at a place, over a connection that is open: the fastest of several."""
        asked = await request.json()
        url = self.sites.get(asked.get("place", ""))
        if not url:
            return JSONResponse({"error": f"Name a place; known are {', '.join(self.sites)}."}, 422)
        took = []
        async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
            for _ in range(1 + min(int(asked.get("times", 5)), PINGS)):
                began = time.perf_counter()
                (await client.get(f"{url}/ping")).raise_for_status()
                took.append(time.perf_counter() - began)
        return JSONResponse({"seconds": min(took[1:])})

    def _agent(self, model: str, tools: str) -> Any:  # noqa: ANN401 - Strands' Agent
        from strands import Agent, tool  # not above: a site without an agent need not load it, and is ready sooner
        from strands.models.ollama import OllamaModel

        @tool
        def record(patient: str) -> str:
            """The record of a patient.

            Args:
                patient: The id, for example P-1001.
            """
            return self.client.get(f"{tools}/records/{patient}").raise_for_status().text

        return Agent(
            OllamaModel(model, model_id="scripted", temperature=0, max_tokens=120),
            name="turn",
            system_prompt=INSTRUCTIONS,
            tools=[record],
            callback_handler=None,
        )

    async def chat(self, request: Request) -> Response:
        """What the script says next, as Ollama streams it."""
        asked = await request.json()
        told = {"model": asked["model"], "created_at": "2026-11-30T00:00:00Z"}
        end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **COUNTS}

        async def lines() -> AsyncIterator[str]:
            await asyncio.sleep(self.model_seconds)
            yield json.dumps(told | {"message": reply(asked["messages"]), "done": False}) + "\n"
            yield json.dumps(told | end) + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    async def record(self, request: Request) -> Response:
        """A patient's record."""
        await asyncio.sleep(self.tool_seconds)
        patient = request.path_params["patient"]
        return JSONResponse({"patient": patient, "entries": entries(patient)})


def reply(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What the script says after these messages."""
    if sum(message.get("role") == "tool" for message in messages) >= CALLS:
        return {"role": "assistant", "content": ANSWER}
    call = {"function": {"name": "record", "arguments": {"patient": PATIENT}}}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def entries(patient: str) -> list[str]:
    """What is known of a patient; the same each time, and of nobody who lives."""
    return [f"Visit {number} of {patient}: nothing speaks against treatment." for number in range(1, ENTRIES + 1)]


def application(turns: Turns, allowed: frozenset[str]) -> Starlette:
    """The parts behind a guard against other hosts' pages."""
    routes = [
        Route("/sites", turns.meet, methods=["POST"]),
        Route("/turn", turns.turn, methods=["POST"]),
        Route("/distance", turns.distance, methods=["POST"]),
        Route("/api/chat", turns.chat, methods=["POST"]),
        Route("/records/{patient}", turns.record),
        Route("/ping", _ping),
    ]
    return Starlette(routes=routes, middleware=[Middleware(HostGuard, allowed=allowed), *traced()])


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    option = partial(arguments.add_argument, type=float, default=0.0, metavar="SECONDS")
    option("--model-seconds", help="how long an answer of the model takes (%(default)g)")
    option("--tool-seconds", help="how long an answer of the tool takes (%(default)g)")
    given = arguments.parse_args()
    turns = Turns(given.model_seconds, given.tool_seconds)
    uvicorn.run(
        application(turns, hosts(given)),
        host=given.host,
        port=given.port,
        timeout_keep_alive=SECONDS,
        timeout_graceful_shutdown=2,
    )


async def _ping(request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})


if __name__ == "__main__":
    run(main)
