"""Servers behind gateways of tests: one that does what it should, and one that does not; each in a thread."""

import asyncio
import contextlib
import json
import socket
import threading

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@contextlib.contextmanager
def served(app, port=0):
    """`app` on loopback; its address."""
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, lifespan="auto"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class Approval(BaseModel):
    approve: bool


def store():  # noqa: C901 - one function for each thing that it has
    """An MCP server with tools, a prompt, resources; the list `seen` has the headers of its requests."""
    server = MCPServer("store", instructions="A store.")
    server.calls = []

    @server.tool()
    def stock(sku: str, ctx: Context) -> int:
        """How many of an article there are."""
        server.calls.append(sku)
        server.headers = dict(ctx.headers or {})
        if sku == "none":
            raise ToolError("There is no such article.")
        return len(sku)

    @server.tool()
    async def count(to: int, ctx: Context) -> str:
        """Count, and tell how far it is."""
        for i in range(to):
            await ctx.report_progress(i + 1, to)
        return f"counted to {to}"

    @server.tool()
    async def order(units: int, ctx: Context) -> str:
        """Order, if a person agrees."""
        answer = await ctx.elicit(f"Order {units}?", schema=Approval)
        return f"{answer.action} {getattr(answer, 'data', None)}"

    @server.tool()
    async def wait() -> str:
        """Wait until nobody wants the answer any more."""
        server.calls.append("waiting")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            server.calls.append("cancelled")
            raise
        return "late"

    @server.prompt()
    def note(article: str) -> str:
        """A note about an article."""
        return f"Reorder {article}."

    @server.resource("store://articles")
    def articles() -> str:
        """All articles."""
        return "lamp, chair"

    @server.resource("store://articles/{name}")
    def article(name: str) -> str:
        """One article."""
        return f"the {name}"

    return server


class Odd:
    """A server of MCP that lists what it is told to list, as `lists` says, and answers calls as `how` says."""

    def __init__(self, tools=({"name": "t", "inputSchema": {"type": "object"}},)):
        self.tools, self.how, self.lists, self.calls = list(tools), "", "", 0
        self.opened, self.offered = 0, []  # how often, and in which versions

    def app(self):
        return Starlette(routes=[Route("/mcp", self.answer, methods=["POST", "DELETE", "GET"])])

    async def answer(self, request):
        if request.method != "POST":
            return Response(status_code=405)
        message = json.loads(await request.body())
        if "id" not in message:
            return Response(status_code=202)
        return await getattr(self, f"on_{message['method'].replace('/', '_')}", self.unknown)(message)

    async def unknown(self, message):
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}})

    async def on_initialize(self, message):
        self.opened += 1
        self.offered.append(message["params"]["protocolVersion"])
        about = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "odd", "version": "1"},
        }
        return JSONResponse(_result(message, about), headers={"mcp-session-id": f"s{self.opened}"})

    async def on_tools_list(self, message):
        if self.lists == "hangs":
            await asyncio.sleep(60)
        if self.lists == "away":
            return Response(status_code=503)
        return JSONResponse(_result(message, {"tools": self.tools}))

    async def on_tools_call(self, message):  # noqa: C901 - one case for each fault
        self.calls += 1
        answer = _result(message, {"content": [{"type": "text", "text": "fine"}]})
        match self.how:
            case "garbage":
                return Response(b"{not json", media_type="application/json")
            case "page":
                return Response(b"<html>", media_type="text/html")
            case "500":
                return Response("secret detail of the inside", 500)
            case "hang":
                await asyncio.sleep(60)
            case "huge":
                return StreamingResponse((b"x" * 2**20 for _ in range(50)), media_type="application/json")
            case "huge event":
                return StreamingResponse((b"data: " + b"x" * 2**20 for _ in range(50)), media_type="text/event-stream")
            case "closes":
                return StreamingResponse(_begins(message), media_type="text/event-stream")
            case "stays open":
                return StreamingResponse(_stays(answer), media_type="text/event-stream")
            case "forgets" if self.opened == 1:
                return Response(status_code=404)
        return JSONResponse(answer)


async def _begins(message):
    progress = {"progressToken": 1, "progress": 1}
    yield b"data: " + json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}).encode()
    yield b"\n\n"


async def _stays(answer):
    yield b"data: " + json.dumps(answer).encode() + b"\n\n"
    await asyncio.sleep(60)


def _result(message, value):
    return {"jsonrpc": "2.0", "id": message["id"], "result": value}
