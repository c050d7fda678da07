"""What an engine needs beside weights and cache: intermediate results, vocabulary, libraries, the process itself.

llama.cpp's figures are measured on the workshop's endpoint (xllamacpp 2026.10, x86-64 with AVX-512, Linux), as what
stays of a runner's resident memory when weights, repacked weights and cache are taken away: 136.8 MB with 152 thousand
words (Qwen2.5-Coder-1.5B), 94.6 MB with 49 thousand (SmolLM2-135M), 70.2 MB with 31 thousand and no merges
(all-MiniLM-L6-v2). No vLLM was measured here, for want of a GPU: see `vllm`.
"""

from helpers.sizing.engines import GIB, Engine
from helpers.sizing.shape import Shape
from helpers.sizing.tensors import Tensor
from helpers.sizing.weights import size

MB = 10**6
PROCESS = 64 * MB  # Python, llama.cpp's libraries, HTTP server
CHAT = 9 * MB  # chat template, sampler, speculation
WORD, MERGE = 190, 240  # bytes of a word and of a merge in llama.cpp's tables
# repack.cpp of ggml: these are laid out anew where 8 rows fit together; Q2_K with AVX-512 only.
REPACKED = ("Q4_0", "Q4_K", "IQ4_NL", "Q2_K")
FLOAT = 4
WHOLE_TEXTS = 2048  # tokens of texts that are embedded in one piece
# vLLM's own profile of Meta-Llama-3-8B on an 80 GB H100: 14.96 GiB of weights, 1.79 GiB outside of PyTorch, 1.26 GiB
# of activations for 8,192 tokens; on two GPUs, 3.58 GiB outside of PyTorch on each (vLLM, pull request 10511).
CUDA = int(1.79 * GIB)
COLLECTIVES = int(1.79 * GIB)


def repacked(tensors: list[Tensor]) -> int:
    """Bytes of the copies that llama.cpp makes of weights, beside the file that it maps."""
    return sum(
        size(tensor)
        for tensor in tensors
        if tensor.type in REPACKED and tensor.layer is not None and tensor.shape[1] % 8 == 0
    )


def vocabulary(shape: Shape) -> int:
    """Bytes of llama.cpp's tables of words and, for byte-pair encoding, merges."""
    return shape.vocabulary * (WORD + (MERGE if shape.causal else 0))


def process(shape: Shape) -> int:
    """Bytes of llama.cpp's process without a model."""
    return PROCESS + (CHAT if shape.causal else 0)


def compute(shape: Shape, engine: Engine) -> int:
    """Bytes of intermediate results that a prompt makes llama.cpp touch, and of the logits that are sampled from.

    A batch of tokens has three rows as wide as the feed-forward part and four as wide as the model, in 32 bit. What
    reads texts as a whole computes them in one piece, and keeps how much each token heeds each other, for all heads;
    a causal model on llama.cpp does not, thanks to flash attention.
    """
    if shape.causal:
        return engine.batch * _rows(shape) * FLOAT + engine.slots * shape.vocabulary * FLOAT
    batch = max(shape.context, WHOLE_TEXTS)
    return batch * (_rows(shape) + shape.heads * batch) * FLOAT


def logits(shape: Shape, engine: Engine) -> int:
    """Bytes that are reserved for the logits of a whole batch, and touched when a request asks for all of them."""
    return engine.batch * shape.vocabulary * FLOAT * shape.causal


def vllm(shape: Shape, engine: Engine) -> int:
    """Bytes of vLLM's activations on one GPU, predicted: a step of `batch` tokens in 16 bit, and the logits of
    `slots` requests in 16 bit and twice in 32. For the profile above that makes 1.21 GiB, vLLM found 1.26.
    """
    return engine.batch * _rows(shape) * 2 + engine.slots * shape.vocabulary * (2 + FLOAT + FLOAT)


def _rows(shape: Shape) -> int:
    return 3 * _inner(shape) + 4 * shape.width


def _inner(shape: Shape) -> int:
    """The width of the feed-forward part, of one expert where there are some."""
    return max(
        (
            tensor.shape[1]
            for tensor in shape.tensors
            if tensor.name.endswith("ffn_up.weight") or tensor.name.endswith("ffn_up_exps.weight")
        ),
        default=4 * shape.width,
    )
