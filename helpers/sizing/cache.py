"""How many bytes the cache of keys and values has: what a model keeps of each token, so as not to read it again.

Each layer keeps a key and a value for each of its pairs of heads; with grouped-query attention several query heads
share one pair, which is why a model with 12 query heads over 2 pairs keeps a sixth of what 12 pairs would take.
Bytes of a token = layers x pairs x (key + value) x bytes of a number (Ainslie et al., 2023, arXiv:2305.13245).
"""

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from helpers.sizing.errors import OutOfRange, UnknownScheme
from helpers.sizing.shape import Shape

FP8 = "FP8"  # vLLM's, a byte a number
TYPES = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL", FP8)  # llama.cpp's --cache-type-k


def token_bytes(shape: Shape, kind: str = "F16") -> float:
    """Bytes that one token takes in all layers.

    Raises:
        UnknownScheme: `kind` is no type that a cache can have.
    """
    numbers = sum(shape.kv_heads) * (shape.key + shape.value) if shape.causal else 0
    return numbers * number_bytes(kind)


def bytes_of(shape: Shape, context: int, parallel: int = 1, kind: str = "F16", step: int = 256) -> int:
    """Bytes for `parallel` requests of up to `context` tokens each.

    A layer with a window keeps no more than the window. Tokens are kept in pieces of `step`: 256 in llama.cpp, 16 in
    vLLM.

    Raises:
        OutOfRange: the context is longer than the model was trained for, or there is less than one request.
        UnknownScheme: see `token_bytes`.
    """
    check(shape, context, parallel)
    each = token_bytes(shape, kind) / shape.layers
    whole = _pieces(context, step) * (shape.layers - shape.windowed)
    windows = _pieces(min(context, shape.window + step), step) * shape.windowed
    return int(each * (whole + windows)) * parallel


def check(shape: Shape, context: int, parallel: int) -> None:
    """Refuse what no engine would load.

    Raises:
        OutOfRange: the context is longer than the model was trained for, or there is less than one request.
    """
    if not 1 <= context <= shape.context:
        raise OutOfRange(
            f"A context of {context:,} tokens: {shape.name} was trained for {shape.context:,}. Ask for 1 to that many."
        )
    if parallel < 1:
        raise OutOfRange(f"{parallel} requests at a time: ask for at least one.")


def number_bytes(kind: str) -> float:
    """Bytes of one number in the cache.

    Raises:
        UnknownScheme: `kind` is no type that a cache can have.
    """
    wanted = kind.strip().upper()
    if wanted not in TYPES:
        raise UnknownScheme(f"{kind[:80]!r} is no type of cache; known are {', '.join(TYPES)}.")
    if wanted == FP8:
        return 1.0
    block, packed = GGML_QUANT_SIZES[GGMLQuantizationType[wanted]]
    return float(packed) / float(block)


def _pieces(tokens: int, step: int) -> int:
    return -(-tokens // step) * step
