"""The content of one message: decompressed, and read as what it says it is."""

import zlib
from collections.abc import Iterator

from helpers.sites.classified import Reader
from helpers.sites.operations import parsed

MOST = 16 * 2**20  # bytes that are kept to be read; what is more is told as unread
STREAMS = ("text/event-stream", "application/x-ndjson", "application/jsonl")
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Content:
    """Takes a body as it arrives. A stream is read line by line, anything else when it is whole."""

    def __init__(self, headers: dict[str, str], reader: Reader) -> None:
        encoding = headers.get("content-encoding", "identity").strip().lower()
        self.readable = encoding in ("identity", "gzip", "x-gzip", "deflate")
        self.unread = 0
        self._reader = reader
        self._stream = headers.get("content-type", "").split(";")[0].strip().lower() in STREAMS
        self._inflate = None if encoding == "identity" else zlib.decompressobj(GZIP_OR_ZLIB)
        self._kept = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._kept += self._plain(data)
        if self._stream:
            *lines, rest = bytes(self._kept).split(b"\n")
            self._kept = bytearray(rest)
            for line in lines:
                self._read(line.removeprefix(b"data:").strip())

    def end(self) -> object:
        """Read what is left. Returns the whole body's JSON, or None where it was none."""
        kept, self._kept = bytes(self._kept), bytearray()
        return self._read(kept) if kept else None

    def _plain(self, data: bytes) -> bytes:
        room = MOST - len(self._kept)
        if not self.readable or room <= 0:
            plain, left = b"", data
        elif self._inflate is None:
            plain, left = data[:room], data[room:]
        else:
            plain, left = self._inflated(data, room)
        self.unread += len(left)
        return plain

    def _inflated(self, data: bytes, room: int) -> tuple[bytes, bytes]:
        assert self._inflate
        try:
            return self._inflate.decompress(data, room), self._inflate.unconsumed_tail
        except zlib.error:
            self.readable = False
            return b"", data

    def _read(self, content: bytes) -> object:
        document = parsed(content)
        self._reader.read([("", content.decode(errors="replace"))] if document is None else _texts(document))
        return document


def _texts(document: object) -> Iterator[tuple[str, str]]:
    """Every text, number and key of a JSON document, with its place. Not recursive, so that depth does no harm."""
    left: list[tuple[str, object]] = [("", document)]
    while left:
        place, value = left.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                yield f"{place}.{key} (key)", key
                left.append((f"{place}.{key}", inner))
        elif isinstance(value, list):
            left += [(f"{place}[{index}]", inner) for index, inner in enumerate(value)]
        elif isinstance(value, str | int | float):
            yield place, str(value)
