"""Documents for tests, and what their chunks must keep to."""

import json
from pathlib import Path

import docx
from fpdf import FPDF

from helpers.knowledge import chunks
from helpers.knowledge.documents import Document


def write(path: Path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(*entries):
    """The entries as lines of JSON."""
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


def pdf_of(*pages, secret=""):
    made = FPDF()
    made.set_title("Doses")
    made.set_author("Dr Bell")
    made.set_keywords("aspirin, dose")
    made.set_creator("A program")
    made.set_font("Helvetica", size=12)
    if secret:
        made.set_encryption(owner_password="owner", user_password=secret)
    for page in pages:
        made.add_page()
        made.multi_cell(0, text=page)
    return bytes(made.output())


def docx_at(path, title="Consent", author="Dr Bell"):
    made = docx.Document()
    made.core_properties.title, made.core_properties.author = title, author
    made.add_heading("Consent", 1)
    made.add_paragraph("Ask before you touch.")
    made.add_heading("Children", 2)
    made.add_paragraph("Ask the parents_or guardians.")
    table = made.add_table(2, 2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Age", "Who", "16", "Self"), strict=True
    ):
        cell.text = text
    made.save(path)
    return path


def checked_chunks(document: Document):
    """The chunks of a document, each of which is where it says, and no longer than allowed."""
    found = list(chunks.split(document))
    assert found
    for chunk in found:
        assert document.text[chunk.start : chunk.stop] == chunk.text
        assert 0 < len(chunk.text) <= chunks.LONGEST
        assert any(section.start <= chunk.start and chunk.stop <= section.stop for section in document.sections)
    return found


def headings(document):
    return [section.heading for section in document.sections]
