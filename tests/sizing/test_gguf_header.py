"""The header of a GGUF file is read as it is, and believed only as far as the file goes."""

import random
import struct
import tracemalloc

import gguf
import pytest

from helpers.sizing.errors import NotReadable, SizingError
from helpers.sizing.gguf_header import read
from helpers.sizing.gguf_model import of_gguf
from tests.sizing.models import gguf_file

HUGE = 2**60


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return gguf_file(tmp_path_factory.mktemp("gguf") / "whole.gguf")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.gguf"


def text(words):
    return struct.pack("<Q", len(words)) + words


def header(keys=b"", tensors=b"", *, count_of_keys=0, count_of_tensors=0, magic=b"GGUF", version=3):
    return magic + struct.pack("<IQQ", version, count_of_tensors, count_of_keys) + keys + tensors


def tensor(name=b"token_embd.weight", shape=(32, 2), kind=0, offset=0):
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + dimensions + struct.pack("<IQ", kind, offset)


def test_the_header_says_what_the_gguf_package_says(whole):
    ours, theirs = read(whole), gguf.GGUFReader(whole)
    assert [(one.name, one.shape, one.type) for one in ours.tensors] == [
        (one.name, tuple(one.shape.tolist()), one.tensor_type.name) for one in theirs.tensors
    ]
    assert ours.data == theirs.data_offset
    for key, value in ours.metadata.items():
        assert value == theirs.fields[key].contents()
    for key, length in ours.lengths.items():
        assert length == len(theirs.fields[key].data)
    assert ours.metadata.keys() | ours.lengths.keys() == {key for key in theirs.fields if not key.startswith("GGUF.")}


LIES = {
    "no GGUF": (header(magic=b"GGML"), "does not begin with GGUF"),
    "other version": (header(version=1), "is GGUF of version 1"),
    "other byte order": (header(version=0x03000000), "little-endian"),
    "many keys": (header(count_of_keys=HUGE), r"claims 1,152,921,504,606,846,976 keys"),
    "many tensors": (header(count_of_tensors=HUGE), r"claims 1,152,921,504,606,846,976 tensors"),
    "long name": (header(struct.pack("<Q", HUGE) + b" " * 64, count_of_keys=1), "ends at byte"),
    "long list": (header(text(b"key") + struct.pack("<IIQ", 9, 4, HUGE), count_of_keys=1), "ends at byte"),
    "many words": (header(text(b"key") + struct.pack("<IIQ", 9, 8, HUGE), count_of_keys=1), "words in a list"),
    "list of lists": (header(text(b"key") + struct.pack("<IIQ", 9, 9, 1), count_of_keys=1), "value of type 9"),
    "unknown value": (header(text(b"key") + struct.pack("<IQ", 99, 1), count_of_keys=1), "value of type 99"),
    "many dimensions": (header(tensors=tensor(shape=(1,) * 5), count_of_tensors=1), "has 5 dimensions"),
    "empty tensor": (header(tensors=tensor(shape=(0, 2)), count_of_tensors=1), "has no elements"),
    "unknown type": (header(tensors=tensor(kind=4711), count_of_tensors=1), "tensor of type 4711"),
    "half a block": (header(tensors=tensor(shape=(33, 2), kind=2), count_of_tensors=1), "rows of 33"),
    "weights that are not there": (header(tensors=tensor(), count_of_tensors=1), "has 256 bytes from byte 0 on"),
    "more weights than there are": (
        header(tensors=tensor(shape=(HUGE, HUGE)), count_of_tensors=1) + b"\0" * 512,
        "and holds",
    ),
    "weights far behind": (header(tensors=tensor(offset=HUGE), count_of_tensors=1) + b"\0" * 512, "from byte"),
    "a part": (header(text(b"split.count") + struct.pack("<IH", 2, 3), count_of_keys=1), "one of 3 parts"),
    "alignment": (header(text(b"general.alignment") + struct.pack("<II", 4, 0), count_of_keys=1), "aligned to 0"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_refused_at_little_cost(file, lie):
    content, message = LIES[lie]
    file.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(NotReadable, match=message) as refused:
        read(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(file) in str(refused.value)
    assert most < 2**20, "nothing is allocated that is not there"


def test_a_file_that_is_cut_short_is_refused_wherever_it_was_cut(whole, file):
    content = whole.read_bytes()
    for length in [*range(64), *range(64, len(content), 1997), len(content) - 1]:
        file.write_bytes(content[:length])
        with pytest.raises(NotReadable, match=r"cut short|does not begin|cannot be read"):
            read(file)


def test_a_damaged_file_is_read_or_refused_and_nothing_else(whole, file):
    content, chance = whole.read_bytes(), random.Random(9)
    data, refused = read(whole).data, 0
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(data)] = chance.randrange(256)
        file.write_bytes(damaged)
        try:
            assert of_gguf(file).parameters < len(content)
        except SizingError:
            refused += 1
    assert refused > 30, "some damage is seen"


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.gguf"):
        with pytest.raises(NotReadable, match="Give the path of a GGUF file"):
            read(path)
