"""Pages and texts are read with their titles, sections and metadata, and fall into chunks."""

import pytest

from helpers.knowledge import chunks, documents
from helpers.knowledge.documents import from_text, read
from helpers.settings.settings import ROOT
from tests.knowledge.samples import checked_chunks, headings

HOSPITAL = ROOT / "notebooks" / "data" / "hospital"
FILES = sorted(path for path in HOSPITAL.rglob("*") if path.is_file())


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
