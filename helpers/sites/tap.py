"""Reads along with one HTTP/1.1 connection: what each message is, how large, and which classified values are in it.

It changes nothing and holds nothing back. What it saw is told before the bytes are passed on, so whoever has an answer
finds it in the ledger. What is not HTTP, or not read yet, is told too, as bytes that nobody has read.
"""

import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import httptools

from helpers.sites.classified import Classified
from helpers.sites.ledger import Crossing
from helpers.sites.message import Message, Tell, text_of
from helpers.sites.operations import Operation, operation

UNKNOWN = Operation("HTTP", "")
UNTIL_THE_END = sys.maxsize  # an answer without a length goes on until its connection ends


class Parser(Protocol):
    """What both of httptools' parsers are."""

    def feed_data(self, data: bytes) -> None: ...


@dataclass
class Asked:
    """A request whose answer has not ended: what the answer belongs to."""

    method: str = ""
    operation: Operation = UNKNOWN


class Tap:
    """Both directions of a connection from a program of `caller` to one of `callee`."""

    def __init__(self, caller: str, callee: str, classified: Classified, tell: Tell) -> None:
        self.classified, self.tell = classified, tell
        self.asked: deque[Asked] = deque()
        self.requests = Requests(self, caller, callee)
        self.responses = Responses(self, callee, caller)

    def become_opaque(self, protocol: str, name: str) -> None:
        """From here on the connection carries what nobody here can read."""
        self.requests.become_opaque(protocol, name)
        self.responses.become_opaque(protocol, name)

    def close(self) -> None:
        """The connection has ended; tell what had begun."""
        self.requests.close()
        self.responses.close()


class Direction:
    """The messages of one direction. The `on_…` methods are what httptools calls."""

    def __init__(self, tap: Tap, source: str, target: str) -> None:
        self.tap, self.source, self.target = tap, source, target
        self.message: Message | None = None
        self.opaque = False
        self.parser = self.new_parser()
        self.switched_to: str | None = None  # the protocol, once an answer has agreed to it
        self._early = 0  # bytes before the first message: empty lines

    def new_parser(self) -> Parser:
        raise NotImplementedError  # abstract

    def operation(self, document: object) -> Operation:
        """What the message is, as far as one can tell from its head and the JSON of its body."""
        raise NotImplementedError  # abstract

    def feed(self, data: bytes) -> None:
        """Read what is about to cross."""
        for piece in self._pieces(data):
            if not self.opaque:
                self._parse(piece)
            if self.message:
                self.message.crossing.bytes += len(piece)
            else:
                self._early += len(piece)
            if self.switched_to:
                self.tap.become_opaque(self.switched_to, self.current.crossing.operation)
        if self.message:
            self.message.tell()

    def end(self, in_order: bool) -> None:
        """The sender has ended, in good order or not; if so, an answer without a length has, too."""
        if in_order and self.message and self.message.left == UNTIL_THE_END and not self.message.crossing.whole:
            self.on_message_complete()
        self.close()

    def close(self) -> None:
        """Tell what is known of a message that ends with the connection."""
        if self.message:
            if self.message.content and not self.message.crossing.whole:
                self.message.content.end()
            self.message.tell()

    def become_opaque(self, protocol: str, name: str) -> None:
        self.opaque = True
        self.switched_to = None
        self._begin()
        self.current.name(Operation(protocol, name))

    @property
    def current(self) -> Message:
        assert self.message
        return self.message

    def on_message_begin(self) -> None:
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.current.add(text_of(name), text_of(value))

    def on_headers_complete(self) -> None:
        self.current.read_head()
        self.current.name(self.operation(None))

    def on_body(self, body: bytes) -> None:
        assert self.current.content
        self.current.content.feed(body)
        if self.current.left < UNTIL_THE_END:
            self.current.left -= len(body)

    def on_message_complete(self) -> None:
        assert self.current.content
        self.current.name(self.operation(self.current.content.end()))
        self.current.crossing.whole = True

    def _begin(self) -> None:
        self.close()
        self.message = Message(
            self.tap.tell, self.tap.classified, Crossing(self.source, self.target, bytes=self._early)
        )
        self._early = 0

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """`data`, cut wherever a message can end, so that each piece is of one message."""
        start = 0
        while start < len(data):
            if self.opaque:
                stop = len(data)
            elif self.message and self.message.left > 0 and not self.message.crossing.whole:
                stop = min(len(data), start + self.message.left)
            else:  # in a head, or between chunks
                stop = data.find(b"\n", start) + 1 or len(data)
            yield data[start:stop]
            start = stop

    def _parse(self, piece: bytes) -> None:
        message, content = self.message, self.message and self.message.content
        read = content.size if content else 0
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self.parser = self.new_parser()  # it is asked for; the answer decides
        except httptools.HttpParserError:
            if not self.switched_to:
                self.tap.become_opaque("TCP", "not HTTP")
        if content and message is self.message and content.size == read:
            self.current.read_frame(piece)


class Requests(Direction):
    """What the caller sends."""

    def new_parser(self) -> Parser:
        self.requests = httptools.HttpRequestParser(self)
        return self.requests

    def operation(self, document: object) -> Operation:
        method = self.requests.get_method().decode("latin-1")
        self.asked.method = method
        self.asked.operation = operation(method, self.url.decode("latin-1"), self.current.headers, document)
        return self.asked.operation

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.url = b""
        self.asked = Asked()
        self.tap.asked.append(self.asked)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_headers_complete(self) -> None:
        self.current.head.append(text_of(self.url))
        super().on_headers_complete()


class Responses(Direction):
    """What is answered."""

    def new_parser(self) -> Parser:
        self.responses = httptools.HttpResponseParser(self)
        return self.responses

    def operation(self, document: object) -> Operation:
        return self.asked.operation

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.reason = b""
        self.asked = self.tap.asked[0] if self.tap.asked else Asked()

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_headers_complete(self) -> None:
        self.current.head.append(text_of(self.reason))
        super().on_headers_complete()
        status = self.current.crossing.status = self.responses.get_status_code()
        if not {"content-length", "transfer-encoding"} & self.current.headers.keys():
            self.current.left = UNTIL_THE_END
        if self.asked.method == "HEAD" or (self.asked.method == "CONNECT" and 199 < status < 300):
            self.on_message_complete()

    def on_message_complete(self) -> None:
        if self.current.crossing.whole:
            return  # an answer to HEAD or CONNECT was whole with its head
        super().on_message_complete()
        status = self.current.crossing.status or 0
        if status == 101 or (self.asked.method == "CONNECT" and 199 < status < 300):
            websocket = self.current.headers.get("upgrade", "").lower() == "websocket"
            self.switched_to = "WebSocket" if websocket else "TCP"
        elif status > 199 and self.tap.asked:  # 1xx comes before the answer
            self.tap.asked.popleft()

    def _parse(self, data: bytes) -> None:
        if self.message and self.message.crossing.whole and self.asked.method == "HEAD":
            self.parser = self.new_parser()  # it waits for a body that an answer to HEAD does not have
        super()._parse(data)
