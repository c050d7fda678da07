"""`make bench`: runs every benchmark and prints one table; exit code 1 when a ratio misses its bound."""

import sys

from rich.console import Console
from rich.table import Table

from bench import inference
from bench.measure import Ratio

console = Console()


def main() -> int:
    ratios: list[Ratio] = []
    with console.status("measuring, a few minutes; close other programs"):
        ratios += inference.ratios()
        notes = inference.notes()
    table = Table("measure", "unit", "ours", "peer", "ratio", "bound", "", title="Bench")
    for r in ratios:
        bound = f"{'≥' if r.more_is_better else '≤'} {r.bound}"
        verdict = "[green]ok[/green]" if r.ok else "[red]missed[/red]"
        table.add_row(r.name, r.unit, f"{r.ours:.4g}", f"{r.peer:.4g}", f"{r.ratio:.3f}", bound, verdict)
    console.print(table)
    for note in notes:
        console.print(f"- {note}")
    return 0 if all(r.ok for r in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
