"""Renders the fictional hospital's PDF and DOCX documents from their Markdown sources in tools/hospital.

    .venv/bin/python tools/documents.py

The same sources give the same bytes each time. The other documents are written in place, in notebooks/data/hospital.
"""

import datetime
import io
import zipfile
from pathlib import Path

import docx
import frontmatter
import matplotlib
from docx.document import Document as Docx
from docx.text.paragraph import Paragraph
from fpdf import FPDF
from fpdf.fonts import TextStyle
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "hospital"
DOCUMENTS = ROOT / "notebooks" / "data" / "hospital"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # DejaVu: has ≥, µ and °, which PDF's own fonts lack
WRITTEN = datetime.datetime(2026, 3, 2, 9, 0, tzinfo=datetime.UTC)
MARKDOWN = MarkdownIt().enable("table")


def main() -> None:
    for source in sorted(SOURCES.rglob("*.md")):
        target = DOCUMENTS / source.relative_to(SOURCES).with_suffix("")
        target.write_bytes(render(source))
        print(target.relative_to(ROOT))


def render(source: Path) -> bytes:
    """The document whose Markdown is `source`, as the format that its name tells: NAME.pdf.md or NAME.docx.md."""
    post = frontmatter.load(source)
    return {".pdf": pdf, ".docx": docx_file}[Path(source.stem).suffix](post.content, post.metadata)


def pdf(text: str, about: dict) -> bytes:
    page = FPDF(format="A4")
    page.set_creation_date(WRITTEN)
    page.set_title(about["title"])
    page.set_author(about["author"])
    page.set_keywords(about["keywords"])
    for style, name in (("", "DejaVuSans"), ("B", "DejaVuSans-Bold"), ("I", "DejaVuSans-Oblique")):
        page.add_font("DejaVu", style, FONTS / f"{name}.ttf")
    page.set_font("DejaVu", size=10)
    page.set_margins(22, 20, 22)
    page.add_page()
    sizes = {"h1": 17, "h2": 13, "h3": 11}
    styles = {
        tag: TextStyle(font_family="DejaVu", font_style="B", font_size_pt=size, t_margin=4, b_margin=2)
        for tag, size in sizes.items()
    }
    page.write_html(MARKDOWN.render(text), tag_styles=styles, ul_bullet_char="•")
    return bytes(page.output())


def docx_file(text: str, about: dict) -> bytes:
    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author, properties.keywords = about["title"], about["author"], about["keywords"]
    properties.comments = ""
    properties.created = properties.modified = WRITTEN.replace(tzinfo=None)
    for node in SyntaxTreeNode(MARKDOWN.parse(text)).children:
        add_block(document, node)
    raw = io.BytesIO()
    document.save(raw)
    return without_times(raw.getvalue())


def add_block(document: Docx, node: SyntaxTreeNode) -> None:
    if node.type == "heading":
        add_text(document.add_heading(level=int(node.tag[1])), node.children[0])
    elif node.type == "paragraph":
        add_text(document.add_paragraph(), node.children[0])
    elif node.type in ("bullet_list", "ordered_list"):
        for item in node.children:
            add_text(document.add_paragraph(style=LIST_STYLES[node.type]), item.children[0].children[0])
    elif node.type == "table":
        add_table(document, [row for part in node.children for row in part.children])
    else:
        raise ValueError(f"{node.type} has no form in DOCX here; write it otherwise")


LIST_STYLES = {"bullet_list": "List Bullet", "ordered_list": "List Number"}


def add_table(document: Docx, rows: list[SyntaxTreeNode]) -> None:
    table = document.add_table(len(rows), len(rows[0].children), style="Table Grid")
    for row, cells in zip(rows, table.rows, strict=True):
        for node, cell in zip(row.children, cells.cells, strict=True):
            add_text(cell.paragraphs[0], node.children[0])


def add_text(paragraph: Paragraph, inline: SyntaxTreeNode) -> None:
    for node in inline.children:
        if node.type in ("strong", "em"):
            run = paragraph.add_run(node.children[0].content)
            run.bold, run.italic = node.type == "strong", node.type == "em"
        else:
            paragraph.add_run(" " if node.type == "softbreak" else node.content)


def without_times(archive: bytes) -> bytes:
    """The same archive, with the one date that all its members have in common."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, WRITTEN.timetuple()[:6]), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


if __name__ == "__main__":
    main()
