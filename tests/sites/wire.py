"""Bytes as they come over a connection, and what the tap tells of them."""

import json
from dataclasses import replace

from helpers.sites.classified import Classified
from helpers.sites.ledger import Crossing
from helpers.sites.tap import Tap

LOOKED_FOR = Classified({"patient": ["P-1001", "P-1002", "Ada Byron"], "account": r"AC-[0-9]{5}"})


class Read:
    """A connection that is read along with; `crossings` are what was told, each as it was told last."""

    def __init__(self, classified: Classified = LOOKED_FOR) -> None:
        self._told: dict[int, tuple[Crossing, Crossing]] = {}
        self.tap = Tap("a", "b", classified, self._tell)

    def _tell(self, crossing: Crossing) -> None:
        self._told[id(crossing)] = crossing, replace(crossing, classified=dict(crossing.classified))

    @property
    def crossings(self) -> list[Crossing]:
        return [copy for _, copy in self._told.values()]

    def asks(self, *data: bytes) -> "Read":
        for each in data:
            self.tap.requests.feed(each)
        return self

    def answers(self, *data: bytes) -> "Read":
        for each in data:
            self.tap.responses.feed(each)
        return self

    def ends(self) -> "Read":
        self.tap.requests.end(True)
        self.tap.responses.end(True)
        self.tap.close()
        return self

    @property
    def only(self) -> Crossing:
        (crossing,) = self.crossings
        return crossing


def message(first: str, body: bytes = b"", *headers: str) -> bytes:
    """A request or an answer."""
    lengths = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([first, *headers, *lengths, "", ""]).encode() + body


def post(document: object, *headers: str, path: str = "/") -> bytes:
    """A request with a JSON body; bytes are sent as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return message(f"POST {path} HTTP/1.1", body, *headers)


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return message(f"HTTP/1.1 {status}", body, *headers)


def chunked(first: str, *chunks: bytes, headers: tuple[str, ...] = (), trailers: bytes = b"") -> bytes:
    """A message whose body comes in chunks."""
    parts = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    head = message(first, b"", "Transfer-Encoding: chunked", *headers)
    return head + b"".join(parts) + b"0\r\n" + trailers + b"\r\n"


GET = message("GET / HTTP/1.1", b"", "Host: b")
