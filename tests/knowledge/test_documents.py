"""Each type of file is read with its title, sections and metadata, or refused with the reason."""

import random
import zipfile

import docx
import pytest
from fpdf import FPDF

from helpers.knowledge import chunks, documents
from helpers.knowledge.documents import Document, from_text, read
from helpers.knowledge.errors import DocumentRefused
from helpers.settings.settings import ROOT

HOSPITAL = ROOT / "notebooks" / "data" / "hospital"
FILES = sorted(path for path in HOSPITAL.rglob("*") if path.is_file())
GERMAN = "Die Händehygiene schützt Patienten und Ärzte. Für die Prüfung genügen fünf Minuten täglich.\n"


@pytest.fixture
def written(tmp_path):
    """A function that writes a file and returns its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


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


PAGE = """<!doctype html><html><head><title> Visitors </title>
<meta name="Author" content="Ward 3"><meta name="viewport" content="wide"><style>p {color: red}</style></head>
<body><nav>Home Contact</nav><h1>Visitors</h1><p>Come from 14:00.</p><script>track()</script>
<h2>Children</h2><p>With an <a href="x.html">adult</a>.</p><footer>Imprint</footer></body></html>"""


@pytest.mark.parametrize("name", ["a.html", "a.htm", "A.HTML"])
def test_an_html_page_has_headings_and_metadata(written, name):
    document = read(written(name, PAGE))
    assert (document.title, document.metadata) == ("Visitors", {"author": "Ward 3"})
    found = {chunk.heading: chunk.text for chunk in checked_chunks(document)}
    assert "Come from 14:00." in found[""]
    assert "With an adult." in found["Children"]


@pytest.mark.parametrize("left_out", ["Home Contact", "Imprint", "track", "color"])
def test_what_is_no_content_of_an_html_page_is_left_out(written, left_out):
    assert left_out not in read(written("a.html", PAGE)).text


def test_of_an_html_page_with_a_main_part_only_that_is_read(written):
    document = read(written("a.html", "<body><aside>Advert</aside><main><p>Content.</p></main></body>"))
    assert document.text.strip() == "Content."


NOTE = """---
title: Falls
author: Ward 3
keywords: falls, beds
kind: protocols
---
Before all headings.

# Falls

Look.

### Deep

Lower the bed.

```
# no heading
```

## Setext follows

Words.

Rails
-----

