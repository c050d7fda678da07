"""The doctor's findings as a table: HTML in a notebook, plain in a terminal."""

from dataclasses import dataclass

import pandas as pd
from rich.console import Console
from rich.table import Column, Table

from helpers.doctor.checks import Finding

GREEN, RED = "#2e9e5b", "#d64545"  # readable on white and on black


@dataclass(frozen=True)
class Report:
    """What was found; `ok` when nothing needs a remedy."""

    findings: list[Finding]

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)

    def frame(self) -> pd.DataFrame:
        """One row per finding: what, state, found, remedy."""
        rows = [(f.what, "OK" if f.ok else "needs help", f.found, f.remedy) for f in self.findings]
        return pd.DataFrame(rows, columns=["what", "state", "found", "remedy"])

    def print(self) -> None:
        """Print the table to the terminal."""
        table = Table("what", "state", *(Column(name, overflow="fold") for name in ("found", "remedy")), title="Doctor")
        for finding, row in zip(self.findings, self.frame().itertuples(index=False), strict=True):
            colour = "green" if finding.ok else "red"
            table.add_row(row[0], f"[{colour}]{row[1]}[/{colour}]", row[2], row[3])
        Console().print(table)

    def _repr_html_(self) -> str:
        styler = self.frame().style.hide(axis="index").format(escape="html").map(_state_style, subset=["state"])
        styler.set_table_styles([{"selector": "th", "props": "text-align: left"}])
        return str(styler.set_properties(**{"text-align": "left", "white-space": "normal"}).to_html())

    def __repr__(self) -> str:
        return str(self.frame().to_string(index=False))


def _state_style(state: str) -> str:
    return f"color: {GREEN if state == 'OK' else RED}; font-weight: bold"
