"""How much memory a model needs, part by part.

    print(needs("qwen2.5-coder:1.5b", "Q4_K_M", context=16384, engine="endpoint"))
    needs("Llama-3.1-8B", "FP8", context=8192, parallel=16, engine="vllm").table()

The sum for the workshop's chat model on the workshop's endpoint is held against the measured memory of its process
(`tests/sizing/test_calibration.py`). For vLLM there was no GPU to measure on.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from helpers.sizing import cache, engines, overhead, schemes, weights
from helpers.sizing.engines import Engine
from helpers.sizing.readers import shape
from helpers.sizing.schemes import Scheme
from helpers.sizing.shape import Shape

Split = Literal["tensors", "heads", "none"]
DEFAULT_CONTEXT = 8192


@dataclass(frozen=True)
class Part:
    """Bytes of one thing. Over several GPUs `tensors` are split, caches by their `heads`; `none` each GPU has whole."""

    name: str
    bytes: int
    why: str
    split: Split = "none"


@dataclass(frozen=True)
class Memory:
    """What a model needs on an engine: `parts` once it is loaded and used, `growth` is what it may take beyond."""

    shape: Shape = field(repr=False)
    scheme: str
    context: int
    parallel: int
    engine: Engine = field(repr=False)
    parts: tuple[Part, ...]
    growth: tuple[Part, ...] = ()

    @property
    def total(self) -> int:
        """Bytes once it is loaded and used."""
        return sum(part.bytes for part in self.parts)

    @property
    def most(self) -> int:
        """Bytes when all that may grow has grown: what a machine should have."""
        return self.total + sum(part.bytes for part in self.growth)

    def on(self, gpus: int) -> int | None:
        """Bytes on each of so many GPUs; None where the model cannot be split over them.

        Query heads are split evenly. Where there are more GPUs than heads of keys and values, those are held twice.
        """
        if self.shape.heads % gpus:
            return None
        by = {"tensors": gpus, "heads": min(gpus, max(self.shape.kv_heads)), "none": 1}
        total = sum(part.bytes / by[part.split] for part in (*self.parts, *self.growth))
        return int(total) + (overhead.COLLECTIVES if gpus > 1 else 0)

    def table(self) -> pd.DataFrame:
        """A row for each part: part, GiB, share of what is needed at most, and why it is so large."""
        rows = [
            (part.name, part.bytes / 2**30, part.bytes / self.most, part.why) for part in (*self.parts, *self.growth)
        ]
        return pd.DataFrame(rows, columns=["part", "GiB", "share", "why"]).round({"GiB": 3, "share": 3})

    def __str__(self) -> str:
        requests = "1 request" if self.parallel == 1 else f"{self.parallel} requests"
        lines = [
            f"{self.shape.name} {self.scheme} on {self.engine.name}, {requests} of {self.context:,} tokens: "
            f"{gib(self.total)}"
        ]
        lines += [f"  {part.name:24} {gib(part.bytes):>10}   {part.why}" for part in self.parts]
        lines += [f"+ {part.name:24} {gib(part.bytes):>10}   {part.why}" for part in self.growth]
        if self.growth:
            lines.append(f"  {'at most':24} {gib(self.most):>10}")
        return "\n".join(lines)


def needs(
    model: str | Path | Shape,
    scheme: str | None = None,
    context: int | None = None,
    parallel: int = 1,
    engine: str | Engine = "llama.cpp",
) -> Memory:
    """The memory for `parallel` requests of up to `context` tokens each, prompt and answer together.

    Args:
        model: a name of the workshop's store, the path of a GGUF file or of a config.json, or a shape.
        scheme: the quantisation; by default what the file has, tensor by tensor, or what its config.json says.
        context: tokens; by default 8,192, or as many as the model was trained for.
        engine: `llama.cpp` (on CPU), `vllm` (on GPU), `endpoint` (the workshop's own, whose requests share one
            context), or an `Engine` of other settings.

    Raises:
        UnknownScheme: no such scheme or engine, or the engine does not run the scheme.
        OutOfRange: a context that the model does not have.
        NotReadable, Contradiction, UnknownFamily: see `readers.shape`.
    """
    given = model if isinstance(model, Shape) else shape(model)
    kind, on = _scheme(given, scheme), engines.engine(engine)
    on.check(kind)
    tokens = min(DEFAULT_CONTEXT, given.context) if context is None else context
    cache.check(given, tokens, parallel)
    build = _on_gpu if on.device == "gpu" else _on_cpu
    parts, growth = build(given, kind, tokens, parallel, on)
    return Memory(given, kind.name, tokens, parallel, on, tuple(parts), tuple(growth))


def _scheme(given: Shape, name: str | None) -> Scheme:
    """The scheme of that name; without one, that of the file, whose tensors have types already."""
    if name is None and all(tensor.type for tensor in given.tensors):
        return Scheme(given.stored or "as stored")
    return schemes.scheme(name or given.stored or "F16")


def _on_cpu(given: Shape, kind: Scheme, tokens: int, parallel: int, on: Engine) -> tuple[list[Part], list[Part]]:
    file = weights.bytes_of(given, kind) + weights.vocabulary(given)
    copies = overhead.repacked(list(weights.quantised(given, kind))) if on.repacks else 0
    parts = [
        Part("weights", file, f"the file, mapped: {_bits(given, kind):.2f} bits a parameter", "tensors"),
        Part("weights, repacked", copies, "copies in an order that the CPU reads faster", "tensors"),
        _cache(given, tokens, 1 if on.shared else parallel, on),
        Part("intermediate results", overhead.compute(given, on), _pieces(given, on)),
        Part("vocabulary", overhead.vocabulary(given), f"{given.vocabulary:,} words in tables"),
        Part("process", overhead.process(given), "Python, libraries, server"),
    ]
    growth = [
        Part("logits of a whole batch", overhead.logits(given, on), "when a request asks for them"),
        Part("earlier prompts", on.prompt_cache if given.causal else 0, "kept so as not to be read again"),
    ]
    return [part for part in parts if part.bytes], [part for part in growth if part.bytes]


def _on_gpu(given: Shape, kind: Scheme, tokens: int, parallel: int, on: Engine) -> tuple[list[Part], list[Part]]:
    size = weights.bytes_of(given, kind)
    return [
        Part("weights", size, f"{_bits(given, kind):.2f} bits a parameter", "tensors"),
        _cache(given, tokens, parallel, on),
        Part("intermediate results", overhead.vllm(given, on), f"{on.batch:,} tokens a step; not measured here"),
        Part("process", overhead.CUDA, "CUDA and libraries; one published measurement"),
    ], []


def _cache(given: Shape, tokens: int, parallel: int, on: Engine) -> Part:
    size = cache.bytes_of(given, tokens, parallel, on.cache, on.step)
    each = cache.token_bytes(given, on.cache) / 1024
    return Part("keys and values", size, f"{each:.1f} KiB a token in {on.cache}", "heads")


def _pieces(given: Shape, on: Engine) -> str:
    return f"{on.batch} tokens of a prompt at a time" if given.causal else "whole texts at a time"


def _bits(given: Shape, kind: Scheme) -> float:
    return weights.bytes_of(given, kind) * 8 / given.parameters


def gib(count: float) -> str:
    """`1.04 GiB`, `312 MiB`."""
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
