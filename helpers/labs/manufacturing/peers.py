"""Factories, as the judge plays them: agents that speak as much of A2A as it takes to be asked."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Answer = Callable[[str], str | None]  # to a text; None: an internal error


class Factory:
    """An A2A agent on loopback that answers who has its token, until the block ends."""

    def __init__(self, name: str, token: str, answer: Answer) -> None:
        self.name, self.token, self.answer = name, token, answer
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Factory":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def card(self) -> dict[str, Any]:
        """What the agent says of itself."""
        return {
            "name": self.name,
            "description": "A factory (fiction).",
            "url": self.url,
            "version": "1",
            "protocolVersion": "0.3.0",
            "preferredTransport": "JSONRPC",
            "capabilities": {"streaming": False},
            "defaultInputModes": ["text"],
            "defaultOutputModes": ["text"],
            "skills": [],
        }


def _handler(factory: Factory) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers for one factory."""

        def do_GET(self) -> None:
            self._say(200, factory.card())

        def do_POST(self) -> None:
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            factory.tokens.append(given)
            if given != factory.token:
                return self._say(401, {"error": "The token is for another program."})
            text = " ".join(part.get("text", "") for part in asked["params"]["message"]["parts"])
            factory.asked.append(text)
            said = factory.answer(text)
            if said is None:
                return self._say(500, {"error": "internal error"})
            message = {"kind": "message", "role": "agent", "messageId": "1", "parts": [{"kind": "text", "text": said}]}
            self._say(200, {"jsonrpc": "2.0", "id": asked["id"], "result": message})
            return None

        def _say(self, status: int, what: dict[str, Any]) -> None:
            body = json.dumps(what).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # whoever asked has given up
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    return Handler
