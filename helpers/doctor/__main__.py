"""`make doctor`: prints the report; exit code 1 when something needs help."""

import sys

from helpers.doctor import doctor

report = doctor()
report.print()
sys.exit(0 if report.ok else 1)
