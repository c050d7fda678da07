"""The pharmacy's tools: one reservation for one reference, however often and by how many it is asked for."""

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from helpers.apps.pharmacy import STOCK, Pharmacy
from tests.waiting import end


@pytest.fixture
def pharmacy(tmp_path):
    return Pharmacy(tmp_path / "site" / "pharmacy.sqlite")


def rows(pharmacy, table):
    return sqlite3.connect(pharmacy.path).execute(f"select * from {table}").fetchall()


def free(pharmacy, medicine="Fomepizole"):
    return dict(rows(pharmacy, "stock"))[medicine]


def test_the_stock_is_told_whatever_the_spelling_and_an_unknown_medicine_names_the_known(pharmacy):
    assert pharmacy.stock("fomepizole. ") == "2 units of fomepizole are free"
    with pytest.raises(ValueError, match=r"There is no Aspirin here. There are Dantrolene, Fomepizole, .* Tranexamic"):
        pharmacy.stock("Aspirin")


def test_a_reservation_takes_from_the_stock_and_asked_again_takes_nothing(pharmacy):
    assert pharmacy.reserve("R-17", "Fomepizole", 2) == "2 units of Fomepizole are reserved for R-17"
    for reference in ("R-17", "r-17", " R-17.", '"R-17"'):  # as a small model may copy it
        assert "done before" in pharmacy.reserve(reference, "fomepizole", 2)
    assert free(pharmacy) == 0 and [row[:3] for row in rows(pharmacy, "reservations")] == [("R-17", "Fomepizole", 2)]


@pytest.mark.parametrize(("medicine", "units"), [("Dantrolene", 2), ("Fomepizole", 1)])
def test_another_order_under_the_same_reference_is_refused(pharmacy, medicine, units):
    pharmacy.reserve("R-17", "Fomepizole", 2)
    with pytest.raises(ValueError, match=r"R-17 is another reservation: 2 units of Fomepizole. Use a new reference"):
        pharmacy.reserve("R-17", medicine, units)
    assert len(rows(pharmacy, "reservations")) == 1 and free(pharmacy, "Dantrolene") == STOCK["Dantrolene"]


@pytest.mark.parametrize("units", [0, -1, 3, 2**70])
def test_no_units_less_than_none_or_more_than_there_are_are_refused_and_nothing_changes(pharmacy, units):
    with pytest.raises(ValueError, match="cannot be reserved; 2 are free"):
        pharmacy.reserve("R-17", "Fomepizole", units)
    assert free(pharmacy) == 2 and not rows(pharmacy, "reservations")


@pytest.mark.parametrize("reference", ["", " ", "."])
def test_a_reservation_without_a_reference_is_refused(pharmacy, reference):
    with pytest.raises(ValueError, match="needs the reference"):
        pharmacy.reserve(reference, "Fomepizole", 1)


def test_the_database_itself_refuses_a_negative_stock(pharmacy):
    with sqlite3.connect(pharmacy.path) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute("update stock set units = -1")


def test_threads_that_reserve_the_same_reference_make_one_reservation(pharmacy):
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: pharmacy.reserve("R-17", "Fomepizole", 1), range(40)))
    assert sum("done before" not in answer for answer in told) == 1
    assert free(pharmacy) == 1 and len(rows(pharmacy, "reservations")) == 1


@pytest.mark.parametrize("tool", ["stock", "reserve"])
def test_nobody_reads_the_stock_while_another_is_about_to_change_it(pharmacy, tool):
    arguments = {"stock": ["Fomepizole"], "reserve": ["R-17", "Fomepizole", 1]}[tool]
    with closing(sqlite3.connect(pharmacy.path, isolation_level=None)) as other, ThreadPoolExecutor() as pool:
        other.execute("begin immediate")
        other.execute("update stock set units = 1 where medicine = 'Fomepizole'")
        answer = pool.submit(getattr(pharmacy, tool), *arguments)
        with pytest.raises(TimeoutError):
            answer.result(0.3)
        other.execute("commit")
        assert answer.result(20).startswith("1 units of Fomepizole are")


RESERVE = """
import json, sys
from pathlib import Path
from helpers.apps.pharmacy import Pharmacy
print("ready", flush=True)
for line in sys.stdin:
    path, reference = json.loads(line)
    try:
        print(Pharmacy(Path(path)).reserve(reference, "Dantrolene", 5), flush=True)
    except ValueError as refusal:
        print(refusal, flush=True)
"""


@pytest.fixture(scope="module")
def processes():
    command = [sys.executable, "-c", RESERVE]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in "12"
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    yield started
    end(*started)


def order(process, pharmacy, reference):
    process.stdin.write(json.dumps([str(pharmacy.path), reference]) + "\n")
    return process.stdout.readline()


def test_processes_that_reserve_at_the_same_time_never_take_more_than_there_is(pharmacy, processes):
    def orders(process):  # 8 references, of which 7 can have 5 of 36 units
        return [order(process, pharmacy, f"R-{number}") for number in range(8)]

    with ThreadPoolExecutor() as pool:
        one, other = pool.map(orders, processes)
    assert len(rows(pharmacy, "reservations")) == 7 and free(pharmacy, "Dantrolene") == 1
    assert sum("are reserved" in answer and "before" not in answer for answer in one + other) == 7
    assert sum("1 are free" in answer for answer in one + other) == 2


def test_a_pharmacy_that_is_killed_at_once_has_everything_that_it_told_of(pharmacy, processes):
    for number, process in enumerate(processes):  # the last test that needs them
        assert f"reserved for R-{number}" in order(process, pharmacy, f"R-{number}")
        process.kill()
    assert sorted(row[0] for row in rows(pharmacy, "reservations")) == ["R-0", "R-1"]
    assert Pharmacy(pharmacy.path).stock("Dantrolene").startswith("26 units")  # begun again, it is not refilled
