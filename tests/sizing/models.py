"""Small models for tests, all of them invented: GGUF files as the gguf package writes them."""

import gguf
import numpy as np

from helpers.sizing.families import FAMILIES, Numbers, tensors
from helpers.sizing.shape import Shape

SMALL = Numbers(2, 64, 128, 4, 2, 16, 96, 512, False, 0)


def gguf_file(path, numbers=SMALL, family="llama", **more):
    """A GGUF file of 16-bit weights, all zero; `more` are keys of the architecture, in place of the true ones."""
    writer = gguf.GGUFWriter(path, family)
    writer.add_name("invented")
    writer.add_file_type(1)
    keys = {
        "block_count": numbers.layers,
        "context_length": numbers.context,
        "embedding_length": numbers.width,
        "attention.head_count": numbers.heads,
        "attention.head_count_kv": numbers.kv_heads,
    }
    for key, value in (keys | more).items():
        if isinstance(value, list):
            writer.add_array(f"{family}.{key}", value)
        elif isinstance(value, str):
            writer.add_string(f"{family}.{key}", value)
        elif value is not None:
            writer.add_uint32(f"{family}.{key}", value)
    writer.add_token_list([f"word {number}" for number in range(numbers.vocabulary)])
    writer.add_token_merges(["a b"] * numbers.vocabulary)
    for tensor in tensors(FAMILIES[family], numbers):
        kind = np.float32 if len(tensor.shape) == 1 else np.float16
        writer.add_tensor(tensor.name, np.zeros(tensor.shape[::-1], kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def shape_of(family, numbers):
    """The shape of a model with these numbers."""
    kind = FAMILIES[family]
    return Shape(
        "invented",
        kind.name,
        numbers.layers,
        numbers.width,
        numbers.heads,
        (numbers.kv_heads,) * numbers.layers,
        numbers.head,
        numbers.head,
        numbers.vocabulary,
        numbers.context,
        tuple(tensors(kind, numbers)),
        tied=numbers.tied,
        experts=numbers.experts,
        causal=family != "bert",
    )
