"""The tensors of a model, under llama.cpp's names: `blk.3.ffn_down.weight` is layer 3's."""

import math
import re
from dataclasses import dataclass

LAYER = re.compile(r"^blk\.(\d+)\.")


@dataclass(frozen=True)
class Tensor:
    """`shape` is as GGUF has it: the length of a row first. `type` is ggml's, such as `Q4_K`; empty: not yet chosen."""

    name: str
    shape: tuple[int, ...]
    type: str = ""

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def row(self) -> int:
        """How many numbers a row holds; quantisation packs whole blocks of a row."""
        return self.shape[0]

    @property
    def layer(self) -> int | None:
        """Which layer it belongs to, from 0; None for the embedding and the output."""
        found = LAYER.match(self.name)
        return int(found[1]) if found else None

    @property
    def part(self) -> str:
        """What it is in its layer: `blk.3.ffn_down.weight` is `ffn_down`, as is `blk.3.ffn_down_exps.weight`."""
        name = LAYER.sub("", self.name).rsplit(".", 1)[0]
        return name.removesuffix("_exps").removesuffix("_shexp")
