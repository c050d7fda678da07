"""Reads along with one HTTP/1.1 connection: what each message is, how large, and which classified values are in it.

It changes nothing and holds nothing back. What it saw is told before the bytes are passed on, so whoever has an answer
finds it in the ledger. What is not HTTP is told too, as bytes that nobody could read.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httptools

from helpers.sites.classified import Classified, Reader
from helpers.sites.content import Content
from helpers.sites.ledger import Crossing
from helpers.sites.operations import Operation, operation

Tell = Callable[[Crossing], None]
UNKNOWN = Operation("HTTP", "")


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


class Message:
    """One request or answer under way: what is told of it, and who reads it."""

    def __init__(self, tap: Tap, crossing: Crossing) -> None:
        self.tap, self.crossing = tap, crossing
        self.headers: dict[str, str] = {}
        self.reader = Reader(tap.classified)
        self.content = Content({}, self.reader)
        self._told: object = None

    def name(self, what: Operation) -> None:
        """Say which operation it is, without the classified values that its name may hold."""
        self.crossing.protocol = what.protocol
        self.crossing.operation = self.tap.classified.redact(what.name)

    def tell(self, opaque: bool) -> None:
        """Tell the ledger, if there is more to tell than last time."""
        if not opaque:
            self.crossing.classified, self.crossing.unread = self.reader.counts, self.content.unread
        state = (self.crossing.whole, self.crossing.unread, len(self.reader.found))
        if state != self._told:
            self._told = state
            self.tap.tell(self.crossing)


class Direction:
    """The messages of one direction. The `on_…` methods are what httptools calls."""

    def __init__(self, tap: Tap, source: str, target: str) -> None:
        self.tap, self.source, self.target = tap, source, target
        self.message: Message | None = None
        self.opaque = False
        self.parser = self.new_parser()

    def new_parser(self) -> Parser:
        raise NotImplementedError  # abstract

    def operation(self, document: object) -> Operation:
        """What the message is, as far as one can tell from its head and the JSON of its body."""
        raise NotImplementedError  # abstract

    def feed(self, data: bytes) -> None:
        """Read what is about to cross."""
        if not self.opaque:
            self._parse(data)
        if self.message:
            self.message.crossing.bytes += len(data)
            self.message.crossing.unread += len(data) if self.opaque else 0
            self.message.tell(self.opaque)

    def close(self) -> None:
        """Tell what is known of a message that ends with the connection."""
        if self.message and not self.message.crossing.whole and self.message.crossing.bytes:
            self.message.content.end()
            self.message.tell(self.opaque)

    def become_opaque(self, protocol: str, name: str) -> None:
        self.close()
        self.opaque = True
        self._begin()
        self.current.name(Operation(protocol, name))

    @property
    def current(self) -> Message:
        assert self.message
        return self.message

    def on_message_begin(self) -> None:
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.current.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.current.reader.read(self.current.headers.items())
        self.current.content = Content(self.current.headers, self.current.reader)
        self.current.name(self.operation(None))

    def on_body(self, body: bytes) -> None:
        self.current.content.feed(body)

    def on_message_complete(self) -> None:
        self.current.name(self.operation(self.current.content.end()))
        self.current.crossing.whole = True

    def _begin(self) -> None:
        self.message = Message(self.tap, Crossing(self.source, self.target))

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.parser = self.new_parser()  # it is asked for; the answer decides
        except httptools.HttpParserError:
            self.tap.become_opaque("TCP", "not HTTP")


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
        self.current.reader.read([("", self.url.decode("latin-1"))])
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
        self.asked = self.tap.asked[0] if self.tap.asked else Asked()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.current.crossing.status = self.responses.get_status_code()
        if self.asked.method == "HEAD":
            self.on_message_complete()

    def on_message_complete(self) -> None:
        if self.current.crossing.whole:
            return  # an answer to HEAD was whole with its head
        super().on_message_complete()
        status = self.current.crossing.status or 0
        if status == 101:
            self.tap.become_opaque("WebSocket", self.current.crossing.operation)
        elif status > 199 and self.tap.asked:  # 1xx comes before the answer
            self.tap.asked.popleft()

    def _parse(self, data: bytes) -> None:
        if self.message and self.message.crossing.whole and self.asked.method == "HEAD":
            self.parser = self.new_parser()  # it waits for a body that an answer to HEAD does not have
        super()._parse(data)
