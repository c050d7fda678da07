"""Writes a BERT sentence-embedding model (safetensors) as the GGUF file that llama.cpp serves.

llama.cpp's own converter is not on the package index; `gguf`, the library it is written with, is. Only what
all-MiniLM-L6-v2 needs is here: WordPiece vocabulary, mean pooling, no causal mask, weights as 16-bit floats.
"""

import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

NOT_SERVED = ("embeddings.position_ids", "pooler.")
KEPT_WHOLE = ("embeddings.position_embeddings", "embeddings.token_type_embeddings")  # llama.cpp adds these as 32 bit
WORD_START = "▁"  # llama.cpp marks the beginning of a word, BERT's vocabulary marks the continuation


def write_gguf(folder: Path, target: Path, name: str) -> None:
    """Write the model in `folder` (config.json, vocab.txt, model.safetensors) to `target`. The same input gives the
    same bytes."""
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(target, "bert")
    _write_hyperparameters(writer, config, name)
    _write_vocabulary(writer, (folder / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n"))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    for key, array in sorted(load_file(folder / "model.safetensors").items()):
        if key.startswith(NOT_SERVED):
            continue
        tensor = names.get_name(key, try_suffixes=(".weight", ".bias"))
        if tensor is None:
            raise ValueError(f"{folder / 'model.safetensors'} holds a tensor that BERT does not have: {key}")
        half = array.ndim == 2 and not key.startswith(KEPT_WHOLE)
        writer.add_tensor(tensor, array.astype(np.float16 if half else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_hyperparameters(writer: gguf.GGUFWriter, config: dict[str, int], name: str) -> None:
    writer.add_name(name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _write_vocabulary(writer: gguf.GGUFWriter, words: list[str]) -> None:
    special = [word.startswith("[") and word.endswith("]") for word in words]
    writer.add_tokenizer_model("bert")
    writer.add_token_list([w if s else _piece(w) for w, s in zip(words, special, strict=True)])
    writer.add_token_types([gguf.TokenType.CONTROL if s else gguf.TokenType.NORMAL for s in special])
    writer.add_token_type_count(2)
    for role, word in (("unk", "[UNK]"), ("sep", "[SEP]"), ("pad", "[PAD]"), ("mask", "[MASK]")):
        getattr(writer, f"add_{role}_token_id")(words.index(word))
    writer.add_bos_token_id(words.index("[CLS]"))
    writer.add_eos_token_id(words.index("[SEP]"))


def _piece(word: str) -> str:
    return word[2:] if word.startswith("##") else WORD_START + word
