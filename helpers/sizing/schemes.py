"""The quantisations by name, and which type llama.cpp gives each tensor.

`Q4_K_M` and its like are mixtures: what errs most (values of attention, the way down of the feed-forward part, the
output) gets more bits, in some layers more than in others. The rules are those of `llama_model_quantize`
(src/llama-quant.cpp of llama.cpp, November 2026). Mixtures of type IQ are taken to be made with an importance matrix,
as published ones are. `tests/sizing` holds the rules against llama.cpp's own choice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from helpers.sizing.errors import UnknownScheme
from helpers.sizing.shape import Shape


@dataclass(frozen=True)
class Place:
    """Which of its kind a tensor is: the `index`-th of `count`, from 0."""

    index: int
    count: int
    shape: Shape

    def early(self, part: int) -> bool:
        """Whether it is in the first `part`-th of the layers."""
        return self.index < self.count // part

    def favoured(self) -> bool:
        """Whether it is in the first or the last eighth of the layers, or is one of each three between them."""
        eighth = self.count // 8
        return self.index < eighth or self.index >= 7 * self.count // 8 or (self.index - eighth) % 3 == 2

    def worth_four(self) -> bool:
        """Whether IQ3_M gives the way down four bits: early, and in a model of eight experts where favoured."""
        return self.early(8) or (self.shape.experts == 8 and self.favoured())

    def middle(self) -> bool:
        """Whether it is in none of the first and the last eighth of the layers."""
        return self.count // 8 <= self.index < 7 * self.count // 8

    def shared(self) -> bool:
        """Whether at least four query heads share a pair of keys and values, whose bits then cost less."""
        return self.shape.sharing >= 4


Rule = str | Callable[[Place], str]  # a type of ggml, or how it follows from the place; "" is the scheme's base


@dataclass(frozen=True)
class Scheme:
    """How a model is quantised.

    llama.cpp's: `base` is the type of what `rules` do not name, by part (`attn_v`); the `output` is the embedding
    too where they are one tensor. vLLM's have `bits` for each number of a linear layer, and 16 for all others. With
    neither, tensors have the types that their file says.
    """

    name: str
    base: str = ""
    embedding: str = ""
    output: str = ""
    rules: dict[str, Rule] = field(default_factory=dict)
    bits: float = 0.0

    @property
    def tiny(self) -> bool:
        """Whether it is a mixture of two bits and fewer, which has rules of its own."""
        return self.name.startswith(("IQ1", "IQ2"))


def scheme(name: str) -> Scheme:
    """The quantisation called `name`, whatever its case: `q4_k_m`, `Q4_K_M` and `q4_K` are one.

    Raises:
        UnknownScheme: there is none of that name.
    """
    wanted = name.strip().upper().replace("-", "_")
    wanted = ALIASES.get(wanted, wanted)
    if wanted not in SCHEMES:
        raise UnknownScheme(f"{name[:80]!r} is no quantisation known here; known are {', '.join(SCHEMES)}.")
    return SCHEMES[wanted]


def _if(condition: Callable[[Place], bool], then: str, otherwise: str = "") -> Rule:
    return lambda place: then if condition(place) else otherwise


def _early(part: int, then: str, otherwise: str = "") -> Rule:
    return _if(lambda place: place.early(part), then, otherwise)


def _first(count: int, then: str, otherwise: str = "") -> Rule:
    return _if(lambda place: place.index < count, then, otherwise)


SHARED_Q4, SHARED_Q5 = _if(Place.shared, "Q4_K"), _if(Place.shared, "Q5_K")
FAVOURED = _if(Place.favoured, "Q6_K")
XS_MIDDLE = _if(Place.middle, "IQ3_XXS")


def _plain(*names: str) -> list[Scheme]:
    return [Scheme(name, base=name, output="Q8_0" if name == "Q8_0" else "Q6_K") for name in names]


def _mixture(name: str, base: str, embedding: str = "", output: str = "Q6_K", **rules: Rule) -> Scheme:
    return Scheme(name, base, embedding, output, rules)


def _two_bits(name: str, base: str, embedding: str, more: str, attn_output: str = "") -> Scheme:
    """The mixtures of two bits and fewer: what is worth more has `more`."""
    values = _if(lambda place: place.shared() or place.shape.experts >= 4, "Q4_K", more)
    rules = {"attn_v": values, "ffn_down": _early(8, more), "attn_output": attn_output}
    return Scheme(name, base, embedding, "Q5_K", rules)


SCHEMES = {
    scheme.name: scheme
    for scheme in [
        Scheme("F32", base="F32"),
        Scheme("F16", base="F16"),
        Scheme("BF16", base="BF16"),
        *_plain("Q8_0", "Q6_K"),
        _mixture("Q5_K_M", "Q5_K", attn_v=FAVOURED, ffn_down=FAVOURED),
        _mixture("Q5_K_S", "Q5_K"),
        *_plain("Q5_1", "Q5_0"),
        _mixture("Q4_K_M", "Q4_K", attn_v=FAVOURED, ffn_down=FAVOURED),
        _mixture("Q4_K_S", "Q4_K", attn_v=_first(4, "Q5_K"), ffn_down=_early(8, "Q5_K")),
        *_plain("Q4_1", "Q4_0"),
        _mixture("IQ4_NL", "IQ4_NL", attn_v=SHARED_Q5),
        _mixture("IQ4_XS", "IQ4_XS", attn_v=SHARED_Q5),
        _mixture("Q3_K_L", "Q3_K", attn_v="Q5_K", ffn_down="Q5_K", attn_output="Q5_K"),
        _mixture(
            "Q3_K_M",
            "Q3_K",
            attn_v=_first(2, "Q5_K", "Q4_K"),
            ffn_down=_early(16, "Q5_K", "Q4_K"),
            attn_output="Q4_K",
        ),
        _mixture("Q3_K_S", "Q3_K"),
        _mixture("IQ3_M", "IQ3_S", attn_v="Q4_K", ffn_down=_if(Place.worth_four, "Q4_K"), attn_output="Q4_K"),
        _mixture("IQ3_S", "IQ3_S", attn_v=SHARED_Q4),
        _mixture(
            "IQ3_XS",
            "IQ3_S",
            attn_v=SHARED_Q4,
            attn_q="IQ3_XXS",
            attn_k="IQ3_XXS",
            ffn_gate=XS_MIDDLE,
            ffn_up=XS_MIDDLE,
        ),
        _mixture(
            "IQ3_XXS",
            "IQ3_XXS",
            embedding="IQ3_S",
            output="Q5_K",
            attn_v=SHARED_Q4,
            attn_q="IQ2_S",
            attn_k="IQ2_S",
            attn_output="IQ3_S",
        ),
        _mixture("Q2_K", "Q2_K", attn_v=_if(Place.shared, "Q4_K", "Q3_K"), ffn_down="Q3_K", attn_output="Q3_K"),
        _mixture("Q2_K_S", "Q2_K", attn_v=SHARED_Q4, ffn_down=_early(8, "Q4_K")),
        _two_bits("IQ2_M", "IQ2_S", "IQ3_S", "IQ3_S", "IQ3_S"),
        _two_bits("IQ2_S", "IQ2_XS", "IQ3_S", "IQ3_S", "IQ3_S"),
        _two_bits("IQ2_XS", "IQ2_XS", "Q2_K", "Q2_K"),
        _two_bits("IQ2_XXS", "IQ2_XXS", "Q2_K", "Q2_K"),
        _two_bits("IQ1_M", "IQ1_M", "Q2_K", "Q2_K", "IQ2_XXS"),
        _two_bits("IQ1_S", "IQ1_S", "Q2_K", "Q2_K", "IQ2_XXS"),
        # Checkpoints for vLLM, of linear layers only: FP8 has a scale for each row (not counted: under 0.1 %);
        # AWQ and GPTQ have a scale of 16 bits and a zero of 4 for 128 numbers, NVFP4 a scale of 8 bits for 16.
        # Sources: vLLM's documentation of FP8 W8A8; the config of AutoAWQ and GPTQModel; NVIDIA on NVFP4.
        Scheme("FP8", bits=8),
        Scheme("AWQ", bits=4 + 20 / 128),
        Scheme("GPTQ", bits=4 + 20 / 128),
        Scheme("NVFP4", bits=4 + 8 / 16),
    ]
}
ALIASES = {
    "FP32": "F32", "FP16": "F16", "Q5_K": "Q5_K_M", "Q4_K": "Q4_K_M", "Q3_K": "Q3_K_M", "INT4": "AWQ", "FP4": "NVFP4",
}  # fmt: skip
