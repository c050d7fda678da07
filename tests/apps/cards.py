"""A small server of cards, for tests: each path is a peer whose card, or whose answer, is not as it should be."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WELL_KNOWN = "/.well-known/agent-card.json"
GOOD = {
    "name": "peer",
    "description": "A peer for tests.",
    "version": "1",
    "capabilities": {"streaming": True},
    "skills": [{"id": "stock", "name": "Stock", "description": "What is there.", "tags": []}],
    "defaultInputModes": ["text"],
    "defaultOutputModes": ["text"],
}


class Cards(ThreadingHTTPServer):
    """Serves `card`, which may be bytes or a dictionary, and notes every request. `post` answers all else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.card: bytes | dict = GOOD | {"url": self.url}
        self.asked: list[tuple[str, str | None]] = []  # path and token
        self.post = refuse
        self.ended = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Cards

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        card = self.server.card
        self.answer(200, card if isinstance(card, bytes) else json.dumps(card).encode())

    def do_POST(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.post(self)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


def refuse(request: Handler) -> None:
    request.answer(500, b"no JSON")


def say_nothing(request: Handler) -> None:
    request.server.ended.wait(30)


def say_only_that_it_is_there(request: Handler) -> None:
    """Comments, as servers of events send them while there is no event."""
    request.send_response(200)
    request.send_header("Content-Type", "text/event-stream")
    request.end_headers()
    try:
        while not request.server.ended.is_set():
            request.wfile.write(b": ping - 2026-03-02 08:00:00\r\n\r\n")
            time.sleep(0.05)
    except OSError:
        pass


@contextmanager
def cards() -> Iterator[Cards]:
    """A server of cards, ended afterwards."""
    with Cards() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.ended.set()
        server.shutdown()
