"""The process that brings a GGUF file to another level of quantisation, one piece of a tensor at a time.

llama.cpp's own arithmetic is used (`ggml_quantize_chunk`, which xllamacpp's library has), and the `gguf` package's to
read the old numbers. From a file that is quantised already a level can only lose: Q8_0 made from Q4_K_M is as large as
Q8_0 and as good as Q4_K_M. That is why it is called requantised.

It reads one JSON line (`Work`) from standard input, writes one for each piece done, and ends when its standard input
is closed. Memory stays bounded whatever the model's size, beside the pages of the file that is read.
"""

import ctypes
import errno
import os
import shutil
import struct
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import gguf
import numpy as np
import psutil
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from numpy.typing import NDArray
from pydantic import BaseModel

from helpers.inference.errors import InferenceError, NoSpace, QuantiserFailed
from helpers.inference.levels import LEVELS, Level, sharing_of, type_of
from helpers.sites.tether import watch

PIECE = 1 << 22  # numbers in a piece: 16 MB as floats
Bytes = NDArray[np.uint8]


class Work(BaseModel):
    """What is asked of the process."""

    source: Path
    target: Path
    level: str


class Told(BaseModel):
    """What it says: numbers done of all, or why it ended."""

    completed: int = 0
    total: int = 0
    error: str = ""
    no_space: bool = False


class Reader(gguf.GGUFReader):  # type: ignore[misc]  # the package has no types
    """The package's reader, without an array for each word of a vocabulary: 9 s and 600 MB for the chat model."""

    def _get_field_parts(self, orig_offs: int, raw_type: int) -> Any:  # noqa: ANN401 - as the package has it
        if raw_type != gguf.GGUFValueType.ARRAY:
            return super()._get_field_parts(orig_offs, raw_type)
        kind, count = struct.unpack_from("<IQ", self.data, orig_offs)
        if kind != gguf.GGUFValueType.STRING:
            return super()._get_field_parts(orig_offs, raw_type)
        end = orig_offs + 12
        for _ in range(count):
            if end + 8 > len(self.data):
                raise ValueError("it ends in its vocabulary")
            end += 8 + struct.unpack_from("<Q", self.data, end)[0]
        return end - orig_offs, [], [], [gguf.GGUFValueType.ARRAY]


