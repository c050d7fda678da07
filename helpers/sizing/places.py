"""Where a model finds room: instance types and where they are offered, as data (`places.toml`).

    holds(needs("Llama-3.1-8B", "FP8", engine="vllm"))                       # at the edge, smallest first
    holds(needs("Llama-3.1-8B", "FP8", engine="vllm"), kinds=("outposts",))

A table with no rows says why in `reason(table)`.
"""

import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from helpers.sizing.memory import Memory, gib

MIB, GIB = 2**20, 2**30
Kind = Literal["outposts", "local-zone", "region"]
# Compute capability that vLLM asks for (docs.vllm.ai, "Quantization"): BF16 came with Ampere, where FP8 runs as weights
# only; AWQ's kernels ask for Turing; four-bit floats in hardware came with Blackwell.
LEAST = {"BF16": 8.0, "FP8": 8.0, "AWQ": 7.5, "GPTQ": 7.5, "NVFP4": 10.0}
EDGE: tuple[Kind, ...] = ("outposts", "local-zone")
COLUMNS = [
    "instance", "place", "kind", "gpu", "gpus", "used", "GiB", "needed GiB", "headroom", "vcpu", "verified", "source",
    "date",
]  # fmt: skip


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Entry):
    """Where something is from, and when it was read or published."""

    text: str
    date: date


class Size(_Entry):
    """A size of a family; 0 where it is not known."""

    name: str
    vcpu: int
    memory_mib: int
    gpus: int = 0


class Family(_Entry):
    """Instance types of one kind of machine; `gpu_mib` is the memory of each of its GPUs."""

    name: str
    sizes: list[Size]
    source: str
    verified: bool
    gpu: str = ""
    gpu_mib: int = 0
    compute: float = 0.0

    def runs(self, scheme: str) -> bool:
        """Whether its GPUs are new enough for what vLLM does with the scheme."""
        return bool(self.gpu) and self.compute >= LEAST.get(scheme, 7.0)


class Offer(_Entry):
    """That a family can be had at a place. Not `verified`: the source does not quite say so."""

    family: str
    source: str
    verified: bool
    note: str = ""


class Place(_Entry):
    """An Outposts generation, a Local Zone or a Region."""

    name: str
    kind: Kind
    offers: list[Offer]


class Atlas(_Entry):
    """All of `places.toml`."""

    sources: dict[str, Source]
    place: list[Place]
    family: list[Family]

    @model_validator(mode="after")
    def _names_exist(self) -> "Atlas":
        families = {family.name for family in self.family}
        offers = [offer for place in self.place for offer in place.offers]
        cited = {offer.source for offer in offers} | {family.source for family in self.family}
        unknown = ({offer.family for offer in offers} - families) | (cited - self.sources.keys())
        if unknown:
            raise ValueError(f"places.toml uses names that it does not define: {', '.join(sorted(unknown))}")
        return self


@cache
def atlas() -> Atlas:
    """The data of `places.toml`."""
    return Atlas.model_validate(tomllib.loads(Path(__file__).with_name("places.toml").read_text()))


def holds(memory: Memory, kinds: tuple[Kind, ...] = EDGE, data: Atlas | None = None) -> pd.DataFrame:
    """A row for each instance type at each place that holds `memory.most`, the smallest first.

    Of an instance's `gpus` the fewest that do are `used`, and `GiB` is their memory together. On a CPU it is the
    instance's memory; instances that have GPUs are left out, for what they cost. `headroom` is the share of what the
    engine may use that stays free: vLLM takes 0.9 of a GPU's memory by default, and a tenth of a CPU's is left to the
    system. The smallest is what has the least memory in all.
    """
    known = data or atlas()
    rows = [row for place in known.place if place.kind in kinds for row in _rows(memory, place, known)]
    rows.sort(key=lambda row: row[0])
    table = pd.DataFrame([row for _, row in rows], columns=COLUMNS).round({"GiB": 1, "needed GiB": 1, "headroom": 2})
    table.attrs["reason"] = "" if rows else _why(memory, kinds, known)
    return table


def smallest(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table of `holds` that are the smallest of their family at their place."""
    family = table["instance"].str.split(".").str[0]
    return table[~pd.DataFrame({"family": family, "place": table["place"]}).duplicated()].reset_index(drop=True)


def reason(table: pd.DataFrame) -> str:
    """Why a table of `holds` is empty; empty when it is not."""
    return str(table.attrs.get("reason", ""))


def _rows(memory: Memory, place: Place, known: Atlas) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """What the row is sorted by, and the row."""
    families = {family.name: family for family in known.family}
    for offer in place.offers:
        family = families[offer.family]
        source = known.sources[offer.source]
        text = f"{source.text}; {offer.note}" if offer.note else source.text
        for size in family.sizes:
            found = _fit(memory, family, size)
            if found:
                gpus, whole, needed, headroom = found
                name = f"{family.name}.{size.name}"
                sure = offer.verified and family.verified
                order = (size.gpus * family.gpu_mib if gpus else size.memory_mib, size.vcpu, name, place.name)
                yield (
                    order,
                    (
                        name, place.name, place.kind, family.gpu, size.gpus, gpus, whole, needed, headroom, size.vcpu,
                        sure, text, source.date,
                    ),
                )  # fmt: skip


def _fit(memory: Memory, family: Family, size: Size) -> tuple[int, float, float, float] | None:
    """How many GPUs hold it, their memory together, what is needed of it (GiB), and the share that stays free."""
    if memory.engine.device == "cpu":
        if family.gpu:
            return None
        room = size.memory_mib * MIB
        return _row(0, room, memory.most, memory) if memory.most <= room * memory.engine.usable else None
    if not family.runs(memory.scheme):
        return None
    for gpus in range(1, size.gpus + 1):
        each = memory.on(gpus)
        if each is not None and each <= family.gpu_mib * MIB * memory.engine.usable:
            return _row(gpus, gpus * family.gpu_mib * MIB, gpus * each, memory)
    return None


def _row(gpus: int, room: int, needed: int, memory: Memory) -> tuple[int, float, float, float]:
    return gpus, room / GIB, needed / GIB, 1 - needed / (room * memory.engine.usable)


def _why(memory: Memory, kinds: tuple[Kind, ...], known: Atlas) -> str:
    """What is needed, and what the largest instance there has."""
    offered = {offer.family for place in known.place if place.kind in kinds for offer in place.offers}
    families = [family for family in known.family if family.name in offered]
    largest = _largest_cpu(families) if memory.engine.device == "cpu" else _largest_gpu(families, memory.scheme)
    return (
        f"Nothing in places.toml holds it ({' or '.join(kinds)}): it needs {gib(memory.most)}, and {largest}; "
        f"{memory.engine.name} may use {memory.engine.usable:.0%} of that. "
        "Take fewer bits, a shorter context, fewer requests or a smaller model."
    )


def _largest_cpu(families: list[Family]) -> str:
    most = max((size.memory_mib for family in families if not family.gpu for size in family.sizes), default=0)
    return f"the largest instance there without a GPU has {gib(most * MIB)}" if most else "nothing is offered there"


def _largest_gpu(families: list[Family], scheme: str) -> str:
    able = [(size.gpus, family) for family in families if family.runs(scheme) for size in family.sizes]
    if not able:
        return f"no GPU there runs {scheme}"
    count, family = max(able, key=lambda one: one[0] * one[1].gpu_mib)
    return f"the largest there that runs {scheme} is {family.name} with {count} GPUs of {gib(family.gpu_mib * MIB)}"
