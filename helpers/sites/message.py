"""One HTTP message under way: what is told of it, and who reads it."""

from collections.abc import Callable

from helpers.sites.classified import Classified, Reader
from helpers.sites.content import Content
from helpers.sites.ledger import Crossing
from helpers.sites.operations import Operation

Tell = Callable[[Crossing], None]
NAME = 300  # characters of an operation's name


class Message:
    """One request or answer under way: what is told of it, and who reads it."""

    def __init__(self, tell: Tell, classified: Classified, crossing: Crossing) -> None:
        self._tell, self._classified, self.crossing = tell, classified, crossing
        self.headers: dict[str, str] = {}
        self.head: list[str] = []  # its texts
        self.reader = Reader(classified)
        self.content: Content | None = None  # None: its head is not whole, so nothing of it is read
        self.left = 0  # bytes of a body that are still to come, if that is known
        self._named: Operation | None = None
        self._told: object = None

    def add(self, name: str, value: str) -> None:
        """Take a header; several of one name are one, with commas."""
        self.head += [name, value]
        before = self.headers.get(name.lower())
        self.headers[name.lower()] = value if before is None else f"{before}, {value}"

    def read_head(self) -> None:
        """Read the head, and get ready for the body."""
        self.reader.read_head(self.head)
        self.content = Content(self.headers, self.reader)
        self.left = int(self.headers.get("content-length", 0))

    def read_frame(self, line: bytes) -> None:
        """Read what is neither head nor body: a chunk's length with its extensions, a trailer."""
        self.reader.read([("frame", text_of(line))])

    def name(self, what: Operation) -> None:
        """Say which operation it is, without the classified values that its name may hold."""
        if what == self._named:
            return
        self._named, self.crossing.protocol = what, what.protocol
        self.crossing.operation = self._classified.redact(what.name).encode(errors="replace").decode()[:NAME]

    def tell(self) -> None:
        """Tell the ledger, if there is more to tell than last time."""
        crossing, content = self.crossing, self.content
        crossing.classified = self.reader.counts
        unread = content.unread + content.waiting + self.reader.unread if content else crossing.bytes
        crossing.unread = min(unread, crossing.bytes)
        state = (crossing.bytes, crossing.whole, crossing.unread, len(self.reader.found))
        if crossing.bytes and state != self._told:
            self._told = state
            self._tell(crossing)


def text_of(part: bytes) -> str:
    """A part of a head as text: as UTF-8 if it is that, as Latin-1 otherwise, which everything is."""
    try:
        return part.decode()
    except UnicodeDecodeError:
        return part.decode("latin-1")
