"""Which model fits where, by the instance types of each place (`helpers.sizing.places`).

models = choices({"8B": needs("Llama-3.1-8B", "FP8", engine="vllm"), "70B": needs(...)}, least="8B")
models["outpost"]
"""

from collections.abc import Mapping
from dataclasses import dataclass

from helpers.placement.errors import OutOfRange
from helpers.placement.placement import PLACES, place
from helpers.sites.topology import Kind
from helpers.sizing import places as sizing
from helpers.sizing.memory import Memory

SIZING: dict[Kind, sizing.Kind] = {"outpost": "outposts", "local-zone": "local-zone", "region": "region"}


@dataclass(frozen=True)
class Choice:
    """The most capable model that a place has room for. `rank` counts candidates from the least capable, from 0.

    Without a model, `why` says why. `verified`: the source says so of this very place.
    """

    model: str = ""
    rank: int = -1
    instance: str = ""
    where: str = ""
    verified: bool = True
    why: str = ""


def choices(
    candidates: Mapping[str, Memory],
    *,
    least: str = "",
    managed: Mapping[Kind, str] | None = None,
    data: sizing.Atlas | None = None,
) -> dict[Kind, Choice]:
    """For each place the most capable of the candidates that fits on one instance there.

    Args:
        candidates: what each needs, the least capable first: that is your judgement, not this function's.
        least: the least capable that will do; without it, any.
        managed: by place, a model that is a service there, such as Bedrock's; it outranks the candidates.

    Raises:
        OutOfRange: `least` is no candidate.
    """
    names = list(candidates)
    if least and least not in names:
        raise OutOfRange(f"{least!r} is none of the candidates {', '.join(names) or '(none)'}. Name one of them.")
    able = names[names.index(least) if least else 0 :]
    services = {place(where, "a managed model"): name for where, name in (managed or {}).items()}
    found = {}
    for where in PLACES:
        if where in services:
            found[where] = Choice(services[where], len(names), where="a service of the place")
        else:
            found[where] = _best(where, able, names, candidates, data)
    return found


def _best(
    where: Kind, able: list[str], names: list[str], candidates: Mapping[str, Memory], data: sizing.Atlas | None
) -> Choice:
    why = "there is no candidate"
    for name in reversed(able):
        table = sizing.holds(candidates[name], (SIZING[where],), data)
        if not table.empty:
            row = table.iloc[0]
            return Choice(name, names.index(name), row["instance"], row["place"], bool(row["verified"]))
        why = sizing.reason(table)
    return Choice(why=why)
