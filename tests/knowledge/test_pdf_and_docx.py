"""A PDF is read by its pages, a DOCX by its headings; both with their properties."""

from helpers.knowledge.documents import read
from tests.knowledge.samples import checked_chunks, docx_at, headings, pdf_of


def test_a_pdf_has_a_section_for_each_page(written):
    document = read(written("a.pdf", pdf_of("Aspirin 300 mg.", "Heparin 5000 units.")))
    assert (document.title, document.metadata) == ("Doses", {"author": "Dr Bell", "keywords": "aspirin, dose"})
    assert [section.page for section in document.sections] == [1, 2]
    assert [(c.page, c.text) for c in checked_chunks(document)] == [(1, "Aspirin 300 mg."), (2, "Heparin 5000 units.")]


def test_the_lines_of_a_pdf_flow_together(written):
    document = read(written("a.pdf", pdf_of("Give aspirin to\nthe patient.\nThen wait.")))
    assert document.text.strip() == "Give aspirin to the patient.\nThen wait."


def test_a_page_without_text_counts(written):
    document = read(written("a.pdf", pdf_of("One.", "", "Three.")))
    assert [chunk.page for chunk in checked_chunks(document)] == [1, 3]


def test_a_docx_has_headings_a_table_and_properties(tmp_path):
    document = read(docx_at(tmp_path / "a.docx"))
    assert (document.title, document.metadata) == ("Consent", {"author": "Dr Bell"})
    assert headings(document) == ["", "", "Children"]
    assert "parents_or guardians" in document.text
    assert "| 16 | Self |" in document.text
    assert [chunk.heading for chunk in checked_chunks(document)] == ["", "Children"]


def test_a_docx_without_a_title_takes_its_first_heading(tmp_path):
    assert read(docx_at(tmp_path / "a.docx", title="")).title == "Consent"
