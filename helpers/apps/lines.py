"""The production lines of the factory: their machines, what these measured, and when a line stands still."""

import time
from pathlib import Path
from sqlite3 import Connection
from typing import Annotated, Any

from pydantic import BaseModel, Field

from helpers.apps.database import create, transaction
from helpers.apps.gated import Reason
from helpers.apps.retail import Refused
from helpers.apps.telemetry import Anomaly, Reading, Telemetry

LINES = {"cutting": ("saw-1", "planer-1", "router-1"), "finishing": ("sander-1", "kiln-1", "packer-1")}
SCHEMA = "create table if not exists stops (line text, minutes integer, reason text, at real)"
HOURS = 24  # that an inspection looks back
LONGEST = 480  # minutes that one operation may stop a line
LineName = Annotated[str, Field(description="Name of a line: cutting or finishing")]
Minutes = Annotated[int, Field(description="For how many minutes", ge=1, le=LONGEST)]


class Line(BaseModel):
    """A line and how long it still stands still; 0 minutes if it runs."""

    line: str
    machines: list[str]
    minutes_left: int


class Findings(BaseModel):
    """What an inspection found at one machine."""

    latest: Reading
    anomalies: list[Anomaly]


class Stop(BaseModel):
    """Approve to stop the line; the minutes and the reason may be corrected first."""

    minutes: Minutes
    reason: Reason


class WantedStop(Stop):
    """What an agent may ask for."""

    line: LineName


class Stopped(BaseModel):
    """Which line was stopped, for how long, and why."""

    line: str
    minutes: int
    reason: str

    def __str__(self) -> str:
        return f"The line {self.line} was stopped for {self.minutes} minutes."


class Lines:
    """The lines; when each was stopped is in a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.path, self.telemetry = folder / "lines.sqlite", Telemetry()
        create(self.path, SCHEMA)

    def all(self) -> list[Line]:
        """All lines."""
        with transaction(self.path) as database:
            return [self._line(database, name) for name in LINES]

    def line(self, name: str) -> Line:
        """One line.

        Raises:
            Refused: there is no such line.
        """
        with transaction(self.path) as database:
            return self._line(database, name)

    def findings(self, machine: str) -> Findings:
        """What one machine measured, and where that was beyond its limits."""
        beyond = [anomaly for anomaly in self.telemetry.anomalies(HOURS) if anomaly.machine == machine]
        return Findings(latest=self.telemetry.latest(machine), anomalies=beyond)

    def wanted(self, line: str, minutes: int, reason: str) -> dict[str, Any]:
        """The arguments of a stop that could be made now.

        Raises:
            ValueError: they break their types.
            Refused: there is no such line, or it stands still already.
        """
        wanted = WantedStop(line=line, minutes=minutes, reason=reason)
        with transaction(self.path) as database:
            return wanted.model_dump() | {"line": self._running(database, line).line}

    def stop(self, line: str, minutes: int, reason: str) -> Stopped:
        """Stop a line; whoever calls this has an approval.

        Raises:
            Refused: there is no such line, or it stands still already.
        """
        with transaction(self.path) as database:
            name = self._running(database, line).line
            database.execute("insert into stops values (?, ?, ?, ?)", [name, minutes, reason, time.time()])
        return Stopped(line=name, minutes=minutes, reason=reason)

    def _running(self, database: Connection, name: str) -> Line:
        line = self._line(database, name)
        if line.minutes_left:
            raise Refused(f"The line {line.line} stands still already, for {line.minutes_left} minutes more.")
        return line

    def _line(self, database: Connection, name: str) -> Line:
        plain = name.strip().lower()
        if plain not in LINES:
            raise Refused(f"There is no line {name!r}. There are {', '.join(LINES)}.")
        query = "select max(at + 60 * minutes) from stops where line = ?"
        until = database.execute(query, [plain]).fetchone()[0] or 0
        left = max(0, -int((time.time() - until) // 60))  # begun minutes count
        return Line(line=plain, machines=list(LINES[plain]), minutes_left=left)
