"""A reservation is made once, however often it is asked for, and never of what is not there."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from helpers.apps.pharmacy import STOCK, Pharmacy


@pytest.fixture
def pharmacy(tmp_path):
    return Pharmacy(tmp_path / "pharmacy.sqlite")


def rows(pharmacy, query):
    with closing(sqlite3.connect(pharmacy.path)) as database:
        return database.execute(query).fetchall()


def free(pharmacy, medicine):
    return dict(rows(pharmacy, "select * from stock"))[medicine]


def test_the_same_reference_reserves_once_and_is_answered_again(pharmacy):
    first = pharmacy.reserve(reference="R-1", medicine="Dantrolene", units=3)
    again = pharmacy.reserve(reference="R-1", medicine="dantrolene", units=3)
    assert first == "3 units of Dantrolene are reserved for R-1" and "was done before" in again
    assert free(pharmacy, "Dantrolene") == STOCK["Dantrolene"] - 3


def test_another_order_under_the_same_reference_is_refused(pharmacy):
    pharmacy.reserve(reference="R-1", medicine="Dantrolene", units=3)
    with pytest.raises(ValueError, match="R-1 is another reservation"):
        pharmacy.reserve(reference="R-1", medicine="Dantrolene", units=4)
    assert free(pharmacy, "Dantrolene") == STOCK["Dantrolene"] - 3


@pytest.mark.parametrize("units", [0, -1, 37])
def test_what_is_not_there_is_not_reserved(pharmacy, units):
    with pytest.raises(ValueError, match="36 are free"):
        pharmacy.reserve(reference="R-1", medicine="Dantrolene", units=units)
    assert not rows(pharmacy, "select * from reservations")


def test_an_unknown_medicine_is_told_with_those_that_are_there(pharmacy):
    with pytest.raises(ValueError, match=r"no Aspirin here\. There are Dantrolene, Fomepizole"):
        pharmacy.stock(medicine="Aspirin")
    assert pharmacy.stock(medicine="fomepizole") == "2 units of fomepizole are free"


def test_many_at_once_get_no_more_than_there_is(pharmacy):
    def try_one(number):
        try:
            return pharmacy.reserve(reference=f"R-{number % 10}", medicine="Idarucizumab", units=1)
        except ValueError:
            return None

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(try_one, range(40)))
    assert free(pharmacy, "Idarucizumab") == 0
    assert len(rows(pharmacy, "select * from reservations")) == STOCK["Idarucizumab"]


KILLED = """
import os, signal, sys
from pathlib import Path
from helpers.apps.pharmacy import Pharmacy
Pharmacy(Path(sys.argv[1])).reserve(reference="R-1", medicine="Dantrolene", units=3)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reservation_survives_a_power_failure_right_after_it(pharmacy):
    subprocess.run([sys.executable, "-c", KILLED, str(pharmacy.path)])
    assert "was done before" in pharmacy.reserve(reference="R-1", medicine="Dantrolene", units=3)
