"""How many bytes the weights of a model have in a quantisation, predicted from the shape alone.

bytes_of(shape("qwen2.5-coder:1.5b"), "Q8_0")
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from helpers.sizing.errors import UnknownScheme
from helpers.sizing.schemes import Place, Scheme, scheme
from helpers.sizing.shape import Shape
from helpers.sizing.tensors import Tensor

# What is never quantised, though it is a matrix: small, or added as it is (llama.cpp's tensor_allows_quantization).
KEPT = ("ffn_gate_inp", "position_embd", "token_types", "attn_rel_b", "altup", "laurel", "per_layer_model_proj")
# What a row takes whose length is not a multiple of 256, as blocks of these types are.
SHORTER = {
    **dict.fromkeys(("Q2_K", "Q3_K"), "Q4_0"),
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}
# With eight experts, attention's output has no more bits than the rest in these.
PLAIN_OUTPUT = ("Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "Q3_K_L", "Q2_K_S")
LINEAR = ("attn", "ffn")  # beginnings of the parts that vLLM's schemes quantise
# A file also has its vocabulary: 12 bytes of lengths and types a word and about 8 of text, and as much for each of the
# pairs that byte-pair encoding merges.
WORD = 20


def bytes_of(shape: Shape, which: str | Scheme) -> int:
    """Bytes of the weights in a quantisation, in memory and in the file.

    Raises:
        UnknownScheme: there is no such quantisation.
    """
    kind = scheme(which) if isinstance(which, str) else which
    if kind.bits:
        return sum(_in_checkpoint(tensor, kind) for tensor in shape.tensors)
    return sum(size(tensor) for tensor in quantised(shape, kind))


def file_bytes(shape: Shape, name: str) -> int:
    """Bytes of the GGUF file: weights, and a vocabulary of ordinary words.

    Raises:
        UnknownScheme: there is no such quantisation.
    """
    return bytes_of(shape, name) + vocabulary(shape)


def vocabulary(shape: Shape) -> int:
    """Bytes that a vocabulary of ordinary words has in a file."""
    return shape.vocabulary * WORD * (2 if shape.causal else 1)


def stored_bytes(shape: Shape) -> int:
    """Bytes of the weights as the types in the GGUF file's header tell: no prediction, a cross-check of one.

    Raises:
        UnknownScheme: the shape is not of a GGUF file.
    """
    if not all(tensor.type for tensor in shape.tensors):
        raise UnknownScheme(f"{shape.name} comes from a config.json, which has no types of tensors. Name a scheme.")
    return sum(size(tensor) for tensor in shape.tensors)


def size(tensor: Tensor) -> int:
    """Bytes of a tensor of its type."""
    block, packed = GGML_QUANT_SIZES[GGMLQuantizationType[tensor.type]]
    return int(tensor.elements // block * packed)


def quantised(shape: Shape, kind: Scheme) -> Iterator[Tensor]:
    """The tensors, each with the type that llama.cpp gives it; those of a scheme without a base stay as they are."""
    if not kind.base:
        yield from shape.tensors
        return
    counts = Counter(_kind(tensor) for tensor in shape.tensors if len(tensor.shape) > 1)
    seen: Counter[str] = Counter()
    for tensor in sorted(shape.tensors, key=lambda one: (-1 if one.layer is None else one.layer, one.name)):
        if not _quantisable(tensor):
            yield replace(tensor, type="F32")
            continue
        part = _kind(tensor)
        index = (tensor.layer or 0) if part.startswith("ffn") else seen[part]
        count = shape.layers if part.startswith("ffn") else counts[part]
        seen[part] += 1
        yield replace(tensor, type=_type(tensor, kind, Place(index, count, shape)))


def _type(tensor: Tensor, kind: Scheme, place: Place) -> str:
    """Source: llama_tensor_get_type_impl and tensor_type_fallback in src/llama-quant.cpp."""
    if kind.base in ("F32", "F16", "BF16"):
        return kind.base
    part = _kind(tensor)
    chosen = kind.base
    if part == "output" or (part == "token_embd" and place.shape.tied):
        chosen = kind.output if not tensor.row % _block(kind.base) else "Q8_0"
    elif part == "token_embd":
        chosen = kind.embedding or kind.base
    else:
        rule = kind.rules.get(part, "")
        chosen = _more(part, kind, place, (rule if isinstance(rule, str) else rule(place)) or kind.base)
    if tensor.row % _block(chosen):
        chosen = SHORTER.get(chosen, "F16")
    return chosen if not tensor.row % _block(chosen) else "F16"


def _more(part: str, kind: Scheme, place: Place, chosen: str) -> str:
    """What models of eight experts, and of 70 billion parameters, get beyond the scheme's rules."""
    if place.shape.experts == 8:
        if part in ("attn_v", "attn_k"):
            return "Q4_K" if kind.tiny else "Q8_0"
        if part == "attn_output":
            return kind.base if kind.name in PLAIN_OUTPUT else "Q5_K"
    if part == "attn_v" and _is_70b(place.shape) and not kind.tiny and chosen in ("Q3_K", "Q4_K"):
        return "Q5_K"
    return chosen


def _is_70b(shape: Shape) -> bool:
    return shape.layers == 80 and shape.width == 8192 and shape.family in ("llama", "qwen2")


def _kind(tensor: Tensor) -> str:
    """The part, where what holds the values is one kind, be they alone or with queries and keys."""
    part = tensor.part
    return "attn_v" if part in ("attn_qkv", "attn_kv_b") else part


def _quantisable(tensor: Tensor) -> bool:
    matrix = len(tensor.shape) > 1 and tensor.name.endswith(".weight") and "_norm." not in tensor.name
    return matrix and not any(word in tensor.name for word in KEPT)


def _block(kind: str) -> int:
    return int(GGML_QUANT_SIZES[GGMLQuantizationType[kind]][0])


def _in_checkpoint(tensor: Tensor, kind: Scheme) -> int:
    linear = _quantisable(tensor) and tensor.layer is not None and tensor.part.startswith(LINEAR)
    return int(tensor.elements * (kind.bits if linear else 16) / 8)
