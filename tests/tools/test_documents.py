"""The hospital's PDF and DOCX documents are what their sources give, to the byte."""

import documents
import pytest

SOURCES = sorted(documents.SOURCES.rglob("*.md"))


def test_there_are_sources_of_both_formats():
    assert {source.suffixes[-2] for source in SOURCES} == {".pdf", ".docx"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_source_renders_to_the_committed_bytes(source):
    committed = documents.DOCUMENTS / source.relative_to(documents.SOURCES).with_suffix("")
    assert documents.render(source) == committed.read_bytes()
