"""The levels of quantisation that a model can be brought to here, and which type each of its tensors then gets.

They are llama.cpp's, with the choices of its `llama_tensor_get_type`. Those whose choices depend on more than a
tensor's part (Q4_K_M, say) are left out, as are its exceptions for 70 B and for eight experts.
`helpers.sizing.schemes` predicts sizes for all; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from helpers.inference.errors import BadRequest


@dataclass(frozen=True)
class Level:
    """`base` is the type of what `parts` do not name; `output` that of the output, and of an embedding that is both."""

    name: str
    base: str
    output: str = "Q6_K"
    parts: Mapping[str, str] = field(default_factory=dict)
    shared_values: str = ""  # attn_v's where at least four query heads share a pair of keys and values


LEVELS = {
    level.name: level
    for level in (
        Level("Q8_0", "Q8_0", "Q8_0"),
        Level("Q6_K", "Q6_K"),
        Level("Q5_K_S", "Q5_K"),
        Level("Q5_1", "Q5_1"),
        Level("Q5_0", "Q5_0"),
        Level("Q4_1", "Q4_1"),
        Level("Q4_0", "Q4_0"),
        Level("Q3_K_S", "Q3_K"),
        Level("Q2_K", "Q2_K", parts=dict.fromkeys(("attn_v", "ffn_down", "attn_output"), "Q3_K"), shared_values="Q4_K"),
    )
}
# Matrices that stay as they are: small, or added as they are.
KEPT = ("_norm.", "ffn_gate_inp", "position_embd", "token_types")
# What a row takes whose length is not a multiple of 256, as blocks of these types are.
SHORTER = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}


def level_of(name: str) -> Level:
    """The level called `name`, whatever its case.

    Raises:
        BadRequest: there is none, or no file can be brought to it here.
    """
    if found := LEVELS.get(name.strip().upper()):
        return found
    raise BadRequest(f"unsupported quantization type {name[:40]!r}; here there are {', '.join(LEVELS)}")


def type_of(name: str, row: int, level: Level, tied: bool, sharing: float) -> str:
    """The type of the matrix called `name` with rows of length `row`; empty where it stays as it is.

    `tied`: the embedding is the output too. `sharing` is how many query heads share a pair of keys and values.
    """
    if not name.endswith(".weight") or any(word in name for word in KEPT):
        return ""
    part = name.removesuffix(".weight").rsplit(".", 1)[-1]
    chosen = level.parts.get(part, level.base)
    if part == "output" or (part == "token_embd" and tied):
        chosen = "Q8_0" if row % block(level.base) else level.output
    elif part == "attn_v" and level.shared_values and sharing >= 4:
        chosen = level.shared_values
    if row % block(chosen):
        chosen = SHORTER.get(chosen, "F16")
    return "F16" if row % block(chosen) else chosen


def block(kind: str) -> int:
    """How many numbers a block of the type holds."""
    return int(GGML_QUANT_SIZES[GGMLQuantizationType[kind]][0])


def sharing_of(metadata: Mapping[str, Any]) -> float:
    """How many query heads share a pair of keys and values, from a file's metadata; 1 where it does not say."""
    family = metadata.get("general.architecture", "")
    heads = metadata.get(f"{family}.attention.head_count", 1)
    pairs = metadata.get(f"{family}.attention.head_count_kv", heads)
    return float(heads / pairs) if isinstance(heads, int) and isinstance(pairs, int) and pairs else 1.0
