"""What is right in this lab: the judge compares with these, and the tests hold them against the planted data."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from statistics import linear_regression
from typing import Any

THINNEST, THICKEST, ROUGHEST = 39.85, 40.15, 6.3
SEVERITY = ["pass", "rework", "hold", "reject"]
SOON = 72  # hours
LEAST = 8  # readings that a forecast needs
Row = dict[str, Any]


def grade(diameter_mm: float | None, roughness_um: float | None) -> str:
    """The verdict on a table leg: what cannot be measured is held, what is too thin is lost, the rest can be mended."""
    if diameter_mm is None or roughness_um is None:
        return "hold"
    if diameter_mm < THINNEST:
        return "reject"
    return "rework" if diameter_mm > THICKEST or roughness_um > ROUGHEST else "pass"


def hours_left(readings: Sequence[Row], limit: float) -> float | None:
    """Hours until the straight line through the running readings meets the limit; None if it does not rise."""
    running = [one for one in readings if one["state"] == "running"]
    if len(running) < LEAST:
        return None
    times = [datetime.fromisoformat(one["at"]) for one in running]
    hours = [(at - times[0]).total_seconds() / 3600 for at in times]
    slope, start = linear_regression(hours, [one["vibration_mm_s"] for one in running])
    if slope <= 0:
        return None
    return max(0.0, (limit - start) / slope - hours[-1])


def correlate(summaries: Sequence[Row]) -> list[Row]:
    """Lots whose bearings wear out soon in two factories or more, the most urgent first."""
    worn = defaultdict(list)
    for one in summaries:
        if one["hours_left"] is not None and one["hours_left"] <= SOON:
            worn[one["lot"]].append(one)
    found = []
    for lot, ones in worn.items():
        factories = sorted({one["factory"] for one in ones})
        if len(factories) > 1:
            machines = sorted(f"{one['factory']}/{one['machine']}" for one in ones)
            first = min(one["hours_left"] for one in ones)
            found.append({"lot": lot, "factories": factories, "machines": machines, "hours_left": first})
    return sorted(found, key=lambda incident: incident["hours_left"])


def proof(spans: Sequence[Row]) -> Row:
    """Whether a trace is whole, where it was, and whether each stop has an approval of its own before it."""
    known = {span["span_id"] for span in spans}
    parents = [span["parent_id"] for span in spans]
    accepted = sorted(
        event["time"]
        for span in spans
        for event in span["events"]
        if event["name"] == "approval.answered" and event["attributes"].get("workshop.action") == "accept"
    )
    stops = sorted(span["start"] for span in spans if span["name"] == "stop")
    return {
        "roots": parents.count(""),
        "orphans": sum(bool(parent) and parent not in known for parent in parents),
        "sites": sorted({span["site"] for span in spans}),
        "asked_first": all(sum(at < stop for at in accepted) >= number for number, stop in enumerate(stops, 1)),
    }
