"""A file that cannot be taken is refused with a reason that helps."""

import random
import zipfile

import pytest

from helpers.knowledge.documents import OLE, read
from helpers.knowledge.errors import DocumentRefused
from tests.knowledge.samples import docx_at, pdf_of


def noise(length):
    return random.Random(7).randbytes(length)


REFUSED = {
    "encrypted PDF": ("a.pdf", pdf_of("Secret.", secret="user"), "encrypted; remove the password"),
    "PDF cut short": ("a.pdf", pdf_of("Words.")[:200], "a damaged PDF .*export it again"),
    "noise as PDF": ("a.pdf", noise(5000), "a damaged PDF"),
    "PDF without text": ("a.pdf", pdf_of(""), "no text in it.*OCR"),
    "noise as DOCX": ("a.docx", noise(5000), r"a damaged DOCX \(BadZipFile: File is not a zip file\); save it again"),
    "encrypted DOCX": (
        "a.docx",
        OLE + noise(5000),
        "encrypted, or in the format of before 2007; .* without a password",
    ),
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
}


@pytest.mark.parametrize(("name", "content", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_taken_is_refused_with_the_reason(written, name, content, reason):
    with pytest.raises(DocumentRefused, match=reason):
        read(written(name, content))


def test_an_archive_that_is_no_docx_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("hello.txt", "Words.")
    with pytest.raises(DocumentRefused, match=r"a damaged DOCX \(OSError: .*main document.*\); save it again"):
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
