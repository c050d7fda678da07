"""A model's shape from the header of its GGUF file.

What the metadata says is held against the tensors: a header that names 28 layers over tensors of 2 is refused.
"""

from pathlib import Path
from typing import Any

import gguf

from helpers.sizing.errors import Contradiction, NotReadable, UnknownFamily
from helpers.sizing.gguf_header import Header, read
from helpers.sizing.shape import Shape
from helpers.sizing.tensors import Tensor

MOST_LAYERS = 512  # llama.cpp's own limit, LLAMA_MAX_LAYERS
MOST_HEADS = 4096  # and numbers in one
MOST_CONTEXT = 2**31 - 1  # tokens are counted in 32 bits
# Every n-th layer looks back over the whole text, the others over a window: llama.cpp's src/models, where the file does
# not say.
EVERY = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2}
RECURRENT = (
    "ssm.",
    "wkv.",
    "shortconv.",
    "attention.kv_lora_rank",
)  # such keys tell a state in place of a cache, or a compressed one


def of_gguf(path: Path, name: str = "") -> Shape:
    """The shape of the model in a GGUF file, called `name` or as the file says.

    Raises:
        NotReadable: it is no GGUF file, is cut short, or claims more than it holds.
        Contradiction: its metadata and its tensors cannot both be true.
        UnknownFamily: it keeps something else of a text than keys and values.
    """
    header = read(path)
    return _Of(path, header).shape(name)


class _Of:
    def __init__(self, path: Path, header: Header) -> None:
        self.path, self.header = path, header
        self.family = str(header.metadata.get("general.architecture", ""))
        if not self.family:
            raise NotReadable(f"{path} names no architecture: it may be a part of a model. Give the whole one.")

    def shape(self, name: str) -> Shape:
        self._check_family()
        layers, heads = self._layers(), self._whole("attention.head_count", MOST_HEADS)
        width = self._width()
        kv_heads = self._kv_heads(layers, heads)
        key = self._whole("attention.key_length", MOST_HEADS, width // heads)
        names = {tensor.name for tensor in self.header.tensors}
        window, windowed = self._window(layers)
        return Shape(
            name=name or str(self.header.metadata.get("general.name", self.path.stem)),
            family=self.family,
            layers=layers,
            width=width,
            heads=heads,
            kv_heads=kv_heads,
            key=key,
            value=self._whole("attention.value_length", MOST_HEADS, key),
            vocabulary=self._embedding().shape[1],
            context=self._whole("context_length", MOST_CONTEXT),
            tensors=self.header.tensors,
            tied="output.weight" not in names,
            experts=self._whole("expert_count", 4096, 0),
            window=window,
            windowed=windowed,
            causal=bool(self._get("attention.causal", True)),
            stored=self._stored(),
        )

    def _check_family(self) -> None:
        found = [key for key in self.header.metadata if any(f"{self.family}.{word}" in key for word in RECURRENT)]
        if found:
            raise UnknownFamily(
                f"{self.path} is of the family {self.family}, which keeps no plain keys and values ({found[0]}). "
                "Its memory cannot be computed here: load it once and look, or choose another model."
            )

    def _layers(self) -> int:
        said = self._whole("block_count", MOST_LAYERS)
        there = {tensor.layer for tensor in self.header.tensors} - {None}
        if there != set(range(said)):
            raise Contradiction(
                f"{self.path} says that it has {said} layers and holds tensors of {len(there)}: it is damaged, or a "
                "part of a model. Fetch it again, or join its parts with llama-gguf-split --merge."
            )
        return said

    def _width(self) -> int:
        said, row = self._whole("embedding_length", 2**20), self._embedding().row
        if said != row:
            raise Contradiction(
                f"{self.path} says that its embedding has {said} numbers a word, and holds {row}. Fetch it again."
            )
        return said

    def _embedding(self) -> Tensor:
        for tensor in self.header.tensors:
            if tensor.name == "token_embd.weight" and len(tensor.shape) == 2:
                return tensor
        raise NotReadable(f"{self.path} has no token_embd.weight: it is no language model. Give another file.")

    def _kv_heads(self, layers: int, heads: int) -> tuple[int, ...]:
        said = self._get("attention.head_count_kv", heads)
        each = said if isinstance(said, list) else [said] * layers
        if len(each) != layers or not all(isinstance(one, int) and 0 <= one <= heads for one in each):
            raise Contradiction(
                f"{self.path} says head_count_kv = {str(said)[:80]}, for {heads} heads. Fetch it again."
            )
        return tuple(each)

    def _window(self, layers: int) -> tuple[int, int]:
        window = self._whole("attention.sliding_window", MOST_CONTEXT, 0)
        if not window:
            return 0, 0
        pattern = self._get("attention.sliding_window_pattern", EVERY.get(self.family, 0))
        if isinstance(pattern, list):  # whether each layer has a window
            return window, sum(map(bool, pattern[:layers]))
        return window, layers - layers // pattern if pattern else 0

    def _stored(self) -> str:
        try:
            kind = str(gguf.LlamaFileType(self.header.metadata["general.file_type"]).name)
        except (KeyError, ValueError):
            return ""
        return kind.removeprefix("MOSTLY_").removeprefix("ALL_")

    def _get(self, key: str, default: Any) -> Any:  # noqa: ANN401 - a GGUF value is of any type
        return self.header.metadata.get(f"{self.family}.{key}", default)

    def _whole(self, key: str, most: int, default: int | None = None) -> int:
        value = self._get(key, default)
        if isinstance(value, int) and (1 <= value <= most or value == default):
            return value
        raise Contradiction(
            f"{self.path} says {self.family}.{key} = {str(value)[:80]}, which should be a whole number from 1 to "
            f"{most:,}. Fetch it again, or give another file."
        )
