"""Reads a protobuf message without its schema: OTLP comes as one, and what is in it must be told as well."""

import struct
from collections.abc import Iterator

DEPTH = 16  # messages within messages that are read; OTLP has ten
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # protobuf.dev/programming-guides/encoding


def texts(message: bytes) -> list[str]:
    """Every text and number in `message`. What may be a text or a message within is read as both.

    Raises:
        ValueError: it is no protobuf message.
    """
    found: list[str] = []
    level = list(_fields(message))
    for _ in range(DEPTH):
        found += [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in level]
        level = [inner for value in level if isinstance(value, bytes) for inner in _fields_if_any(value)]
    return found


def _fields_if_any(value: bytes) -> list[int | float | bytes]:
    try:
        return list(_fields(value))
    except ValueError:
        return []


def _fields(message: bytes) -> Iterator[int | float | bytes]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == VARINT:
            number, at = _varint(message, at)
            yield number
            continue
        if kind == BYTES:
            size, at = _varint(message, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"{kind} is no wire type")
        content = message[at : at + size]
        if len(content) < size:
            raise ValueError("ends in a field")
        at += size
        yield content if kind == BYTES else _number(content)


def _number(content: bytes) -> int | float:
    """A double or a whole number of eight bytes, whichever was more probably meant; a whole number of four."""
    if len(content) == 4:
        return int.from_bytes(content, "little")
    (double,) = struct.unpack("<d", content)
    return float(double) if 1e-9 < abs(double) < 1e18 else int.from_bytes(content, "little")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("ends in a number")