@dataclass(frozen=True)
class Planned:
    """A tensor of the old file, and the type and place that it has in the new one."""

    tensor: gguf.ReaderTensor
    type: GGMLQuantizationType
    offset: int

    @property
    def bytes(self) -> int:
        """Its size in the new file."""
        packed, size = GGML_QUANT_SIZES[self.type]
        return int(self.tensor.n_elements // packed * size)


def requantise(source: Path, target: Path, level: Level) -> Iterator[tuple[int, int]]:
    """Write `source` at another level to `target`; yields how many numbers are done, and how many there are.

    Metadata is copied as it is, but for `general.file_type`.

    Raises:
        NoSpace: the disk is full.
        QuantiserFailed: the file cannot be read, or xllamacpp's library lacks the function.
    """
    reader, planned = _opened(source, level)
    try:
        with target.open("wb") as file:
            yield from _write(reader, planned, level, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise NoSpace(no_space(target, size_of(reader, planned))) from error


def plan(reader: gguf.GGUFReader, level: Level) -> list[Planned]:
    """Which type each tensor gets at `level`, and where it comes to lie, in the order of the file."""
    names = {tensor.name for tensor in reader.tensors}
    keys = [key for key in reader.fields if "head_count" in key or key == "general.architecture"]
    sharing = sharing_of({key: reader.fields[key].contents() for key in keys})
    planned, offset = [], 0
    for tensor in reader.tensors:
        kind = "" if len(tensor.shape) < 2 else _chosen(tensor, level, "output.weight" not in names, sharing)
        planned.append(Planned(tensor, GGMLQuantizationType[kind] if kind else tensor.tensor_type, offset))
        offset += -(-planned[-1].bytes // reader.alignment) * reader.alignment
    return planned


def size_of(reader: gguf.GGUFReader, planned: list[Planned]) -> int:
    """Bytes of the file to be written."""
    return int(reader.data_offset) + planned[-1].offset + planned[-1].bytes


def no_space(target: Path, size: int) -> str:
    """What to say when the disk is too small for a file of `size` bytes."""
    free = shutil.disk_usage(target.parent).free
    return (
        f"The model needs {size / 1e9:.1f} GB of disk under {target.parent}, {free / 1e9:.1f} GB are free. Free some, "
        "or choose another disk: WORKSHOP_CACHE_DIR=/path/with/space"
    )


def predicted(source: Path, level: Level) -> int:
    """Bytes of `source` at another level.

    Raises:
        QuantiserFailed: the file cannot be read.
    """
    return size_of(*_opened(source, level))


def _opened(source: Path, level: Level) -> tuple[Reader, list[Planned]]:
    try:
        reader = Reader(source)
        return reader, plan(reader, level)
    except (ValueError, IndexError, OSError, KeyError, OverflowError, struct.error) as error:
        raise QuantiserFailed(f"{source} is not a usable GGUF file ({error}). Fetch it again.") from error


def _chosen(tensor: gguf.ReaderTensor, level: Level, tied: bool, sharing: float) -> str:
    return type_of(tensor.name, int(tensor.shape[0]), level, tied, sharing)


def _write(reader: gguf.GGUFReader, planned: list[Planned], level: Level, file: BinaryIO) -> Iterator[tuple[int, int]]:
    total, done = sum(int(each.tensor.n_elements) for each in planned), 0
    file.write(_header(reader, planned, level))
    with ThreadPoolExecutor(threads := psutil.cpu_count(logical=False) or 1) as pool:
        for each in planned:
            file.write(b"\0" * (int(reader.data_offset) + each.offset - file.tell()))
            for piece, count in _in_order(pool, _pieces(each), 2 * threads):
                file.write(piece)
                done += count
                yield done, total


def _header(reader: gguf.GGUFReader, planned: list[Planned], level: Level) -> bytes:
    """The old header with the new types and places: they take as many bytes, so that nothing else moves."""
    header = bytearray(reader.data[: int(reader.data_offset)].tobytes())
    if kind := reader.fields.get("general.file_type"):
        at = kind.offset + sum(part.nbytes for part in kind.parts[:-1])
        struct.pack_into("<I", header, at, gguf.LlamaFileType[f"MOSTLY_{level.name}"])
    for each in planned:
        field = each.tensor.field
        end = field.offset + sum(part.nbytes for part in field.parts)
        struct.pack_into("<IQ", header, end - 12, each.type, each.offset)  # what an entry ends with
    return bytes(header)


def _pieces(each: Planned) -> Iterator[tuple[Any, int]]:
    """Pieces of work on whole rows, and how many numbers each is of."""
    old = GGMLQuantizationType(each.tensor.tensor_type)
    length = int(each.tensor.shape[0])
    rows = int(each.tensor.n_elements) // length
    data = each.tensor.data.reshape(rows, -1)
    step = max(1, PIECE // length)
    for start in range(0, rows, step):
        part = data[start : start + step]
        yield partial(_converted, part, old, each.type), part.shape[0] * length


def _converted(rows: NDArray[Any], old: GGMLQuantizationType, new: GGMLQuantizationType) -> bytes:
    if old == new:
        return rows.tobytes()
    return quantised(gguf.quants.dequantize(rows, old), new).tobytes()


def _in_order(pool: ThreadPoolExecutor, pieces: Iterator[tuple[Any, int]], ahead: int) -> Iterator[tuple[bytes, int]]:
    """The results in order, at most `ahead` of them computed before they are asked for."""
    waiting: deque[tuple[Future[bytes], int]] = deque()
    for work, count in pieces:
        waiting.append((pool.submit(work), count))
        if len(waiting) >= ahead:
            first, size = waiting.popleft()
            yield first.result(), size
    for future, count in waiting:
        yield future.result(), count


def quantised(rows: NDArray[np.float32], kind: GGMLQuantizationType) -> Bytes | NDArray[Any]:
    """The rows (rows x length) in blocks of `kind` (rows x bytes), by llama.cpp's own function.

    Raises:
        QuantiserFailed: xllamacpp's library lacks it.
    """
    if kind in (GGMLQuantizationType.F32, GGMLQuantizationType.F16):
        plain: NDArray[Any] = gguf.quants.quantize(rows, kind)
        return plain
    count, length = rows.shape
    packed, size = GGML_QUANT_SIZES[kind]
    given = np.ascontiguousarray(rows, np.float32)
    made = np.empty((count, length // packed * size), np.uint8)
    _library().ggml_quantize_chunk(int(kind), given.ctypes.data, made.ctypes.data, 0, count, length, None)
    return made


@cache
def _library() -> ctypes.CDLL:
    import xllamacpp  # 100 MB, and only this process needs it

    try:
        library = ctypes.CDLL(str(next(Path(xllamacpp.__file__).parent.glob("xllamacpp*.so"))))
        function = library.ggml_quantize_chunk
    except (StopIteration, OSError, AttributeError) as error:
        raise QuantiserFailed(
            f"xllamacpp's library has no ggml_quantize_chunk here ({error!r}). Make the file with llama.cpp's "
            "llama-quantize, and add it: python -m helpers.inference add FILE"
        ) from error
    function.restype = ctypes.c_size_t
    function.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3, ctypes.c_void_p]
    return library


def main() -> int:
    """Do the work on standard input's first line."""
    work = Work.model_validate_json(sys.stdin.readline())
    watch()
    try:
        for completed, total in requantise(work.source, work.target, LEVELS[work.level]):
            print(Told(completed=completed, total=total).model_dump_json(), flush=True)
    except (InferenceError, OSError) as error:
        print(Told(error=str(error), no_space=isinstance(error, NoSpace)).model_dump_json(), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
