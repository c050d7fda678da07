"""What this machine has and lacks for the workshop, with the remedy for each lack.

Holds the checks and their report, as a table in a notebook and in a terminal (`make doctor`).
May import: inference, settings.
"""

from helpers.doctor.checks import Finding, examine
from helpers.doctor.report import Report


def doctor() -> Report:
    """Examine this machine; the report is a table in a notebook, and `report.ok` says whether all is well.

    doctor()
    """
    return Report(examine())


__all__ = ["Finding", "Report", "doctor"]
