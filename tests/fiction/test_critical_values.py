"""The laboratory values can be joined, by the name of the test, with the hospital's list of critical values."""

import csv

import pytest

from helpers.settings.settings import ROOT

LIST = ROOT / "notebooks" / "data" / "hospital" / "tables" / "critical-laboratory-values.csv"
LIMITS = {row["test"]: row for row in csv.DictReader(LIST.read_text("utf-8").splitlines())}
CHILDREN = "select patient_id from patients where born > '2010-03-02'"
TAKES = "select patient_id from medications where drug in"
KIDNEYS = "select patient_id from diagnoses where code = 'N18.4'"

PLAIN = {  # tests whose limit in the list is not for these patients, and who they are
    "Glucose": CHILDREN,
    "Haemoglobin": CHILDREN,
    "INR": f"{TAKES} ('Apixaban')",
    "Creatinine": f"""{KIDNEYS} union
        select patient_id from laboratory where test = 'Creatinine' group by 1 having max(value) < 110""",
}


def test_every_test_stands_in_the_list_or_has_no_limit_there_for_the_patient(ask):
    names = {name for (name,) in ask("hospital", "select distinct test from laboratory")}
    assert names - LIMITS.keys() == PLAIN.keys()


@pytest.mark.parametrize("test", PLAIN)
def test_only_patients_for_whom_the_list_has_no_limit_have_the_plain_name(ask, test):
    having = f"select patient_id from laboratory where test = '{test}'"
    assert ask("hospital", f"{having} except select * from ({PLAIN[test]})") == []


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("INR (on warfarin)", f"{TAKES} ('Apixaban')"),
        ("INR (not on anticoagulant)", f"{TAKES} ('Warfarin', 'Apixaban')"),
        ("Glucose (adult)", CHILDREN),
        ("Haemoglobin (adult)", CHILDREN),
        ("Creatinine (new)", KIDNEYS),
    ],
)
def test_a_name_is_not_given_to_those_of_whom_it_does_not_speak(ask, name, others):
    having = f"select patient_id from laboratory where test = '{name}'"
    assert ask("hospital", having) and ask("hospital", f"{having} intersect {others}") == []


def test_the_units_are_those_of_the_list(ask):
    units = ask("hospital", "select distinct test, unit from laboratory")
    assert [unit for unit in units if unit[0] in LIMITS and LIMITS[unit[0]]["unit"] != unit[1]] == []


@pytest.mark.parametrize(
    "test", ["Potassium", "Sodium", "Lactate", "INR (on warfarin)", "Creatinine (new)", "Calcium (total adjusted)"]
)
def test_a_few_values_are_critical(ask, test):
    low, high = (float(LIMITS[test][side] or edge) for side, edge in (("low", "-inf"), ("high", "inf")))
    values = ask("hospital", f"select patient_id, value from laboratory where test = '{test}'")
    assert 0 < len({patient for patient, value in values if not low <= value <= high}) < 40
