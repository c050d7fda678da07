"""`make bench`: runs every benchmark, or the one that is named, and prints one table.

    python -m bench
    python -m bench knowledge

The exit code is 1 when a ratio misses its bound.
"""

import argparse
import sys
from types import ModuleType

from rich.console import Console
from rich.table import Table

from bench import approvals, gateway, guardrails, inference, knowledge, region, sites, tracing
from bench.measure import Ratio

PARTS = {
    "inference": inference,
    "knowledge": knowledge,
    "sites": sites,
    "region": region,
    "gateway": gateway,
    "approvals": approvals,
    "tracing": tracing,
    "guardrails": guardrails,
}
console = Console()


def main() -> int:
    parts = _wanted()
    ratios: list[Ratio] = []
    notes: list[str] = []
    with console.status("measuring, many minutes; close other programs"):
        for part in parts:
            ratios += part.ratios()
            notes += part.notes()
    table = Table("measure", "unit", "ours", "peer", "ratio", "bound", "", title="Bench")
    for r in ratios:
        bound = f"{'≥' if r.more_is_better else '≤'} {r.bound:.4g}"
        verdict = "[green]ok[/green]" if r.ok else "[red]missed[/red]"
        table.add_row(r.name, r.unit, f"{r.ours:.4g}", f"{r.peer:.4g}", f"{r.ratio:.3f}", bound, verdict)
    console.print(table)
    for note in notes:
        console.print(f"- {note}")
    return 0 if all(r.ok for r in ratios) else 1


def _wanted() -> list[ModuleType]:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed, as ratios within one run.")
    parser.add_argument("part", nargs="?", choices=PARTS, help="measure this part only")
    part = parser.parse_args().part
    return [PARTS[part]] if part else list(PARTS.values())


if __name__ == "__main__":
    sys.exit(main())
