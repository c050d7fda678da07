"""OTLP over HTTP: requests are unpacked and read, answers and errors written, as protobuf or as JSON.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import base64
import gzip
import io
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from helpers.tracing.errors import TooLarge, TracingError, WrongType
from helpers.tracing.spans import Malformed

LIMIT = 16 * 2**20  # bytes of a request, unpacked
PROTOBUF, JSON = "application/x-protobuf", "application/json"
IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
WORDS = 300  # characters of an error that are told
HEX = re.compile(r"([0-9a-fA-F]{2})*")
CODES = {  # of gRPC, by HTTP status
    408: code_pb2.DEADLINE_EXCEEDED,
    413: code_pb2.RESOURCE_EXHAUSTED,
    429: code_pb2.RESOURCE_EXHAUSTED,
    500: code_pb2.INTERNAL,
    503: code_pb2.UNAVAILABLE,
}
M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Form:
    """How a request is written, and so its answer."""

    content_type: str  # PROTOBUF or JSON
    packed: bool  # with gzip

    @classmethod
    def of(cls, content_type: str, encoding: str) -> "Form":
        """The form that these headers tell of.

        Raises:
            WrongType: one that is not taken.
        """
        kind = media_type(content_type)
        if kind not in (PROTOBUF, JSON):
            raise WrongType(f"Content-Type {content_type!r} is not taken: send {PROTOBUF} or {JSON}.")
        packing = encoding.strip().lower()
        if packing not in ("", "identity", "gzip"):
            raise WrongType(f"Content-Encoding {encoding!r} is not taken: send gzip, identity, or none.")
        return cls(kind, packing == "gzip")

    def decode(self, body: bytes, into: type[M], most: int = LIMIT) -> M:
        """The request in a body; fields that are not known are passed over.

        Raises:
            Malformed: it is none.
            TooLarge: it has more than `most` bytes when it is unpacked.
        """
        content = unpacked(body, most) if self.packed else body
        if len(content) > most:
            raise too_large(most)
        return _from_json(content, into) if self.content_type == JSON else _from_protobuf(content, into)

    def encode(self, message: Message) -> bytes:
        """An answer."""
        if self.content_type == JSON:
            return str(json_format.MessageToJson(message, indent=None)).encode()
        return bytes(message.SerializeToString())


def media_type(content_type: str) -> str:
    """A content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def status(error: TracingError) -> Status:
    """An error as OTLP tells it."""
    return Status(code=CODES.get(error.status, code_pb2.INVALID_ARGUMENT), message=str(error))


def too_large(most: int) -> TooLarge:
    """What to say of a request that is larger than `most` bytes."""
    return TooLarge(
        f"The request is larger than {most:,} bytes. Send smaller batches, for example "
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=128."
    )


def unpacked(body: bytes, most: int) -> bytes:
    """What was packed with gzip, and no more of it than `most` bytes and one: a bomb is not unpacked whole.

    Raises:
        Malformed: it is no gzip, or not whole.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            return file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Malformed(f"The body is not what gzip makes: {error}.") from error


def _from_protobuf(body: bytes, into: type[M]) -> M:
    message: M = into()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise Malformed(f"The body is no {into.__name__} in protobuf: {error}.") from error
    return message


def _from_json(body: bytes, into: type[M]) -> M:
    try:
        document = json.loads(body, object_hook=_with_base64)
        if not isinstance(document, dict):
            raise Malformed(f"The body is no {into.__name__} in JSON: it is of type {type(document).__name__}.")
        message: M = into()
        json_format.ParseDict(document, message, ignore_unknown_fields=True)
        return message
    except Malformed:
        raise
    except (ValueError, json_format.Error, RecursionError, OverflowError, SystemError) as error:
        # Infinity for a whole number is an OverflowError to protobuf, half a surrogate pair a SystemError.
        raise Malformed(f"The body is no {into.__name__} in JSON: {_short(error)}.") from error


def _short(error: Exception) -> str:
    """What an error says; it may quote the whole body, and what is no text."""
    return str(error).encode(errors="replace").decode()[:WORDS].rstrip(".")


def _with_base64(document: dict[str, Any]) -> dict[str, Any]:
    """OTLP writes ids in hex, where protobuf's own JSON has base64."""
    for name in IDS:
        if name in document:
            document[name] = _base64(name, document[name])
    return document


def _base64(name: str, value: object) -> str | None:
    if value is None:  # a field that is not set
        return None
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise Malformed(f"{name} has to be in hex, and is {json.dumps(value)[:80]}.")
    return base64.b64encode(bytes.fromhex(value)).decode()