Raise them.
"""


def test_markdown_has_front_matter_and_a_path_of_headings(written):
    document = read(written("a.md", NOTE))
    assert document.title == "Falls"
    assert headings(document) == ["", "", "Deep", "Setext follows", "Rails"]
    assert checked_chunks(document)[0].text == "Before all headings."


def test_headings_below_headings_make_a_path(written):
    document = read(written("a.md", "# Doses\n\nA.\n\n## Children\n\nB.\n\n### Under 2\n\nC.\n\n## Adults\n\nD.\n"))
    assert headings(document)[2:] == ["Children", "Children > Under 2", "Adults"]


def test_front_matter_does_not_set_the_kind(written):
    """The first folder does, when it is ingested: a document cannot make a protocol of itself."""
    assert read(written("a.md", NOTE)).metadata == {"author": "Ward 3", "keywords": "falls, beds"}


@pytest.mark.parametrize("separator", ["\f", "\u2028", "\x85", "\v", "\r\n", "\r"], ids=repr)
def test_the_section_of_a_heading_begins_there_whatever_else_separates_lines(written, separator):
    document = read(written("a.md", f"One{separator}two.\n\n# First\n\nA.\n\n# Second\n\nB.\n"))
    starts = [document.text[section.start : section.stop].split("\n")[0] for section in document.sections[1:]]
    assert starts == ["# First", "# Second"]
    checked_chunks(document)


def test_a_text_is_one_section_with_its_first_line_as_title(written):
    document = read(written("a.txt", "\n  Fire  \r\nLeave by the stairs.\r\n"))
    assert (document.title, document.metadata, len(document.sections)) == ("Fire", {}, 1)
    assert "\r" not in document.text
    assert document.note == ""
    checked_chunks(document)


def test_a_byte_order_mark_is_no_text(written):
    document = read(written("a.txt", b"\xef\xbb\xbfFire\n"))
    assert (document.text, document.note) == ("Fire\n", "")


def test_a_long_text_is_split_without_loss(written):
    words = " ".join(f"Sentence {number} über Maß." for number in range(500))
    document = read(written("a.txt", words))
    found = checked_chunks(document)
    assert " ".join(chunk.text for chunk in found) == words


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_row_of_a_table_is_a_section_that_names_its_columns(written, separator):
    rows = [("name", "dose", "note"), ("aspirin", "300 mg", ""), ("heparin", "5000 units", '"at once, always; yes"')]
    document = read(written("a.csv", "".join(separator.join(row) + "\n" for row in rows)))
    assert headings(document) == ["row 2", "row 3"]
    assert [chunk.text for chunk in checked_chunks(document)] == [
        "name: aspirin; dose: 300 mg",
        "name: heparin; dose: 5000 units; note: at once, always; yes",
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_other_encodings_are_taken_with_a_note(written, name, encoding):
    document = read(written(name, (GERMAN * 5).encode(encoding)))
    assert document.text.strip().startswith("Die Händehygiene schützt Patienten und Ärzte. Für")
    assert document.note.startswith("read as ") and document.note.endswith(", not UTF-8")
    checked_chunks(document)


def test_a_chunk_is_embedded_below_its_title_and_heading(written):
    document = read(written("a.md", "# Doses\n\n## Children\n\nHalf.\n"))
    assert [chunk.in_context for chunk in chunks.split(document)] == ["Doses\nChildren\n## Children\n\nHalf."]


def test_a_heading_alone_is_no_chunk(written):
    assert not list(chunks.split(read(written("a.md", "# Doses\n\n## Children\n"))))


def test_a_text_at_hand_is_a_document():
    assert [chunk.text for chunk in checked_chunks(from_text("Words.", "A title", {"kind": "x"}))] == ["Words."]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOSPITAL).as_posix())
def test_the_hospitals_document_is_read_without_reservations(path):
    document = read(path)
    checked_chunks(document)
    assert document.note == ""
    assert document.title or path.suffix == ".csv"


def test_the_hospital_has_every_type_of_document():
    assert {path.suffix for path in FILES} == documents.READERS.keys() - {".htm"}


def noise(length):
    return random.Random(7).randbytes(length)


REFUSED = {
    "encrypted PDF": ("a.pdf", pdf_of("Secret.", secret="user"), "encrypted; remove the password"),
    "PDF cut short": ("a.pdf", pdf_of("Words.")[:200], "a damaged PDF .*export it again"),
    "noise as PDF": ("a.pdf", noise(5000), "a damaged PDF"),
    "PDF without text": ("a.pdf", pdf_of(""), "no text in it.*OCR"),
    "noise as DOCX": ("a.docx", noise(5000), r"a damaged DOCX \(BadZipFile\); save it again"),
    "empty file": ("a.md", b"", "the file is empty"),
    "blank file": ("a.txt", b" \n\t\n", "no text in it"),
    "noise as text": ("a.txt", noise(5000), "not text"),
    "program as text": ("a.txt", b"\x7fELF\x02\x01\x01" + bytes(200) + noise(400), "not text"),
    "control characters": ("a.txt", b"Words\x00\x01 and more.", "not text: it has control characters"),
    "unknown type": ("a.exe", b"MZ", "files of type .exe are not read; known are .pdf .docx"),
    "no type": ("README", b"Words.", r"files of type \(none\) are not read"),
    "bad front matter": ("a.md", "---\ntitle: [open\n---\nText.\n", "its front matter is not YAML"),
    "too many fields": ("a.csv", "a,b\n1,2\n1,2,3\n", "row 3 has more fields than the header"),
    "open quotation": ("a.csv", 'a,b\n1,"2\n', "not a table"),
    "header alone": ("a.csv", "a,b\n", "no text in it"),
}


@pytest.mark.parametrize(("name", "content", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_taken_is_refused_with_the_reason(written, name, content, reason):
    with pytest.raises(DocumentRefused, match=reason):
        read(written(name, content))


def test_an_archive_that_is_no_docx_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("hello.txt", "Words.")
    with pytest.raises(DocumentRefused, match="a damaged DOCX"):
        read(tmp_path / "a.docx")


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    path = docx_at(tmp_path / "a.docx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.xml", "w") as member:
        for _ in range(101):
            member.write(bytes(2**20))
    with pytest.raises(DocumentRefused, match=r"it unpacks to 10[12] MB"):
        read(path)


def test_a_large_file_is_refused_unread(tmp_path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(100 * 2**20)
    with pytest.raises(DocumentRefused, match="100 MB, at most 20 are taken; split it"):
        read(tmp_path / "a.txt")
