"""A campus's records hold its own patients, and can be read only."""

import sqlite3
from contextlib import closing

import pytest

from helpers.apps.record import Records
from helpers.fiction import PathTaken, hospital_records


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    return {campus: hospital_records(folder / f"{campus}.sqlite", campus) for campus in (None, "A", "B")}


def column(file, query):
    with closing(sqlite3.connect(file)) as database:
        return [row[0] for row in database.execute(query)]


def test_the_campuses_share_no_patient_and_have_all_of_them_together(files):
    patients = {campus: set(column(file, "select patient_id from patients")) for campus, file in files.items()}
    assert not patients["A"] & patients["B"] and patients["A"] | patients["B"] == patients[None]
    assert len(patients[None]) == 240 and min(len(patients["A"]), len(patients["B"])) > 60
    for campus in ("A", "B"):
        wards = column(files[campus], "select distinct substr(ward, 1, 1) from patients where ward is not null")
        assert wards == [campus]
        assert set(column(files[campus], "select patient_id from medications")) <= patients[campus]


def test_a_campus_does_not_take_the_other_ones_file(files):
    assert hospital_records(files["A"], "A") == files["A"]
    with pytest.raises(PathTaken):
        hospital_records(files["A"], "B")


def test_the_tools_tell_what_the_record_says(files):
    records = Records(files["A"])
    assert "Metformin 1 g oral twice daily" in records.medications(patient_id="P-1021")
    assert "Potassium: 2.6 mmol/L" in records.laboratory(patient_id="P-1021")


@pytest.mark.parametrize("patient", ["P-9999", "P-1133", "P-1021' or '1'='1", ""])
def test_whoever_is_not_of_this_campus_is_not_found(files, patient):
    with pytest.raises(ValueError, match="This campus has no patient"):
        Records(files["A"]).medications(patient_id=patient)


@pytest.mark.parametrize("sql", ["delete from patients", "create table x (y)", "attach 'x' as x"])
def test_nothing_can_be_changed_through_the_tools_connection(files, sql):
    with Records(files["A"]).reading() as records, pytest.raises(sqlite3.OperationalError, match=r"readonly|attached"):
        records.execute(sql)
