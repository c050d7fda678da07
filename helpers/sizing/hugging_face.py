"""A model's shape from Hugging Face's `config.json`, and from `model.safetensors.index.json` where it lies beside it.

The index tells which tensors there are and how many bytes they have together: whether the output is one of its own,
and whether the shape that was worked out is the model's.
"""

import json
from pathlib import Path
from typing import Any

from helpers.sizing.errors import Contradiction, NotReadable, UnknownFamily
from helpers.sizing.families import FAMILIES, Family, Numbers, tensors
from helpers.sizing.gguf_model import MOST_CONTEXT, MOST_HEADS, MOST_LAYERS
from helpers.sizing.shape import Shape, human

INDEX = "model.safetensors.index.json"
MOST_BYTES = {"config.json": 2**20, INDEX: 2**26}  # an index of 1,000 layers of 500 experts has 50 MB
SIZES = {"float32": 4, "float16": 2, "bfloat16": 2}
SLACK = 0.02  # what an index and a shape may differ by: rotary frequencies and the like are stored by some
SCHEMES = {"fp8": "FP8", "awq": "AWQ", "gptq": "GPTQ"}
TYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}


def of_config(path: Path) -> Shape:
    """The shape of the model that `config.json` at `path` describes.

    Raises:
        NotReadable: it is no such file.
        UnknownFamily: the tensors of its `model_type` are not known here.
        Contradiction: what it says cannot be true, or is not what the index says.
    """
    config = _read(path)
    nested = config.get("text_config")
    config = {**config, **nested} if isinstance(nested, dict) else config
    index = _read(path.with_name(INDEX)) if path.with_name(INDEX).is_file() else {}
    shape = of_values(config, str(path), str(config.get("_name_or_path") or path.resolve().parent.name), index)
    _check(path, config, index, shape)
    return shape


def of_values(config: dict[str, Any], source: str, name: str, index: dict[str, Any] | None = None) -> Shape:
    """The shape of the model called `name` whose `config.json`, at `source`, has these values.

    Raises:
        UnknownFamily, Contradiction: see `of_config`.
    """
    kind = str(config.get("model_type", ""))
    if kind not in FAMILIES:
        raise UnknownFamily(
            f"{source} is of the family {kind[:80] or '(none named)'!r}; known are {', '.join(FAMILIES)}. "
            "Give a GGUF file of the model: its header names every tensor."
        )
    family = FAMILIES[kind]
    return _shape(name, config, family, _Config(source, config).numbers(family, index or {}))


def _shape(name: str, config: dict[str, Any], family: Family, n: Numbers) -> Shape:
    window, windowed = _window(config, n.layers)
    return Shape(
        name=name,
        family=family.name,
        layers=n.layers,
        width=n.width,
        heads=n.heads,
        kv_heads=(n.kv_heads,) * n.layers,
        key=n.head,
        value=n.head,
        vocabulary=n.vocabulary,
        context=n.context,
        tensors=tuple(tensors(family, n)),
        tied=n.tied,
        experts=n.experts,
        window=window,
        windowed=windowed,
        causal=family.name != "bert",
        stored=_stored(config),
    )


class _Config:
    def __init__(self, source: str, config: dict[str, Any]) -> None:
        self.source, self.config = source, config

    def numbers(self, family: Family, index: dict[str, Any]) -> Numbers:
        width, heads = self._whole("hidden_size", 2**20), self._whole("num_attention_heads", MOST_HEADS)
        experts = self._whole("num_local_experts", 4096, self._whole("num_experts", 4096, 0))
        inner = self._whole("intermediate_size", 2**24)
        kv_heads = self._whole("num_key_value_heads", heads, heads)
        if heads % kv_heads:
            raise self._wrong("num_key_value_heads", kv_heads, f"a divisor of the {heads} heads")
        return Numbers(
            layers=self._whole("num_hidden_layers", MOST_LAYERS),
            width=width,
            inner=self._whole("moe_intermediate_size", 2**24, inner) if experts else inner,
            heads=heads,
            kv_heads=kv_heads,
            head=self._whole("head_dim", MOST_HEADS, max(1, width // heads)),
            vocabulary=self._whole("vocab_size", 2**26),
            context=self._whole("max_position_embeddings", MOST_CONTEXT),
            tied=self._tied(family, index),
            experts=experts,
        )

    def _tied(self, family: Family, index: dict[str, Any]) -> bool:
        names = index.get("weight_map")
        if isinstance(names, dict):
            return "lm_head.weight" not in names
        return family.name == "bert" or bool(self.config.get("tie_word_embeddings", family.tied))

    def _whole(self, key: str, most: int, default: int | None = None) -> int:
        value = self.config.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        raise self._wrong(key, value, f"a whole number from 1 to {most:,}")

    def _wrong(self, key: str, value: object, should: str) -> Contradiction:
        return Contradiction(f"{self.source} says {key} = {str(value)[:80]}, which should be {should}. Fetch it again.")


def _window(config: dict[str, Any], layers: int) -> tuple[int, int]:
    window = config.get("sliding_window")
    if not isinstance(window, int) or window < 1 or config.get("use_sliding_window") is False:
        return 0, 0
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        return window, min(layers, kinds.count("sliding_attention"))
    every = {"gemma2": 2, "gemma3_text": 6}.get(str(config.get("model_type")))
    return window, layers - layers // every if every else layers


def _stored(config: dict[str, Any]) -> str:
    given = config.get("quantization_config")
    if isinstance(given, dict):
        return SCHEMES.get(str(given.get("quant_method")), "")
    return TYPES.get(str(config.get("dtype") or config.get("torch_dtype")), "BF16")


def _check(path: Path, config: dict[str, Any], index: dict[str, Any], shape: Shape) -> None:
    """Hold the shape against the bytes that the index says, where they are plain numbers."""
    metadata = index.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    size = SIZES.get(str(config.get("dtype") or config.get("torch_dtype")))
    if not isinstance(total, int | float) or not size or "quantization_config" in config:
        return
    if abs(total / size / shape.parameters - 1) > SLACK:
        raise Contradiction(
            f"{path} makes {human(shape.parameters)} parameters, {INDEX} beside it holds {human(total / size)}. "
            "Fetch both from the same model."
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES.get(path.name, MOST_BYTES["config.json"]):
            raise ValueError(f"it has {path.stat().st_size:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise NotReadable(f"{path} cannot be read ({error}). Give a config.json of Hugging Face.") from error
    return content
