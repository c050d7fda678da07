"""Runs every notebook headless and prints a table of cells, seconds and results.

    python tools/tour.py [NAME_OR_GLOB ...]

Each notebook runs in a fresh kernel and in its own folder. Nothing is written back to the files: their stored outputs
are what the tests compare with. The exit code is 1 when a notebook failed.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from time import perf_counter

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from rich.console import Console
from rich.table import Table
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 300  # seconds
# Names and messages come from notebooks: square brackets in them are not markup.
console = Console(markup=False, highlight=False)


@dataclass(frozen=True)
class Visit:
    """What became of one notebook; `error` is empty when all its cells ran."""

    name: str
    executed: int
    total: int
    seconds: float
    error: str = ""


class NothingChosen(Exception):
    """A given name matches no notebook, or there is none at all."""


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the chosen notebooks, print the table, return the exit code."""
    parser = argparse.ArgumentParser(prog="tour.py", description="Run every notebook headless")
    parser.add_argument("notebooks", nargs="*", metavar="NAME_OR_GLOB", help="only these, such as 03-* or labs/*")
    try:
        visits = tour(choose(find(root), parser.parse_args(arguments).notebooks, root), root)
    except NothingChosen as problem:
        print(f"tour: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tour: interrupted; the kernel is shut down.", file=sys.stderr)
        return 130
    console.print(table(visits))
    return exit_code(visits)


def find(root: Path) -> list[Path]:
    """Every notebook in the order a learner meets them, the labs' solutions last."""
    return [*sorted(root.glob("notebooks/*.ipynb")), *sorted(root.glob("labs/*/solution.ipynb"))]


def choose(paths: Sequence[Path], patterns: Sequence[str], root: Path) -> list[Path]:
    """The notebooks that the patterns name, all of them without a pattern; raises NothingChosen."""
    if not paths:
        # An empty tour that ends well would look like a tour where everything works.
        raise NothingChosen("there is no notebook in notebooks/ or labs/*/.")
    for pattern in patterns:
        if not any(matches(path.relative_to(root), pattern) for path in paths):
            raise NothingChosen(f"no notebook matches '{pattern}'. Give a file, folder or glob, such as '03-*'.")
    return [p for p in paths if not patterns or any(matches(p.relative_to(root), pattern) for pattern in patterns)]


def matches(path: Path, pattern: str) -> bool:
    """Whether a pattern means a notebook: by its path, its name without or with the ending, or a folder it lies in."""
    wanted = pattern.removeprefix("./").rstrip("/")
    names = [path.as_posix(), path.name, path.stem, path.parent.name, *(parent.as_posix() for parent in path.parents)]
    return any(fnmatchcase(name, wanted) for name in names)


def tour(paths: Sequence[Path], root: Path) -> list[Visit]:
    """Run the notebooks one after the other, telling which one is running."""
    visits = []
    for place, path in enumerate(paths, start=1):
        name = path.relative_to(root).as_posix()
        console.print(f"[{place}/{len(paths)}] {name}")
        with console.status(name) as status:
            visits.append(visit(path, name, status.update))
    return visits


def visit(path: Path, name: str, show: Callable[[str], None]) -> Visit:
    """Run one notebook to its end or its first failing cell."""
    began = perf_counter()
    executed, total, error = 0, 0, ""
    try:
        client = client_for(path)
        total = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in client.nb.cells)
        client.on_cell_execute = lambda **_: show(f"{name}: cell {client.code_cells_executed + 1} of {total}")
        try:
            run_cells(client)
        finally:
            executed = client.code_cells_executed
    except Exception as problem:  # a broken notebook, kernel or cell is a row of the table, not the end of the tour
        error = told(problem, executed)
    return Visit(name, executed, total, perf_counter() - began, error)


def client_for(path: Path) -> NotebookClient:
    """A client with a kernel of its own that works in the notebook's folder."""
    folder = {"metadata": {"path": str(path.parent)}}
    # Without encryption each kernel warns that others on this machine might read along.
    config = Config(KernelManager={"transport_encryption": "auto"})
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return NotebookClient(notebook, timeout=CELL_TIMEOUT, kernel_name="python3", resources=folder, config=config)


def run_cells(client: NotebookClient) -> None:
    """Run all cells, and shut the kernel down however that ends."""
    # Not client.execute(): that one swallows Ctrl-C, reports a dead kernel, and the tour would go on.
    with client.setup_kernel():
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)


def told(problem: Exception, cell: int) -> str:
    """The failing cell as JupyterLab numbers it, the exception's name and the first line of its message."""
    name, message = type(problem).__name__, str(problem)
    if isinstance(problem, CellExecutionError):
        name, message = problem.ename, problem.evalue
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return (f"cell [{cell}] " if cell else "") + (f"{name}: {line}" if line else name)


def table(visits: Sequence[Visit]) -> Table:
    """One row for each notebook."""
    result = Table("notebook", title="Tour", title_justify="left")
    result.add_column("cells", justify="right")
    result.add_column("seconds", justify="right")
    result.add_column("result", overflow="fold")
    for one in visits:
        style = "red" if one.error else None
        result.add_row(*row(one), style=style)
    return result


def row(one: Visit) -> tuple[str, str, str, str]:
    """The words of a row: notebook, cells executed / total, seconds, result."""
    return one.name, f"{one.executed} / {one.total}", f"{one.seconds:.1f}", one.error or "ok"


def exit_code(visits: Sequence[Visit]) -> int:
    """1 when any notebook failed."""
    return int(any(one.error for one in visits))


if __name__ == "__main__":
    sys.exit(main())
