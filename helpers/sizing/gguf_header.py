"""The header of a GGUF file: its metadata and the names, shapes and types of its tensors, never their data.

The `gguf` package reads a header too, but makes an array of each word of a vocabulary: 6 to 15 s for the workshop's
chat model, and a file that claims 2^60 words is believed. Here words are skipped, every count is held against the
bytes that are there, and nothing is allocated that the file does not hold. The layout is
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; names and sizes of types come from the `gguf` package.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf

from helpers.sizing.errors import NotReadable
from helpers.sizing.tensors import Tensor

VERSIONS = (2, 3)  # version 1, of August 2023 and earlier, had other widths
SHORT = 1024  # arrays of numbers up to this length are kept: one for each layer, say
LEAST_KEY, LEAST_TENSOR = 13, 32  # bytes that a key with its value and that a tensor's entry take at least
MOST_DIMENSIONS = 4
STRING, ARRAY = 8, 9
FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}  # struct's


@dataclass(frozen=True)
class Header:
    """`lengths` are those of arrays that are not in `metadata`: words, merges. `data` is where the weights begin."""

    metadata: dict[str, Any]
    lengths: dict[str, int]
    tensors: tuple[Tensor, ...]
    data: int
    size: int


def read(path: Path) -> Header:
    """The header of the GGUF file at `path`.

    Raises:
        NotReadable: it is no GGUF file, is cut short, or claims more than it holds.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Reader(path, content).header()
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise NotReadable(f"{path} cannot be read ({error}). Give the path of a GGUF file.") from error


class _Reader:
    def __init__(self, path: Path, content: mmap.mmap) -> None:
        self.path, self.content, self.at = path, content, 0

    def header(self) -> Header:
        self._check_beginning()
        tensors, keys = self._number("Q"), self._number("Q")
        self._check_count(keys, LEAST_KEY, "keys")
        metadata: dict[str, Any] = {}
        lengths: dict[str, int] = {}
        for _ in range(keys):
            key = self._string()
            value = self._value(self._number("I"))
            (lengths if isinstance(value, _Length) else metadata)[key] = value
        self._check_whole(metadata)
        self._check_count(tensors, LEAST_TENSOR, "tensors")
        entries = [self._entry() for _ in range(tensors)]
        data = self._aligned(metadata)
        self._check_data(entries, data)
        return Header(metadata, lengths, tuple(tensor for tensor, _ in entries), data, len(self.content))

    def _check_beginning(self) -> None:
        if self._take(4) != b"GGUF":
            raise NotReadable(f"{self.path} is not a GGUF file: it does not begin with GGUF. Give another file.")
        version = self._number("I")
        if version not in VERSIONS:
            known = " or ".join(map(str, VERSIONS))
            raise NotReadable(
                f"{self.path} is GGUF of version {version}; only {known} in little-endian order can be read. "
                "Convert it with llama.cpp's newest convert_hf_to_gguf.py."
            )

    def _check_whole(self, metadata: dict[str, Any]) -> None:
        parts = metadata.get("split.count", 0)
        if isinstance(parts, int) and parts > 1:
            raise NotReadable(
                f"{self.path} is one of {parts} parts of a model. Join them: llama-gguf-split --merge FIRST-PART OUT"
            )

    def _check_count(self, count: int, least: int, what: str) -> None:
        if count * least > len(self.content) - self.at:
            raise self._lie(f"claims {count:,} {what}, which cannot fit into its {len(self.content):,} bytes")

    def _check_data(self, entries: list[tuple[Tensor, int]], data: int) -> None:
        there = len(self.content) - data
        for tensor, offset in entries:
            block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[tensor.type]]
            if tensor.row % block:
                raise self._lie(f"has rows of {tensor.row} in {tensor.name}, and {tensor.type} packs {block} at a time")
            needed = tensor.elements // block * size
            if offset + needed > there:
                raise self._lie(
                    f"says that {tensor.name} has {needed:,} bytes from byte {offset:,} on, and holds {there:,} of "
                    "weights"
                )

    def _entry(self) -> tuple[Tensor, int]:
        name, dimensions = self._string(), self._number("I")
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            raise self._lie(f"says that {name[:80]!r} has {dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))
        if not all(shape):
            raise self._lie(f"says that {name[:80]!r} has no elements")
        number, offset = self._number("I"), self._number("Q")
        try:
            kind = gguf.GGMLQuantizationType(number)
        except ValueError:
            raise self._lie(f"has a tensor of type {number}, which the gguf package does not know") from None
        return Tensor(name, shape, kind.name), offset

    def _value(self, kind: int) -> Any:  # noqa: ANN401 - a GGUF value is of any type
        if kind == STRING:
            return self._string()
        if kind == ARRAY:
            return self._array(self._number("I"), self._number("Q"))
        return self._number(self._format(kind))

    def _array(self, kind: int, count: int) -> Any:  # noqa: ANN401
        if kind == STRING:
            self._check_count(count, 8, "words in a list")
            for _ in range(count):
                self._take(self._number("Q"))
            return _Length(count)
        form = self._format(kind)
        content = self._take(count * struct.calcsize(f"<{form}"))
        return list(struct.unpack(f"<{count}{form}", content)) if count <= SHORT else _Length(count)

    def _format(self, kind: int) -> str:
        if kind not in FORMATS:
            raise self._lie(f"has a value of type {kind}, which GGUF does not have there")
        return FORMATS[kind]

    def _string(self) -> str:
        return self._take(self._number("Q")).decode("utf-8", "replace")

    def _number(self, form: str) -> Any:  # noqa: ANN401
        return struct.unpack(f"<{form}", self._take(struct.calcsize(f"<{form}")))[0]

    def _take(self, count: int) -> bytes:
        if count > len(self.content) - self.at:
            raise self._lie(f"ends at byte {len(self.content):,}, where {count:,} more are needed")
        self.at += count
        return self.content[self.at - count : self.at]

    def _aligned(self, metadata: dict[str, Any]) -> int:
        step = metadata.get("general.alignment", gguf.GGUF_DEFAULT_ALIGNMENT)
        if not isinstance(step, int) or step < 1 or step > len(self.content):
            raise self._lie(f"says that its weights are aligned to {step} bytes")
        return -(-self.at // step) * step

    def _lie(self, what: str) -> NotReadable:
        return NotReadable(f"{self.path} {what}: it is damaged or cut short. Fetch it again.")


class _Length(int):
    """How long an array is that is not kept."""
