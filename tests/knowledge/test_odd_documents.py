"""Documents of unusual form are taken as they are meant, or refused in the words of their type."""

from itertools import pairwise

import docx
import pytest

from helpers.knowledge import chunks, documents
from helpers.knowledge.documents import read, storable
from helpers.knowledge.errors import DocumentRefused


def test_old_line_ends_are_line_ends(written):
    document = read(written("a.md", "# A\r\rOne.\r\r## B\r\rTwo.\r"))
    assert [(chunk.heading, chunk.text) for chunk in chunks.split(document)] == [
        ("", "# A\n\nOne."),
        ("B", "## B\n\nTwo."),
    ]


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.txt"])
def test_a_text_without_a_heading_is_one_section(written, name):
    document = read(written(name, "Only words."))
    assert [(section.start, section.stop) for section in document.sections] == [(0, len(document.text))]
    assert [chunk.text for chunk in chunks.split(document)] == ["Only words."]


def test_a_docx_without_a_heading_is_one_section(tmp_path):
    made = docx.Document()
    made.add_paragraph("Only words.")
    made.save(tmp_path / "a.docx")
    assert [chunk.text for chunk in chunks.split(read(tmp_path / "a.docx"))] == ["Only words."]


@pytest.mark.parametrize("front", ["date: 2024-13-45", "1: 2", "title: [open"], ids=["date", "key", "bracket"])
def test_front_matter_that_cannot_be_read_is_named_as_that(written, front):
    with pytest.raises(DocumentRefused, match="its front matter is not YAML"):
        read(written("a.md", f"---\n{front}\n---\nText.\n"))


@pytest.mark.parametrize("title", ["title:", "title: ''", "title: []", "title: '  '"])
def test_front_matter_that_leaves_the_title_empty_is_as_none(written, title):
    document = read(written("a.md", f"---\n{title}\nauthor:\nkeywords: [null]\n---\n# Falls\n\nLook.\n"))
    assert (document.title, document.metadata) == ("Falls", {})


def test_lists_in_front_matter_are_joined(written):
    document = read(
        written("a.md", "---\ntitle: 7\nauthor:\n  - Bell\n  -\n  - Ray\nkeywords: [falls, 2]\n---\nLook.\n")
    )
    assert (document.title, document.metadata) == ("7", {"author": "Bell, Ray", "keywords": "falls, 2"})


BOMB = "a: &a [x]\n" + "".join(f"{new}: &{new} [{f'*{old}, ' * 9}]\n" for old, new in pairwise("abcdefghijkl"))
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{f'*{old}, ' * 9}]}}\n" for old, new in pairwise("abcdefghijkl")
)


@pytest.mark.parametrize("bomb", [f"{BOMB}title: *l\n", f"{BOMB}title: T\n", MERGES], ids=["used", "unused", "merged"])
def test_front_matter_that_would_unfold_into_gigabytes_is_refused_unread(written, bomb):
    with pytest.raises(DocumentRefused, match=r"its front matter has aliases, .* write out what they mean"):
        read(written("a.md", f"---\n{bomb}---\nText.\n"))


def test_a_star_in_front_matter_is_no_alias(written):
    assert read(written("a.md", "---\ntitle: Give *now* 2 * 3\n---\nText.\n")).title == "Give *now* 2 * 3"


def test_of_front_matter_only_what_is_kept_is_looked_at(written):
    document = read(written("a.md", "---\ntitle: Falls\nother: {a: [1, {b: 2}]}\n---\nText.\n"))
    assert (document.title, document.metadata) == ("Falls", {})


def test_a_text_between_two_rules_is_no_front_matter(written):
    assert "First." in read(written("a.md", "---\nFirst.\n\n---\nSecond.\n")).text


@pytest.mark.parametrize("form", ["{}", "<head>{}</head>", "<html><head>{}</head></html>"])
def test_the_title_of_a_page_without_a_body_is_not_in_its_text(written, form):
    document = read(written("a.html", form.format("<title>Visitors</title>") + "<p>Come from 14:00.</p>"))
    assert (document.title, document.text.strip()) == ("Visitors", "Come from 14:00.")


def test_a_reader_that_gives_up_refuses_its_file_only(written):
    with pytest.raises(DocumentRefused, match=r"a damaged HTML \(RecursionError: .*\); save it again"):
        read(written("a.html", "<div>" * 5000 + "Text."))


def test_the_largest_file_is_taken_and_one_byte_more_is_not(written, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST", 5)
    assert read(written("a.txt", "12345")).text == "12345"
    with pytest.raises(DocumentRefused, match="split it"):
        read(written("a.txt", "123456"))


def test_what_a_database_cannot_hold_is_replaced_sign_for_sign():
    assert storable("a\x00b\ud800c\udfffd😀") == "a\ufffdb\ufffdc\ufffdd😀"
