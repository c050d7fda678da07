"""Documents into chunks: as much text as one embedding can stand for, and where it came from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from semantic_text_splitter import MarkdownSplitter

from helpers.knowledge.documents import Document

# all-MiniLM-L6-v2 was trained on up to 256 tokens (its model card), about 1,000 characters with the heading above them.
LONGEST = 800
_splitter = MarkdownSplitter((LONGEST // 2, LONGEST))


@dataclass(frozen=True)
class Chunk:
    """`text` is the document's text from character `start` to `stop`; `page` counts from 1."""

    text: str
    start: int
    stop: int
    heading: str
    page: int | None
    title: str

    @property
    def in_context(self) -> str:
        """What is embedded and indexed: a chunk alone often does not say what it is about."""
        return "\n".join(part for part in (self.title, self.heading, self.text) if part)


def split(document: Document) -> Iterator[Chunk]:
    """The chunks of a document, in its order; none crosses a section."""
    for section in document.sections:
        text = document.text[section.start : section.stop]
        for offset, piece in _splitter.chunk_indices(text):
            if re.sub(r"^#+ .*$", "", piece, flags=re.MULTILINE).strip():  # more than a heading
                start = section.start + offset
                yield Chunk(piece, start, start + len(piece), section.heading, section.page, document.title)
