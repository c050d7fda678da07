"""Documents of unusual form are taken as they are meant, or refused in the words of their type."""

import docx
import pytest

from helpers.knowledge import chunks, documents
from helpers.knowledge.documents import read, storable
from helpers.knowledge.errors import DocumentRefused


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_old_line_ends_are_line_ends(tmp_path):
    document = read(written(tmp_path, "a.md", "# A\r\rOne.\r\r## B\r\rTwo.\r"))
    assert [(chunk.heading, chunk.text) for chunk in chunks.split(document)] == [
        ("", "# A\n\nOne."),
        ("B", "## B\n\nTwo."),
    ]


def test_columns_of_the_same_name_and_short_rows_lose_nothing(tmp_path):
    document = read(written(tmp_path, "a.csv", "drug,dose,dose\naspirin,300,500\n\nheparin,5000\n"))
    assert document.text == "drug: aspirin; dose: 300; dose: 500\ndrug: heparin; dose: 5000\n"


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.txt"])
def test_a_text_without_a_heading_is_one_section(tmp_path, name):
    document = read(written(tmp_path, name, "Only words."))
    assert [(section.start, section.stop) for section in document.sections] == [(0, len(document.text))]
    assert [chunk.text for chunk in chunks.split(document)] == ["Only words."]


def test_a_docx_without_a_heading_is_one_section(tmp_path):
    made = docx.Document()
    made.add_paragraph("Only words.")
    made.save(tmp_path / "a.docx")
    assert [chunk.text for chunk in chunks.split(read(tmp_path / "a.docx"))] == ["Only words."]


@pytest.mark.parametrize("front", ["date: 2024-13-45", "1: 2", "title: [open"], ids=["date", "key", "bracket"])
def test_front_matter_that_cannot_be_read_is_named_as_that(tmp_path, front):
    with pytest.raises(DocumentRefused, match="its front matter is not YAML"):
        read(written(tmp_path, "a.md", f"---\n{front}\n---\nText.\n"))


def test_a_reader_that_gives_up_refuses_its_file_only(tmp_path):
    with pytest.raises(DocumentRefused, match="damaged; its reader says RecursionError"):
        read(written(tmp_path, "a.html", "<div>" * 5000 + "Text."))


def test_the_largest_file_is_taken_and_one_byte_more_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST", 5)
    assert read(written(tmp_path, "a.txt", "12345")).text == "12345"
    with pytest.raises(DocumentRefused, match="split it"):
        read(written(tmp_path, "a.txt", "123456"))


def test_what_a_database_cannot_hold_is_replaced_sign_for_sign():
    assert storable("a\x00b\ud800c\udfffd😀") == "a\ufffdb\ufffdc\ufffdd😀"
