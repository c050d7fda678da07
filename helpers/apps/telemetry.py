"""The machines of the factory, as tools over MCP: what they measured, and where it is beyond their limits.

    python -m helpers.apps.telemetry --port 8000

"Now" is the time of the last reading in the file. A long history is read in steps, each reported as progress.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal

import anyio
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel, Field

from helpers.apps.command import parser, run
from helpers.apps.retail import Refused, table
from helpers.apps.serving_mcp import serve_mcp

Name = Annotated[str, Field(description="Name of a machine, for example saw-1")]
Hours = Annotated[int, Field(description="How far to look back, in hours: 1 to 48")]
Quantity = Literal["temperature_c", "vibration_mm_s"]
MOST = 48  # hours that the file holds
STEP = 4  # hours that are read at a time


class Machine(BaseModel):
    """A machine and what it may not exceed."""

    machine: str
    name: str
    temperature_limit_c: float
    vibration_limit_mm_s: float


class Reading(BaseModel):
    """What a machine measured at one time."""

    machine: str
    at: str
    temperature_c: float
    vibration_mm_s: float
    state: str


class Anomaly(BaseModel):
    """The readings of one quantity of a machine that are beyond its limit."""

    machine: str
    quantity: Quantity
    limit: float
    highest: float
    first: str
    last: str
    readings: int


class Telemetry:
    """The tools, over the tables. `pause` is how long a step takes longer than it must, in seconds."""

    def __init__(self, pause: float = 0) -> None:
        self.known = {row["machine"]: Machine.model_validate(row) for row in table("machines")}
        self.readings = [Reading.model_validate(row) for row in table("telemetry")]
        self.now = max(reading.at for reading in self.readings)
        self.pause = pause

    def machines(self) -> list[Machine]:
        """The machines of the factory and their limits: the highest temperature (°C) and vibration (mm/s) allowed."""
        return list(self.known.values())

    def latest(self, machine: Name) -> Reading:
        """The latest reading of a machine: temperature, vibration and state."""
        return self._between(self._known(machine), 1, 0)[-1]

    async def history(self, machine: Name, hours: Hours, context: Context) -> list[Reading]:
        """All readings of a machine in the last hours, one every 15 minutes, the oldest first."""
        name, since = self._known(machine), self._hours(hours)
        found = list[Reading]()
        for start in range(since, 0, -STEP):
            await anyio.sleep(self.pause)
            found += self._between(name, start, max(start - STEP, 0))
            if since > STEP:
                until = found[-1].at
                await context.report_progress(min(since - start + STEP, since), since, f"{name} read until {until}")
        return found

    def anomalies(self, hours: Hours) -> list[Anomaly]:
        """Machines whose temperature or vibration was beyond the limit in the last hours: how far, how often, when."""
        since = self._hours(hours)
        found = list[Anomaly]()
        for name, machine in self.known.items():
            readings = self._between(name, since, 0)
            found += self._beyond(readings, "temperature_c", machine.temperature_limit_c)
            found += self._beyond(readings, "vibration_mm_s", machine.vibration_limit_mm_s)
        return found

    def _beyond(self, readings: list[Reading], quantity: Quantity, limit: float) -> list[Anomaly]:
        over = [reading for reading in readings if getattr(reading, quantity) > limit]
        if not over:
            return []
        highest = max(getattr(reading, quantity) for reading in over)
        ends = {"first": over[0].at, "last": over[-1].at}
        return [
            Anomaly(
                machine=over[0].machine, quantity=quantity, limit=limit, highest=highest, readings=len(over), **ends
            )
        ]

    def _between(self, machine: str, start: int, end: int) -> list[Reading]:
        """The readings from `start` to `end` hours ago; the first of them is not included."""
        after, until = (f"{self._ago(hours):%Y-%m-%d %H:%M}" for hours in (start, end))
        return [reading for reading in self.readings if reading.machine == machine and after < reading.at <= until]

    def _ago(self, hours: int) -> datetime:
        return datetime.fromisoformat(self.now) - timedelta(hours=hours)

    def _known(self, name: str) -> str:
        plain = name.strip().lower()
        if plain not in self.known:
            raise Refused(f"There is no machine {name!r}. There are {', '.join(self.known)}.")
        return plain

    def _hours(self, hours: int) -> int:
        if not 1 <= hours <= MOST:
            raise Refused(f"{hours} hours cannot be looked back. Give 1 to {MOST}.")
        return hours


def server(telemetry: Telemetry) -> MCPServer:
    """The tools."""
    made = MCPServer("telemetry", instructions="Knows the machines of the furniture factory and what they measure.")
    for tool in (telemetry.machines, telemetry.latest, telemetry.history, telemetry.anomalies):
        made.add_tool(tool)
    return made


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    help = f"how much longer the reading of {STEP} hours shall take (%(default)g)"
    arguments.add_argument("--pause", type=float, default=0, metavar="SECONDS", help=help)
    given = arguments.parse_args()
    serve_mcp(server(Telemetry(given.pause)), given)


if __name__ == "__main__":
    run(main)
