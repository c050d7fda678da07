"""Asks llama.cpp how it would quantise models of several shapes, for tests/sizing/llama_cpp.json.

    pip install llama-cpp-py-sync     # into an environment of its own: a llama.cpp with llama_model_quantize
    python tools/quantised_sizes.py path/to/llama_cpp_py_sync

Each model is a file with a header and a hole in place of its weights; llama.cpp is asked for a dry run, in which it
chooses the type of each tensor and writes nothing. Mixtures of type IQ are asked for with an importance matrix.
"""

import ctypes
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

from helpers.sizing.families import FAMILIES, Numbers, tensors
from helpers.sizing.schemes import SCHEMES
from helpers.sizing.tensors import Tensor

TARGET = Path(__file__).parents[1] / "tests" / "sizing" / "llama_cpp.json"
# Of the published models: Llama 3.1 8B and 70B, Qwen2.5 0.5B, Qwen3 0.6B, Mixtral 8x7B, Qwen3 30B-A3B, Llama 2 7B,
# Gemma 2 2B, BERT base.
MODELS = {
    "eight billion": ("llama", (32, 4096, 14336, 32, 8, 128, 128256, 131072, False, 0)),
    "seventy billion": ("llama", (80, 8192, 28672, 64, 8, 128, 128256, 131072, False, 0)),
    "half a billion": ("qwen2", (24, 896, 4864, 14, 2, 64, 151936, 32768, True, 0)),
    "heads of their own length": ("qwen3", (28, 1024, 3072, 16, 8, 128, 151936, 40960, True, 0)),
    "eight experts": ("mixtral", (32, 4096, 14336, 32, 8, 128, 32000, 32768, False, 8)),
    "many experts": ("qwen3_moe", (48, 2048, 768, 32, 4, 128, 151936, 40960, False, 128)),
    "no shared keys": ("llama", (32, 4096, 11008, 32, 32, 128, 32000, 4096, False, 0)),
    "windows": ("gemma2", (26, 2304, 9216, 8, 4, 256, 256000, 8192, True, 0)),
    "sentences": ("bert", (12, 768, 3072, 12, 12, 64, 30522, 512, True, 0)),
}
LINE = re.compile(r"\] (\S+)\s+- \[.*?\], type =\s+(\S+), size.*?(?:-> .*?\((\S+)\))?\s*$", re.MULTILINE)
TYPES = {name.upper(): name for name in gguf.GGMLQuantizationType.__members__}


class Parameters(ctypes.Structure):
    """`llama_model_quantize_params` of llama.h."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("threads", "scheme", "output", "embedding")),
        *((name, ctypes.c_bool) for name in ("requantize", "quantize_output", "copy", "pure", "keep_split", "dry_run")),
        *((name, ctypes.c_void_p) for name in ("matrix", "overrides", "types", "prune")),
        ("most", ctypes.c_size_t),
    ]


class Matrix(ctypes.Structure):
    """`llama_model_imatrix_data` of llama.h."""

    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class Quantiser:
    """llama.cpp's, from the libraries in `folder`."""

    def __init__(self, folder: Path) -> None:
        for name in ("ggml-base", "ggml-cpu", "ggml-rpc", "ggml"):
            ctypes.CDLL(str(folder / f"lib{name}.so.0"), mode=ctypes.RTLD_GLOBAL)
        self.library = ctypes.CDLL(str(folder / "libllama.so"))
        self.library.llama_model_quantize_default_params.restype = Parameters
        self.said: list[str] = []
        log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        self._log = log(lambda _, text, __: self.said.append(text.decode(errors="replace")))
        self.library.llama_log_set(self._log, None)
        self.library.llama_backend_init()
        self._ones = (ctypes.c_float * 4)(1, 1, 1, 1)
        some = Matrix(b"blk.0.attn_q.weight", ctypes.cast(self._ones, ctypes.c_void_p), 4)
        self._matrix = (Matrix * 2)(some, Matrix(None, None, 0))

    def types(self, file: Path, scheme: str) -> dict[str, str]:
        """The type that each tensor of `file` would get."""
        self.said.clear()
        given = self.library.llama_model_quantize_default_params()
        given.scheme, given.dry_run, given.requantize = _number(scheme), True, True
        if scheme.startswith("IQ"):
            given.matrix = ctypes.cast(self._matrix, ctypes.c_void_p)
        target = str(file.with_suffix(".out")).encode()
        self.library.llama_model_quantize(str(file).encode(), target, ctypes.byref(given))
        found = {name: TYPES[(new or old).upper()] for name, old, new in LINE.findall("".join(self.said))}
        assert found, f"llama.cpp said nothing of {scheme}: {''.join(self.said)[-500:]}"
        return found


def _number(scheme: str) -> int:
    return int(gguf.LlamaFileType[scheme if scheme == "ALL_F32" else f"MOSTLY_{scheme}"])


def write(path: Path, family: str, n: Numbers, given: list[Tensor]) -> None:
    """A GGUF file with a header and a hole."""
    kind = FAMILIES[family]
    writer = gguf.GGUFWriter(path, kind.name)
    for key, value in (
        ("block_count", n.layers), ("context_length", n.context), ("embedding_length", n.width),
        ("feed_forward_length", n.inner), ("head_count", n.heads), ("head_count_kv", n.kv_heads),
        ("key_length", n.head), ("value_length", n.head), ("vocab_size", n.vocabulary), ("layer_norm_eps", 1e-5),
        ("layer_norm_rms_eps", 1e-5), ("causal_attention", kind.name != "bert"), ("sliding_window", 4096),
    ):  # fmt: skip
        getattr(writer, f"add_{key}")(value)
    if n.experts:
        writer.add_expert_count(n.experts)
        writer.add_expert_used_count(2)
        writer.add_expert_feed_forward_length(n.inner)
    for tensor in given:
        whole = len(tensor.shape) == 1 or any(
            one in tensor.name for one in ("position_embd", "token_types", "gate_inp")
        )
        number = np.dtype(np.float32 if whole else np.float16)
        writer.add_tensor_info(tensor.name, tensor.shape[::-1], number, tensor.elements * number.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    os.truncate(path, path.stat().st_size + sum(tensor.elements * 4 + 64 for tensor in given))


def main() -> None:
    """Ask for all models and schemes."""
    quantiser = Quantiser(Path(sys.argv[1]))
    schemes = [scheme.name for scheme in SCHEMES.values() if scheme.base and scheme.name != "F32"]
    answers = {}
    for name, (family, values) in MODELS.items():
        n = Numbers(*values)
        given = list(tensors(FAMILIES[family], n))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.gguf"
            write(file, family, n, given)
            sizes = {scheme: _size(given, quantiser.types(file, scheme)) for scheme in schemes}
        answers[name] = {"family": family, "numbers": values, "bytes": sizes}
    TARGET.write_text(json.dumps(answers, indent=1) + "\n")


def _size(given: list[Tensor], types: dict[str, str]) -> int:
    blocks = {one.name: gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[types[one.name]]] for one in given}
    return sum(one.elements // blocks[one.name][0] * blocks[one.name][1] for one in given)


if __name__ == "__main__":
    main()
