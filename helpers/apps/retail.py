"""What the programs of the stores, the factory and the supplier share: their tables, and how they refuse."""

import csv

from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError

from helpers.settings.settings import ROOT

FOLDER = ROOT / "notebooks/data/retail"


class Refused(ToolError, ResourceNotFoundError, ValueError):
    """What is asked for cannot be. MCPServer keeps the text of any other error to itself."""


def table(name: str) -> list[dict[str, str]]:
    """The rows of one of the files that `helpers.fiction` writes."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
