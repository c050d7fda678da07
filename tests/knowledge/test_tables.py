"""Each row of a table is understood, found and cited by itself."""

import pytest

from helpers.knowledge import chunks
from helpers.knowledge.documents import read
from helpers.knowledge.errors import DocumentRefused
from tests.knowledge.samples import checked_chunks, headings


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_row_of_a_table_is_a_section_that_names_its_columns(written, separator):
    rows = [("name", "dose", "note"), ("aspirin", "300 mg", ""), ("heparin", "5000 units", '"at once, always; yes"')]
    document = read(written("a.csv", "".join(separator.join(row) + "\n" for row in rows)))
    assert headings(document) == ["row 2", "row 3"]
    assert [chunk.text for chunk in checked_chunks(document)] == [
        "name: aspirin; dose: 300 mg",
        "name: heparin; dose: 5000 units; note: at once, always; yes",
    ]


def test_columns_of_the_same_name_and_short_rows_lose_nothing(written):
    document = read(written("a.csv", "drug,dose,dose\naspirin,300,500\n\nheparin,5000\n"))
    assert document.text == "drug: aspirin; dose: 300; dose: 500\ndrug: heparin; dose: 5000\n"


def test_a_row_has_the_number_that_a_spreadsheet_shows(written):
    """So it counts a blank row, and counts a row once whose field holds a line end."""
    document = read(written("a.csv", 'drug,dose\n\n"aspirin,\nchewed",300 mg\n , \n,\nheparin,5000 units\n'))
    assert [(chunk.heading, chunk.text) for chunk in chunks.split(document)] == [
        ("row 3", "drug: aspirin,\nchewed; dose: 300 mg"),
        ("row 6", "drug: heparin; dose: 5000 units"),
    ]


def test_quotation_marks_within_a_field_may_come_late(written):
    rows = "".join(f'aspirin {number},"300 mg, at once"\n' for number in range(1000))
    document = read(written("a.csv", f'drug,dose\n{rows}heparin,"5000 units, ""at once"""\n'))
    assert document.text.endswith('drug: heparin; dose: 5000 units, "at once"\n')


def test_a_row_that_is_too_long_is_told_with_the_number_that_a_spreadsheet_shows(written):
    with pytest.raises(DocumentRefused, match="row 4 has more fields than the header"):
        read(written("a.csv", "a,b\n\n1,2\n1,2,3\n"))


@pytest.mark.parametrize("content", ["\n\n\n", "\r\n \r\n", ",,\n,,\n", "a,b\n", "\na,b\n\n"], ids=repr)
def test_a_table_without_rows_is_told_as_that(written, content):
    with pytest.raises(DocumentRefused, match="it has no rows; a table has a header and rows below it"):
        read(written("a.csv", content))
