"""Files into documents: text, the sections it falls into, and what is known about it.

A section is a stretch of the text that one citation can name: a page of a PDF, what stands under a heading, a row of
a table. DOCX and HTML become Markdown on the way, so one search for headings serves all three.
"""

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mammoth
import pypdfium2
from bs4 import BeautifulSoup
from bs4.dammit import EncodingDetector
from docx import Document as read_docx
from markdown_it import MarkdownIt
from markdownify import markdownify

from helpers.knowledge.encodings import decoded
from helpers.knowledge.errors import DocumentRefused
from helpers.knowledge.front_matter import front_matter

LARGEST = 20 * 2**20  # bytes; a text of this size takes hours to embed on two cores
LONGEST_NAME = 200  # characters of a title or heading; both stand above every chunk below them
OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # how Word files began before 2007, and encrypted ones still do
ABOUT = ("author", "keywords")  # what is kept besides the title, by the name that all four formats give it
Metadata = dict[str, str]


@dataclass(frozen=True)
class Section:
    """Characters `start` to `stop` of a document's text; `heading` is a path such as 'Doses > Children'."""

    start: int
    stop: int
    heading: str = ""
    page: int | None = None


@dataclass(frozen=True)
class Document:
    """What was read from a file; `note` says what the reader had to assume."""

    text: str
    sections: list[Section]
    title: str = ""
    metadata: Metadata = field(default_factory=dict)
    note: str = ""


def read(path: Path) -> Document:
    """The document in the file `path`.

    Raises:
        DocumentRefused: the file is empty, too large, damaged, encrypted, not of a known type, or holds no text.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DocumentRefused(f"files of type {path.suffix or '(none)'} are not read; known are {' '.join(READERS)}")
    size = path.stat().st_size
    if size == 0:
        raise DocumentRefused("the file is empty")
    if size > LARGEST:
        raise DocumentRefused(f"{size / 2**20:.0f} MB, at most {LARGEST // 2**20} are taken; split it")
    document = _read_by(reader, path)
    if not document.text.strip():
        raise DocumentRefused("no text in it; a scanned page needs text recognition (OCR) first")
    return document


def _read_by(reader: Callable[[bytes], Document], path: Path) -> Document:
    data = path.read_bytes()
    try:
        return reader(data)
    except DocumentRefused:
        raise
    except Exception as error:  # each parser breaks in ways of its own, and one file must not stop the others
        kind, reason = path.suffix[1:].upper(), str(error).split("\n")[0]
        raise DocumentRefused(f"a damaged {kind} ({type(error).__name__}: {reason}); save it again") from error


def storable(text: str) -> str:
    """`text` without the characters that a database cannot hold, NUL and halves of pairs; its length stays."""
    return re.sub(r"[\x00\ud800-\udfff]", "\ufffd", text)


def from_text(text: str, title: str = "", metadata: Metadata | None = None) -> Document:
    """A document of one section."""
    return Document(text, [Section(0, len(text))], title, metadata or {})


def _pdf(data: bytes) -> Document:
    try:
        with pypdfium2.PdfDocument(data) as pdf:
            pages = [_flowing(page.get_textpage().get_text_bounded()) for page in pdf]
            about = {name.lower(): value for name, value in pdf.get_metadata_dict().items()}
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower()
        reason = "encrypted; remove the password" if encrypted else f"a damaged PDF ({error}); export it again"
        raise DocumentRefused(reason) from error
    text, sections = "", []
    for number, page in enumerate(pages, 1):
        sections.append(Section(len(text), len(text) + len(page), page=number))
        text += page + "\n\n"
    return Document(text, sections, about.get("title", ""), _kept(about))


def _flowing(page: str) -> str:
    """The page with its lines joined into paragraphs: a line that ends in the middle of a sentence goes on."""
    lines = page.replace("\r\n", "\n").replace("\x00", "")
    return re.sub(r"(?<![.:;?!\n])\n(?=[^\n•\d–-])", " ", lines).strip()


def _docx(data: bytes) -> Document:
    if data.startswith(OLE):
        raise DocumentRefused(
            "encrypted, or in the format of before 2007; open it and save it as DOCX without a password"
        )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > 5 * LARGEST:
        raise DocumentRefused(f"it unpacks to {unpacked / 2**20:.0f} MB")
    html = mammoth.convert_to_html(io.BytesIO(data)).value
    properties = read_docx(io.BytesIO(data)).core_properties
    about = {"author": properties.author, "keywords": properties.keywords}
    return _sectioned(_markdown_of(html), properties.title, _kept(about))


def _html(data: bytes) -> Document:
    text, note = decoded(data, EncodingDetector.find_declared_encoding(data, is_html=True))
    page = BeautifulSoup(text, "html.parser")
    for element in page(["script", "style", "nav", "footer", "template"]):
        element.decompose()
    about = {str(tag["name"]).lower(): str(tag.get("content", "")) for tag in page("meta", attrs={"name": True})}
    title = page.title.extract().get_text(strip=True) if page.title else ""  # a fragment without body is read whole
    return _sectioned(_markdown_of(str(page.main or page.body or page)), title, _kept(about), note)


def _markdown_of(html: str) -> str:
    return markdownify(html, heading_style="ATX", strip=["a", "img"], escape_misc=False, escape_underscores=False)


def _markdown(data: bytes) -> Document:
    text, note = decoded(data)
    about, text = front_matter(text, ("title", *ABOUT))
    return _sectioned(text, about.get("title", ""), _kept(about), note)


def _sectioned(text: str, title: str, metadata: Metadata, note: str = "") -> Document:
    """A Markdown text with a section for each heading; the first heading is the title if there is none."""
    starts = list(_headings(text))
    stops = [*(start for start, _, _ in starts), len(text)]
    sections = [Section(0, stops[0])]
    path: list[str] = []
    for (start, level, heading), stop in zip(starts, stops[1:], strict=True):
        path = [*path[: level - 1], *[""] * (level - 1 - len(path)), heading]
        sections.append(Section(start, stop, " > ".join(part for part in path[1:] if part)))
    return Document(text, sections, title or (starts[0][2] if starts else ""), metadata, note)


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Offset, level and words of each heading."""
    offsets = [0]
    for line in text.split("\n"):  # not splitlines: to Markdown, a form feed ends no line
        offsets.append(offsets[-1] + len(line) + 1)
    tokens = MarkdownIt().parse(text)
    for opening, words in itertools.pairwise(tokens):
        if opening.type == "heading_open" and opening.map:
            yield offsets[opening.map[0]], int(opening.tag[1]), words.content


