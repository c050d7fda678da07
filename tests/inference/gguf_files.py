"""Small GGUF files with weights of chance, for tests that rewrite such files. No model: nothing that could be run."""

from pathlib import Path

import gguf
import numpy as np

WIDTH, WORDS, LAYERS = 512, 300, 2


def write(path: Path, kind: str = "F16", width: int = WIDTH, seed: int = 1) -> Path:
    """A file of llama's architecture at `path`, its matrices of type `kind`."""
    writer = gguf.GGUFWriter(path, "llama")
    chance = np.random.default_rng(seed)
    writer.add_name("of chance")
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind}"])
    writer.add_head_count(8)
    writer.add_head_count_kv(2)
    writer.add_context_length(64)
    writer.add_token_list([f"word {number}" for number in range(WORDS)])
    writer.add_token_scores([0.5] * WORDS)
    writer.add_string("tokenizer.chat_template", "{{ messages }} tools")
    _matrix(writer, chance, "token_embd.weight", WORDS, width, kind)
    for layer in range(LAYERS):
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", chance.normal(size=width).astype(np.float32))
        for part in ("attn_q", "attn_v", "attn_output", "ffn_up", "ffn_down"):
            _matrix(writer, chance, f"blk.{layer}.{part}.weight", width, width, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _matrix(writer: gguf.GGUFWriter, chance: np.random.Generator, name: str, rows: int, width: int, kind: str) -> None:
    numbers = chance.normal(scale=0.02, size=(rows, width)).astype(np.float32)
    type_ = gguf.GGMLQuantizationType[kind]
    writer.add_tensor(name, gguf.quants.quantize(numbers, type_), raw_dtype=type_)


def tensors(path: Path) -> dict[str, tuple[str, np.ndarray]]:
    """Type and numbers of each tensor."""
    found = gguf.GGUFReader(path).tensors
    return {each.name: (each.tensor_type.name, gguf.quants.dequantize(each.data, each.tensor_type)) for each in found}
