"""Which tensors a model of a family has, under llama.cpp's names, from the few numbers of its `config.json`.

Sources: the modules of the transformers library (`models/<family>/modeling_<family>.py`), and llama.cpp's
`src/models` for the names and for which tensors stay in 32 bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from helpers.sizing.tensors import Tensor


@dataclass(frozen=True)
class Family:
    """How a family differs from Llama: `name` is llama.cpp's; `bias` names the projections that have one."""

    name: str
    bias: tuple[str, ...] = ()
    norms: tuple[str, ...] = ("attn_norm", "ffn_norm")
    head_norms: bool = False  # of queries and keys
    gated: bool = True  # the feed-forward part has a gate
    tied: bool = False  # when config.json does not say


GEMMA = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
FAMILIES = {
    "llama": Family("llama"),
    "mistral": Family("llama"),
    "mixtral": Family("llama"),
    "qwen2": Family("qwen2", bias=("attn_q", "attn_k", "attn_v")),
    "qwen3": Family("qwen3", head_norms=True),
    "qwen3_moe": Family("qwen3moe", head_norms=True),
    "gemma2": Family("gemma2", norms=GEMMA, tied=True),
    "gemma3_text": Family("gemma3", norms=GEMMA, head_norms=True, tied=True),
    "bert": Family(
        "bert",
        bias=("attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down"),
        norms=("attn_output_norm", "layer_output_norm"),
        gated=False,
        tied=True,
    ),
}


@dataclass(frozen=True)
class Numbers:
    """What `config.json` says. `inner` is the width of the feed-forward part, of one expert where there are some."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int
    tied: bool
    experts: int


def tensors(family: Family, n: Numbers) -> Iterator[Tensor]:
    """The tensors of such a model."""
    yield Tensor("token_embd.weight", (n.width, n.vocabulary))
    if family.name == "bert":
        yield Tensor("position_embd.weight", (n.width, n.context))
        yield Tensor("token_types.weight", (n.width, 2))
        yield from _norm("token_embd_norm", n.width, bias=True)
    else:
        yield from _norm("output_norm", n.width)
    if not n.tied:
        yield Tensor("output.weight", (n.width, n.vocabulary))
    for layer in range(n.layers):
        for tensor in (*_attention(family, n), *_feed_forward(family, n), *_norms(family, n)):
            yield Tensor(f"blk.{layer}.{tensor.name}", tensor.shape)


def _attention(family: Family, n: Numbers) -> Iterator[Tensor]:
    outer = n.heads * n.head
    for name, rows in (("attn_q", outer), ("attn_k", n.kv_heads * n.head), ("attn_v", n.kv_heads * n.head)):
        yield from _linear(family, name, n.width, rows)
    yield from _linear(family, "attn_output", outer, n.width)


def _feed_forward(family: Family, n: Numbers) -> Iterator[Tensor]:
    kinds = [("ffn_up", n.width, n.inner), ("ffn_down", n.inner, n.width)]
    if family.gated:
        kinds.append(("ffn_gate", n.width, n.inner))
    for name, row, rows in kinds:
        if n.experts:
            yield Tensor(f"{name}_exps.weight", (row, rows, n.experts))
        else:
            yield from _linear(family, name, row, rows)
    if n.experts:
        yield Tensor("ffn_gate_inp.weight", (n.width, n.experts))


def _norms(family: Family, n: Numbers) -> Iterator[Tensor]:
    for name in family.norms:
        yield from _norm(name, n.width, bias=family.name == "bert")
    if family.head_norms:
        yield from (*_norm("attn_q_norm", n.head), *_norm("attn_k_norm", n.head))


def _linear(family: Family, name: str, row: int, rows: int) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (row, rows))
    if name in family.bias:
        yield Tensor(f"{name}.bias", (rows,))


def _norm(name: str, width: int, bias: bool = False) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (width,))
    if bias:
        yield Tensor(f"{name}.bias", (width,))
