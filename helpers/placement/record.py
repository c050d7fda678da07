"""A decision to take home, as Markdown: context, decision, alternatives with their numbers, consequences.

Path("placement.md").write_text(record(placement, topology, work, title="...", context="..."))
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from helpers.placement.calibration import WITHIN, agrees
from helpers.placement.exploring import explore, front
from helpers.placement.placement import ANOTHER, PLACES, Placement
from helpers.placement.prediction import Models, Prediction, Prices, predict
from helpers.placement.routes import Routes
from helpers.placement.work import ASKS, Work
from helpers.sites.topology import Topology

_NAMES = {ANOTHER: "none of the article's patterns"}
SHOWN = ["agent", "model", "tools", "pattern", "seconds", "crosses", "runs", "USD/h"]


def record(
    placement: Placement,
    links: Topology | Routes,
    work: Work,
    *,
    title: str = "Where agent, model and tools run",
    context: str = "",
    reasons: Sequence[str] = (),
    models: Models | None = None,
    prices: Prices | None = None,
    compared: pd.DataFrame | None = None,
    on: date | None = None,
    status: str = "proposed",
) -> str:
    """The record of a decision, in the manner of architecture decision records.

    Args:
        context, reasons: in your words; the numbers are added.
        compared: a table of `calibration.compare`, if placements were run.
        on: the day it is decided; today if none.

    Raises:
        What `predict` and `explore` raise.
    """
    chosen = predict(placement, links, work, models=models, prices=prices)
    table = explore(links, work, models=models, prices=prices)
    sections = [
        f"# {_line(title)}\n\n- Status: {_line(status)}\n- Date: {(on or date.today()).isoformat()}",
        "\n\n".join(["## Context", *([context] if context else []), _given(Routes.of(links), work)]),
        "\n\n".join(["## Decision", _decided(chosen), *([_list(reasons)] if reasons else [])]),
        f"## Numbers\n\n{_numbers(chosen)}\n\n{_measured(compared)}",
        f"## Alternatives\n\n{_alternatives(table)}",
        f"## Consequences\n\n{_list(_consequences(chosen, work, models))}",
    ]
    return "\n\n".join(sections) + "\n"


def _given(routes: Routes, work: Work) -> str:
    rules = [f"Data of the class {name} may be at {', '.join(work.allowed(name))} only." for name in _bound(work)]
    trips = ", ".join(f"{getattr(work, ask).round_trips:.3g} to {_who(ask)}" for ask in ASKS)
    links = [
        f"{' - '.join(sorted(pair))}: {link.latency_ms:g} ms one way"
        + (f", jitter {link.jitter_ms:g} ms" if link.jitter_ms else "")
        + (f", {link.bandwidth_mbit:g} Mbit/s" if link.bandwidth_mbit else "")
        for pair, link in routes.links.items()
    ]
    return _list([f"Whoever asks is at {work.caller}; round trips of a turn: {trips}.", *rules, *links])


def _decided(one: Prediction) -> str:
    where = one.placement
    decided = (
        f"The agent runs at **{where.agent}**, its model at **{where.model}**, tools and data at **{where.tools}** "
        f"({_NAMES.get(where.pattern, where.pattern)})."
    )
    if one.allowed:
        return decided
    return f"{decided}\n\n**This placement breaks a rule:** {'; '.join(one.refusals)}."


def _numbers(one: Prediction) -> str:
    rows = [(f"{name}, own time", f"{takes:.3f} s") for name, takes in one.own.items() if takes]
    rows += [
        (f"{' to '.join(each.between)} ({each.ask})", f"{each.seconds:.3f} s, {each.round_trips:.3g} round trips, "
         f"{each.bytes:,.0f} bytes, classes: {', '.join(sorted(each.classes)) or 'none'}")
        for each in one.crossings
    ]  # fmt: skip
    rows.append(("a turn", f"**{one.seconds:.3f} s**"))
    if one.usd_per_hour is not None:
        rows.append(("an hour", f"USD {one.usd_per_hour:,.2f}"))
    if one.choice:
        rows.append(
            ("model", f"{one.choice.model or 'none'} {f'on {one.choice.instance}' if one.choice.instance else ''}")
        )
    return _table(["of a turn", "predicted"], rows)


def _measured(compared: pd.DataFrame | None) -> str:
    if compared is None:
        return "Nothing was measured: these numbers are predictions only."
    said = "within" if agrees(compared) else "**not** within"
    rows = [tuple(str(value) for value in row) for row in compared.itertuples(index=False)]
    return f"{len(compared)} placements were run; predictions are {said} {WITHIN:.0%} of them.\n\n" + _table(
        [str(name) for name in compared.columns], rows
    )


def _alternatives(table: pd.DataFrame) -> str:
    rows = front(table)
    refused = int((~table["allowed"]).sum())
    said = (
        f"Of {len(table)} placements {refused} are ruled out. Of the others, none beats these in time, cost and model:"
    )
    if rows.empty:
        return f"All {len(table)} placements are ruled out. The first: {table.iloc[0]['why not']}."
    shown = [tuple(str(row[name]) for name in SHOWN) for _, row in rows.iterrows()]
    named = table[~table["allowed"] & (table["pattern"] != ANOTHER)]
    why = [
        f"{row['pattern']}, ruled out (agent at {row['agent']}, model at {row['model']}, tools at {row['tools']}): "
        f"{row['why not']}."
        for _, row in named.iterrows()
    ]
    return "\n\n".join([said, _table(SHOWN, shown), *([_list(why)] if why else [])])


def _consequences(one: Prediction, work: Work, models: Models | None) -> list[str]:
    said = [
        f"{' and '.join(each.between)} have to be linked for every turn; cut, the agent cannot {_lost(each.ask)}."
        for each in one.crossings
    ] or ["A turn crosses no link: the agent goes on when links are cut."]
    said += [f"Data of the class {name} crosses a link." for name in sorted(one.classes)]
    said += [f"Data of the class {name} crosses no link." for name in sorted(work.classes - one.classes)]
    better = max((models or {}).items(), key=lambda item: item[1].rank, default=None)
    if one.choice and better and better[1].rank > one.choice.rank:
        said.append(f"A more capable model, {better[1].model}, would fit at {better[0]}.")
    if one.choice and not one.choice.verified:
        said.append(f"That {one.choice.instance} is offered at {one.choice.where} is not verified: ask EC2 first.")
    return said


def _bound(work: Work) -> list[str]:
    return [name for name in sorted(work.classes) if set(work.allowed(name)) != set(PLACES)]


def _who(ask: str) -> str:
    return {"question": "the agent", "model": "its model", "tools": "its tools"}[ask]


def _lost(ask: str) -> str:
    return {"question": "be asked", "model": "reach its model", "tools": "reach tools and data"}[ask]


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_line(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _line(text: str) -> str:
    """One line: a break would end the list or the table."""
    return " ".join(text.split())
