"""The record agent's tools: the patients of its own campus, for reading only."""

import sqlite3
from contextlib import closing

import pytest

from helpers.apps.record import Records
from helpers.fiction import PathTaken, hospital_records


@pytest.fixture(scope="module")
def campuses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campuses")
    return {campus: Records(hospital_records(folder / f"{campus}.sqlite", campus)) for campus in "AB"}


@pytest.fixture(scope="module")
def patients(campuses):
    return {campus: patients_of(records) for campus, records in campuses.items()}


def patients_of(records):
    with records.reading() as database:
        return {number for (number,) in database.execute("select patient_id from patients")}


def test_the_campuses_share_no_patient_and_have_all_of_them_together(patients):
    assert not patients["A"] & patients["B"]
    assert patients["A"] | patients["B"] == {f"P-{number}" for number in range(1001, 1241)}


def test_a_campus_does_not_take_the_file_of_the_other(campuses):
    with pytest.raises(PathTaken, match="Move it away, or give another path"):
        hospital_records(campuses["A"].path, "B")


@pytest.mark.parametrize("table", ["diagnoses", "medications", "observations", "laboratory", "encounters"])
def test_no_table_has_a_row_of_the_other_campus(campuses, patients, table):
    for campus, records in campuses.items():
        with records.reading() as database:
            found = {number for (number,) in database.execute(f"select patient_id from {table}")}
        assert found <= patients[campus]


@pytest.mark.parametrize("tool", ["medications", "laboratory"])
def test_a_patient_is_found_at_one_campus_and_unknown_at_the_other(campuses, patients, tool):
    for campus, other in ("AB", "BA"):
        for number in sorted(patients[campus])[:20]:
            assert getattr(campuses[campus], tool)(number)
            with pytest.raises(ValueError, match=f"This campus has no patient {number}. Ids look like P-1001"):
                getattr(campuses[other], tool)(number)


def test_medicines_are_those_of_today_with_dose_route_and_frequency(campuses):
    with campuses["A"].reading() as database:
        stopped = database.execute("select patient_id, drug from medications where stopped is not null").fetchall()
        given = database.execute("select * from medications where stopped is null limit 20").fetchall()
    assert stopped and given
    for number, drug in stopped:
        assert drug not in campuses["A"].medications(number)
    for number, drug, dose, route, frequency, *_ in given:
        assert f"{drug} {dose} {route} {frequency}" in campuses["A"].medications(number)


def test_laboratory_values_are_the_latest(campuses, patients):
    number = min(patients["A"])
    with campuses["A"].reading() as database:
        rows = database.execute(
            "select test, value, unit from laboratory where patient_id = ? order by taken_at", [number]
        ).fetchall()
    latest = {test: f"{test}: {value:g} {unit}" for test, value, unit in rows}
    assert len(rows) > len(latest) and campuses["A"].laboratory(number).split("\n") == [
        *map(latest.get, sorted(latest))
    ]


@pytest.mark.parametrize(
    "number",
    ["", "P-1", "P-1001' or '1'='1", "' union select name from patients --", "P-1001; drop table patients", "%", "P-%"],
)
def test_what_is_no_patient_id_finds_nothing(campuses, number):
    for records in campuses.values():
        for tool in (records.medications, records.laboratory):
            with pytest.raises(ValueError, match="This campus has no patient"):
                tool(number)
    assert len(patients_of(campuses["A"]) | patients_of(campuses["B"])) == 240


@pytest.mark.parametrize(
    "statement", ["delete from patients", "update patients set name = 'x'", "create table x (y)", "drop table patients"]
)
def test_the_connection_cannot_write(campuses, statement):
    with campuses["A"].reading() as database, pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.execute(statement)


def test_the_connection_reaches_no_other_database_and_no_extension(campuses, tmp_path):
    with campuses["A"].reading() as database:
        for file in (campuses["B"].path, tmp_path / "new.sqlite"):
            with pytest.raises(sqlite3.OperationalError, match="too many attached databases"):
                database.execute("attach ? as other", [str(file)])
        with pytest.raises(sqlite3.OperationalError):
            database.execute("select load_extension('other')")
        with pytest.raises(sqlite3.OperationalError):
            database.execute("vacuum into ?", [str(tmp_path / "copy.sqlite")])
    assert not list(tmp_path.iterdir())
    with closing(sqlite3.connect(campuses["A"].path)) as plain:  # without the limit it would
        plain.execute("attach ? as other", [str(campuses["B"].path)])
