"""What of a model decides how much memory it needs."""

from dataclasses import dataclass, field

from helpers.sizing.tensors import Tensor


@dataclass(frozen=True)
class Shape:
    """A model's architecture.

    `kv_heads` is how many pairs of keys and values each layer keeps for a token, layer by layer; `key` and `value` are
    how many numbers each of them has. `context` is how many tokens the model was trained for. `tied`: the embedding
    is the output too, and is stored once. `windowed` layers look back `window` tokens only. A model that is not
    `causal` reads a text as a whole and keeps nothing of it. `stored` is the scheme that the file came in.
    """

    name: str
    family: str
    layers: int
    width: int
    heads: int
    kv_heads: tuple[int, ...]
    key: int
    value: int
    vocabulary: int
    context: int
    tensors: tuple[Tensor, ...] = field(repr=False)
    tied: bool = True
    experts: int = 0
    window: int = 0
    windowed: int = 0
    causal: bool = True
    stored: str = ""

    @property
    def parameters(self) -> int:
        """How many numbers the model has, each tensor counted once."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def sharing(self) -> float:
        """How many query heads share a pair of keys and values: 1 is plain multi-head attention."""
        return self.heads / max(*self.kv_heads, 1)

    def __str__(self) -> str:
        heads = f"{self.heads} heads over {max(self.kv_heads)} of keys and values"
        tied = "embedding shared with the output" if self.tied else "output of its own"
        return (
            f"{self.name}: {self.family}, {human(self.parameters)} parameters, {self.layers} layers of {self.width}, "
            f"{heads} of {self.key}, {self.vocabulary:,} words ({tied}), trained for {self.context:,} tokens"
        )


def human(count: float) -> str:
    """`1.54 B`, `135 M`."""
    return f"{count / 1e9:.3g} B" if count >= 1e9 else f"{count / 1e6:.3g} M"
