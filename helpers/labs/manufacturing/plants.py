"""Two invented factories and two days of telemetry of their machines; which bearings wear is planted.

    readings("uhlenhorst")
    readings("tannau", seed=7)

All of it is fiction. The checks use readings of their own, from other seeds.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from helpers.fiction.chance import Chance

FACTORIES = ("tannau", "uhlenhorst")
NOW = datetime(2026, 3, 2, 8, 0)
STEP = timedelta(minutes=30)
COUNT = 97  # readings of a machine: two days
SHIFTS = range(6, 22)  # hours in which machines run
LIMIT = 4.5  # mm/s: a machine that vibrates more is stopped by its own protection
# Of each factory: machine, lot of its spindle bearing, mm/s two days ago, and how much that grows in an hour.
MACHINES = {
    "tannau": [
        ("lathe-1", "B-204", 1.9, 0.026),
        ("lathe-2", "B-188", 1.6, 0.0),
        ("router-4", "B-204", 2.2, 0.028),
        ("sander-2", "B-231", 2.0, 0.034),
    ],
    "uhlenhorst": [
        ("router-1", "B-204", 2.1, 0.031),
        ("saw-1", "B-188", 1.8, -0.004),
        ("planer-1", "B-219", 2.4, 0.0),
        ("sander-1", "B-204", 2.0, 0.0),
    ],
}
LINES = {"router": "cutting", "saw": "cutting", "lathe": "turning", "planer": "turning", "sander": "finishing"}


@dataclass(frozen=True)
class Reading:
    """What one machine measured at one time."""

    machine: str
    lot: str  # of its spindle bearing
    at: str  # "2026-03-02 08:00"
    vibration_mm_s: float
    state: str  # running or idle


def readings(factory: str, seed: int = 20260302) -> list[dict[str, str | float]]:
    """Two days of a factory, machine by machine and oldest first, as JSON has them; the same for the same seed."""
    chance = Chance(seed + FACTORIES.index(factory))
    found = []
    for machine, lot, base, growth in MACHINES[factory]:
        found += series(chance, machine, lot, base, growth)
    return found


def series(chance: Chance, machine: str, lot: str, base: float, growth: float) -> list[dict[str, str | float]]:
    """The readings of one machine, whose vibration in mm/s grows by so much in an hour."""
    rows = []
    for place in range(COUNT):
        at = NOW - (COUNT - 1 - place) * STEP
        running = at.hour in SHIFTS
        hours = place * STEP / timedelta(hours=1)
        vibration = base + growth * hours + chance.number(-0.15, 0.15, 3) if running else 0.1
        state = "running" if running else "idle"
        rows.append(asdict(Reading(machine, lot, f"{at:%Y-%m-%d %H:%M}", round(vibration, 2), state)))
    return rows


def line_of(machine: str) -> str:
    """The production line in which a machine stands."""
    return LINES[machine.partition("-")[0]]
