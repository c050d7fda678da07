"""The content of one message: decompressed, and read as what it says it is."""

import contextlib
import re
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator

from helpers.sites import protobuf
from helpers.sites.classified import Reader
from helpers.sites.operations import parsed
from helpers.sites.readings import texts

MOST = 16 * 2**20  # bytes that are kept to be read; what is more is told as unread
PROTOBUF = ("application/x-protobuf", "application/protobuf")
STREAMS = ("text/event-stream", "application/x-ndjson", "application/jsonl")
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
COMPRESSED = (["gzip"], ["x-gzip"], ["deflate"])
CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
FIELD = re.compile(rb"data|event|id|retry|")
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Content:
    """Takes a body as it arrives. A stream is read line by line, anything else when it is whole."""

    def __init__(self, headers: dict[str, str], reader: Reader) -> None:
        codings = _codings(headers)
        self.size = 0
        self.unread = 0
        self._readable = not codings or codings in COMPRESSED
        self._reader = reader
        kind = headers.get("content-type", "").lower()
        self._kind = kind.split(";")[0].strip()
        self._stream = self._kind in STREAMS
        self._charset = _charset(kind)
        self._inflate = zlib.decompressobj(GZIP_OR_ZLIB) if codings else None
        self._kept = bytearray()

    @property
    def waiting(self) -> int:
        """How many bytes wait for the rest of their line or body before they are read."""
        return len(self._kept)

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self.size += len(data)
        plain = self._plain(data)
        self._kept += plain
        if self._stream and b"\n" in plain:
            *lines, rest = bytes(self._kept).split(b"\n")
            self._kept = bytearray(rest)
            for line in lines:
                self._read_line(line)

    def end(self) -> object:
        """Read what is left. Returns the whole body's JSON, or None where it was none."""
        kept, self._kept = bytes(self._kept), bytearray()
        if self._stream:
            self._read_line(kept)
            return None
        document = parsed(kept) if kept else None
        if document is not None:
            self._reader.read((None, text) for _, text in _leaves(document))
        elif kept:
            self._reader.read((None, text) for text in self._plain_texts(kept))
        return document

    def _plain(self, data: bytes) -> bytes:
        room = MOST - len(self._kept)
        if not self._readable or room <= 0:
            plain, left = b"", data
        elif self._inflate is None:
            plain, left = data[:room], data[room:]
        else:
            plain, left = self._inflated(self._inflate, data, room)
        self.unread += len(left)
        return plain

    def _inflated(self, inflate: "zlib._Decompress", data: bytes, room: int) -> tuple[bytes, bytes]:
        """What `data` was before it was compressed, at most `room` bytes, and what of it is left."""
        plain = b""
        while data and len(plain) < room:
            if inflate.eof:  # several compressed files, one after the other, are one
                inflate = self._inflate = zlib.decompressobj(GZIP_OR_ZLIB)
            try:
                plain += inflate.decompress(data, room - len(plain))
            except zlib.error:
                self._readable = False
                break
            data = inflate.unconsumed_tail or inflate.unused_data
        return plain, data

    def _read_line(self, line: bytes) -> None:
        """One line of a stream: of server-sent events, `data: ...`, or JSON by itself."""
        field, colon, rest = line.rstrip(b"\r").partition(b":")
        content = rest.removeprefix(b" ") if colon and FIELD.fullmatch(field) else line
        document = parsed(content)
        if document is None:
            self._reader.read([(field, self._text(content))])
        else:
            self._reader.read(_leaves(document))

    def _plain_texts(self, content: bytes) -> list[str]:
        if self._kind in PROTOBUF:
            with contextlib.suppress(ValueError):
                return protobuf.texts(content)
        return [self._text(content)]

    def _text(self, content: bytes) -> str:
        """`content` as text. What is none is told as unread, although one may still find something in it."""
        try:
            text = getincrementaldecoder(self._charset)().decode(content)  # its last character may not be whole
        except (UnicodeError, LookupError):
            self.unread += len(content)
            return texts(content)
        if NO_TEXT.search(text):
            self.unread += len(content)
        return text.replace("\0", "")


def _codings(headers: dict[str, str]) -> list[str]:
    both = f"{headers.get('content-encoding', '')},{headers.get('transfer-encoding', '')}".lower().split(",")
    return [coding for each in both if (coding := each.strip()) not in ("", "identity", "chunked")]


def _charset(kind: str) -> str:
    """The charset that a content type names; "" where it names none that Python knows."""
    name = named[1] if (named := CHARSET.search(kind)) else "utf-8"
    try:
        " ".encode(name)
    except (LookupError, UnicodeError):
        return ""
    return name


def _leaves(document: object) -> Iterator[tuple[object, str]]:
    """Every text, number and key of a JSON document, with its place. Not recursive, so that depth does no harm."""
    left: list[tuple[object, object]] = [("", document)]
    while left:
        place, value = left.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                yield None, key
                left.append((hash((place, key)), inner))  # its length does not grow with depth
        elif isinstance(value, list):
            left += [(hash((place, index)), inner) for index, inner in enumerate(value)]
        elif isinstance(value, str | int | float):
            yield place, str(value)
