"""What every notebook and Markdown file must keep to; each function returns the faults it finds, as sentences."""

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from helpers.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LONGEST_CELL = 30
MIME_ERROR = "error"

Notebook = Any


def notebooks() -> list[Path]:
    return sorted(ROOT.glob("notebooks/*.ipynb"))


def documents() -> list[Path]:
    return sorted(path for path in ROOT.glob("*.md"))


def read(path: Path) -> Notebook:
    return nbformat.read(path, 4)


def code_cells(notebook: Notebook) -> list[Notebook]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text()
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def execution_faults(notebook: Notebook) -> list[str]:
    """Every code cell was executed, in order, and none ended in an error."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    faults = [] if counts == list(range(1, len(counts) + 1)) else [f"not executed from top to bottom: {counts}"]
    failed = [cell for cell in code_cells(notebook) if any(out.output_type == MIME_ERROR for out in cell.outputs)]
    return faults + [f"ended in an error: {cell.source[:60]!r}" for cell in failed]


def assertion_faults(notebook: Notebook) -> list[str]:
    """Every numbered section that has code asserts what it claims."""
    faults, title, section = [], "the beginning", ""
    for cell in [*notebook.cells, nbformat.v4.new_markdown_cell("## end")]:
        heading = re.match(r"## (.+)", cell.source) if cell.cell_type == "markdown" else None
        if heading:
            if re.match(r"\d", title) and section and not _asserts(section):
                faults.append(f"section {title!r} asserts nothing")
            title, section = heading[1], ""
        elif cell.cell_type == "code":
            section += cell.source + "\n"
    return faults


def _asserts(code: str) -> bool:
    """Whether there is an assertion that can fail: one that is not about constants only."""
    found = [node.test for node in ast.walk(_parsed(code)) if isinstance(node, ast.Assert)]
    return any(any(isinstance(inner, ast.Name) for inner in ast.walk(test)) for test in found)


def _parsed(code: str) -> ast.AST:
    return compile(code, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def size_faults(notebook: Notebook) -> list[str]:
    """Cells are short enough to be read at a glance."""
    long = [cell for cell in code_cells(notebook) if cell.source.count("\n") >= LONGEST_CELL]
    return [f"{cell.source.count(chr(10)) + 1} lines in one cell: {cell.source[:60]!r}" for cell in long]


def import_faults(code: str) -> list[str]:
    """Every module that is imported exists, and has the names that are taken from it."""
    faults = []
    for node in ast.walk(_parsed(code)):
        if isinstance(node, ast.Import):
            faults += [fault for alias in node.names if (fault := _missing(alias.name, None))]
        elif isinstance(node, ast.ImportFrom) and node.module:
            faults += [fault for alias in node.names if (fault := _missing(node.module, alias.name))]
    return faults


def _missing(module: str, name: str | None) -> str | None:
    try:
        found = importlib.import_module(module)
    except ImportError:
        return f"there is no module {module}"
    if name is None or hasattr(found, name) or (hasattr(found, "__path__") and not _missing(f"{module}.{name}", None)):
        return None
    return f"{module} has no {name}"


def link_faults(text: str, folder: Path) -> list[str]:
    """Every relative link and image leads to a file."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    local = (target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target))
    return [f"the link {target} leads nowhere" for target in local if not (folder / target).exists()]


def command_faults(text: str) -> list[str]:
    """Every command that is named can be given: make's targets, the package's modules and their subcommands."""
    makefile = (ROOT / "Makefile").read_text()
    faults = [
        f"make has no target {target}"
        for target in re.findall(r"`make ([a-z-]+)", text)
        if not re.search(rf"^{target}:", makefile, re.MULTILINE)
    ]
    for command in re.findall(r"python -m (helpers\.\w[^`\n|]*)", text):
        faults += _module_command_faults(command)
    return faults


def _module_command_faults(command: str) -> Iterator[str]:
    module, *arguments = shlex.split(command.split("#")[0])
    if not _missing(module, None) and _runs_as_a_file(module):
        return
    if _missing(module, None) or _missing(f"{module}.__main__", None):
        yield f"there is no python -m {module}"
    elif arguments and not _taken(module, arguments):
        yield f"python -m {command} is not a command"


def _runs_as_a_file(module: str) -> bool:
    file = importlib.import_module(module).__file__ or ""
    return Path(file).name != "__init__.py" and '__name__ == "__main__"' in Path(file).read_text()


def _taken(module: str, arguments: list[str]) -> bool:
    """Whether the grammar of the module's command line, if it has one, has a place for each of the arguments."""
    main = importlib.import_module(f"{module}.__main__")
    try:
        if hasattr(main, "parser"):
            main.parser().parse_args(arguments)
    except SystemExit as end:
        return not end.code  # 0 after --help
    return True


def setting_faults(text: str) -> list[str]:
    """Every setting that is named exists."""
    known = {f"WORKSHOP_{name.upper()}" for name in Settings.model_fields}
    return [f"there is no setting {name}" for name in re.findall(r"\bWORKSHOP_[A-Z_]+\b", text) if name not in known]


def path_faults(text: str) -> list[str]:
    """Every file of the repository that is named in backticks exists."""
    named = re.findall(r"`((?:helpers|tests|tools|bench|notebooks|infra)/[\w./-]+)`", text)
    return [f"there is no file {name}" for name in named if not (ROOT / name).exists()]


def privacy_faults(text: str) -> list[str]:
    """Nothing of the machine on which a notebook was executed is left in it."""
    private = re.findall(r"(?:/root|/home|/Users|/tmp|/var/folders)/[^\s\"'\\]+", text)
    return [f"a path of a machine: {path}" for path in private]
