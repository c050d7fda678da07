"""Both databases, written once for the tests of this room."""

import contextlib
import sqlite3

import pytest

from helpers.fiction import bank_records, hospital_records


@pytest.fixture(scope="package")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fiction")
    return {"hospital": hospital_records(folder / "hospital.sqlite"), "bank": bank_records(folder / "bank.sqlite")}


@pytest.fixture(scope="package")
def ask(paths):
    """A function that gives the rows of a query."""

    def answer(name, query):
        with contextlib.closing(sqlite3.connect(paths[name])) as connection:
            return connection.execute(query).fetchall()

    return answer
