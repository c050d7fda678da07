"""The files of a fictional chain of stores: its stock, its factory's machines, its supplier's offers, prices, weather.

The articles, machines and places stand in `retail.toml`; each file has draws of its own, so that one can change alone.
"""

import csv
import io
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from helpers.fiction.chance import Chance
from helpers.fiction.database import PathTaken, Row

NOW = datetime(2026, 3, 2, 8, 0)
READING = timedelta(minutes=15)
READINGS = 2 * 24 * 4 + 1
WEARS_FROM = datetime(2026, 3, 1, 14, 0)
SHIFTS = range(6, 22)  # hours; before the season the factory works at weekends too
DAYS = 5  # of weather


def retail_files(folder: Path) -> list[Path]:
    """Write the files into `folder`, and return their paths; those that are there already stay.

    retail_files(Path("artefacts/retail"))

    Raises:
        PathTaken: there is another file of that name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / f"{name}.csv": _csv(rows) for name, rows in tables().items()}
    for path, text in texts.items():
        _put(path, text.encode())
    return list(texts)


def tables() -> dict[str, list[Row]]:
    """What each file holds; the first row names the columns."""
    return {
        "inventory": [("sku", "name", "store", "quantity", "shelf", "reorder_level"), *_inventory(Chance(20260303))],
        "prices": [("sku", "name", "price_cents"), *_words()["furniture"], *_words()["goods"]],
        "rates": [("currency", "per_euro"), *_words()["rates"]],
        "offers": [("sku", "name", "price_cents", "lead_days", "minimum"), *_offers(Chance(20260304))],
        "machines": [("machine", "name", "temperature_limit_c", "vibration_limit_mm_s"), *_machines()],
        "telemetry": [("machine", "at", "temperature_c", "vibration_mm_s", "state"), *_telemetry(Chance(20260305))],
        "weather": [("place", "day", "sky", "low_c", "high_c", "rain_mm", "wind_kmh"), *_weather(Chance(20260306))],
    }


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "retail.toml").read_text("utf-8"))


def _inventory(chance: Chance) -> Iterator[Row]:
    for place, (sku, name, price) in enumerate(_words()["furniture"] + _words()["goods"]):
        level = 4 if price > 10_000 else 8 if price > 3_000 else 20
        for store in _words()["stores"]:
            low = chance.likely(0.2)
            quantity = chance.whole(0, level - 1) if low else chance.whole(level, 4 * level)
            yield sku, name, store, quantity, f"{'ABCDE'[place // 8]}{place % 8 + 1}", level


def _offers(chance: Chance) -> Iterator[Row]:
    for sku, name, price in _words()["goods"]:
        yield sku, name, round(price * chance.number(0.52, 0.66)), *_terms(chance)
    for sku, name, price in _words()["materials"]:
        yield sku, name, price, *_terms(chance)


def _terms(chance: Chance) -> tuple[int, int]:
    return chance.pick([2, 3, 3, 5, 7, 10, 14, 21]), chance.pick([1, 5, 10, 10, 20, 50])


def _machines() -> Iterator[Row]:
    for machine, name, _, _, _, temperature, vibration in _words()["machines"]:
        yield machine, name, temperature, vibration


def _telemetry(chance: Chance) -> Iterator[Row]:
    for machine, _, always, warm, shakes, _, _ in _words()["machines"]:
        heat = 21.0
        for place in range(READINGS):
            at = NOW - (READINGS - 1 - place) * READING
            runs = always or at.hour in SHIFTS
            wear = _wear(at) if machine == _words()["failing"] and runs else 0.0
            goal = warm + 14 * wear if runs else 21.0
            heat = goal if place == 0 else heat + (goal - heat) * 0.4  # machines warm up and cool down slowly
            vibration = shakes * (1 + 2.4 * wear) if runs else 0.1
            noise = chance.number(0.95, 1.05, 4)
            state = "running" if runs else "idle"
            yield (
                machine,
                f"{at:%Y-%m-%d %H:%M}",
                round(heat + chance.number(-0.6, 0.6), 1),
                round(vibration * noise, 2),
                state,
            )


def _wear(at: datetime) -> float:
    """How far a bearing is worn out: nothing before its day, all of it eight hours later."""
    return min(max((at - WEARS_FROM) / timedelta(hours=8), 0.0), 1.0)


def _weather(chance: Chance) -> Iterator[Row]:
    for place, low, high in _words()["places"]:
        for day in range(DAYS):
            sky = chance.pick(_words()["skies"])
            rain = chance.number(0.5, 9, 1) if sky in ("rain", "showers") else 0.0
            warmer = chance.number(-3, 3, 1)
            date = (NOW + timedelta(days=day)).date().isoformat()
            yield place, date, sky, round(low + warmer, 1), round(high + warmer, 1), rain, chance.whole(4, 38)


def _csv(rows: list[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _put(path: Path, data: bytes) -> None:
    """Write `path` so that it is there whole or not at all."""
    if path.exists():
        if path.is_file() and path.read_bytes() == data:
            return
        raise PathTaken(f"{path} is there and is not what this generator writes. Move it away, or give another path.")
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        draft.write_bytes(data)
        draft.replace(path)
