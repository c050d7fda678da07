"""A REST server of the tests: it notes what it is asked, repeats what it is shown, and answers as it is told to."""

import asyncio
import threading
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass
class Seen:
    """A request."""

    method: str
    path: str  # as it was sent
    query: str
    headers: dict
    body: bytes


class Shop:
    """`refuses` is how many requests it answers with 401, `how` what is wrong with it."""

    def __init__(self):
        self.seen, self.refuses, self.how = [], 0, ""
        self.gate = threading.Event()

    def app(self):
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=EVERY)])

    @property
    def last(self):
        return self.seen[-1]

    async def answer(self, request):
        raw, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
        seen = Seen(request.method, raw, query, dict(request.headers), await request.body())
        self.seen.append(seen)
        shown = f"{seen.headers.get('authorization')} {seen.headers.get('x-api-key')} {query}"
        if self.refuses:
            self.refuses -= 1
            return JSONResponse({"not good": shown}, 401)
        match self.how:
            case "404" | "500":
                told = {"x-shown": str(seen.headers.get("authorization"))}
                return JSONResponse({"shown": shown, "detail": "no such shelf"}, int(self.how), told)
            case "redirect":
                return RedirectResponse("/elsewhere")
            case "huge":
                return StreamingResponse((b"x" * 2**20 for _ in range(7)), media_type="application/json")
            case "pieces":
                return StreamingResponse(self._pieces(), 201, {"x-shelf": "7", "x-inner": "no", "set-cookie": "a=b"})
            case "cut":
                return StreamingResponse(self._cut(f"data: {shown}\n\n".encode()))
            case "empty":
                return Response(status_code=204)
        return JSONResponse({"sku": "lamp", "shown": shown})

    async def _pieces(self):
        yield b"data: one\n\n"
        await asyncio.to_thread(self.gate.wait, 10)
        yield b"data: two\n\n"

    async def _cut(self, said):
        """In two pieces, the first of which ends in the midst of `s3cret`."""
        cut = said.index(b"s3cret") + 3
        yield said[:cut]
        await asyncio.to_thread(self.gate.wait, 10)
        yield said[cut:]
