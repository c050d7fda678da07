"""A trace in a line: how long it took, where it was, and whether it is whole."""

from dataclasses import dataclass
from typing import Any

LINES = """
select trace_id, span_id, parent_id, start, "end", site, service, status
from spans where trace_id = ? order by start, id
"""


@dataclass(frozen=True)
class Summary:
    """One trace in a line."""

    trace_id: str
    start: int  # of its first span, nanoseconds since 1970
    seconds: float  # from the start of its first root to the end of what was last done there, by the clock of its site
    spans: int
    roots: int  # spans that name no parent: one, if nothing broke the trace
    orphans: int  # spans that name a parent that is not here: not yet, or never
    sites: tuple[str, ...]
    services: tuple[str, ...]
    errors: int  # spans whose status is ERROR

    @classmethod
    def of(cls, rows: list[tuple[Any, ...]]) -> "Summary":
        """Of what `LINES` finds of a trace; at least one."""
        traces, spans, parents, starts, ends, sites, services, statuses = zip(*rows, strict=True)
        known = {"", *spans}
        first = parents.index("") if "" in parents else 0
        # A streamed answer ends after the root that asked for it; clocks of other sites may be minutes away.
        ended = max(end for end, site in zip(ends, sites, strict=True) if site == sites[first])
        return cls(
            trace_id=traces[0],
            start=starts[0],
            seconds=(ended - starts[first]) / 1e9,
            spans=len(spans),
            roots=parents.count(""),
            orphans=sum(parent not in known for parent in parents),
            sites=tuple(sorted({*sites} - {""})),
            services=tuple(sorted({*services} - {""})),
            errors=statuses.count("ERROR"),
        )
