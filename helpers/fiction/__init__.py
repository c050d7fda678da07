"""Invented data to work on, the same in every run: a hospital's patients, a bank's transactions, a chain of stores.

Holds the generators, their word lists and schemas, and the list of the anomalies planted among the transactions.
May import: nothing of this package.
"""

from helpers.fiction.anomalies import Anomaly
from helpers.fiction.database import FictionError, PathTaken
from helpers.fiction.patients import hospital_records
from helpers.fiction.retail import retail_files
from helpers.fiction.transactions import bank_records, planted_anomalies

__all__ = [
    "Anomaly",
    "FictionError",
    "PathTaken",
    "bank_records",
    "hospital_records",
    "planted_anomalies",
    "retail_files",
]