def _plain(data: bytes) -> Document:
    text, note = decoded(data)
    title = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return Document(text, [Section(0, len(text))], title[:LONGEST_NAME], {}, note)


def _csv(data: bytes) -> Document:
    """A row becomes 'column: value; column: value', so that it can be understood, and found, by itself."""
    table, note = decoded(data)
    (_, header), *rows = _rows(table)
    text, sections = "", []
    for number, row in rows:
        if len(row) > len(header):
            raise DocumentRefused(f"row {number} has more fields than the header")
        line = "; ".join(f"{name}: {value}" for name, value in zip(header, row, strict=False) if value)
        sections.append(Section(len(text), len(text) + len(line), f"row {number}"))
        text += line + "\n"
    return Document(text, sections, "", {}, note)


def _rows(table: str) -> list[tuple[int, list[str]]]:
    """The header and the rows, with the numbers that a spreadsheet shows: blank rows count, but are left out."""
    try:
        rows = list(csv.reader(io.StringIO(table), dialect=_dialect(table), strict=True))
    except csv.Error as error:
        raise DocumentRefused(f"not a table: {error}") from error
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(field.strip() for field in row)]
    if len(filled) < 2:
        raise DocumentRefused("it has no rows; a table has a header and rows below it")
    return filled


def _dialect(table: str) -> type[csv.Dialect]:
    try:
        dialect = csv.Sniffer().sniff(table[:8192], delimiters=",;\t|")
    except csv.Error:
        return csv.excel
    dialect.doublequote = True  # as in every spreadsheet; the sample need not show it
    return dialect


def _kept(about: Metadata) -> Metadata:
    return {name: about[name] for name in ABOUT if about.get(name)}


READERS: dict[str, Callable[[bytes], Document]] = {
    ".pdf": _pdf,
    ".docx": _docx,
    ".html": _html,
    ".htm": _html,
    ".md": _markdown,
    ".txt": _plain,
    ".csv": _csv,
}
