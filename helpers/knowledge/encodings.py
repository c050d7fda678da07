"""Bytes into text, guessing as little as possible: a wrong guess may make something else of '5 µg'.

UTF-8; UTF-16 and UTF-32 by their mark; what an HTML page says of itself; Windows' code page for western Europe, which
contains latin-1, if what comes out looks like it; and otherwise the code page of the language that is recognised. The
rest is refused: whoever saved a file knows its encoding better.
"""

import codecs
import re

from charset_normalizer import from_bytes

from helpers.knowledge.errors import DocumentRefused

WESTERN = "cp1252"
# All have µ, ° and ± in the same place: a wrong choice among them costs letters, never a dose.
CODE_PAGES = [WESTERN, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"]
MARKS = {  # UTF-32 first: its mark begins like that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

# Western languages have no three such letters in a row, and hardly these, which stand for others in Czech and Turkish.
FOREIGN = re.compile(r"[À-ÖØ-öø-ÿŠšŽžŒœŸ]{3}|[ÝÞÐýþð]")
# What a wrong encoding makes of a text: signs within words, capitals after small letters, two letters of one, and of °C
# on a device that writes as DOS or an old Mac.
MISREAD = re.compile(
    r"[^\W\d_][^\w\s\x00-\x7f’‘´–—·…°±×÷®™\xad][^\W\d_]|[a-zà-öø-ÿ][À-ÖØ-ÞŠŽŒŸ]|[ÂÃ][\x80-¿]|[ø¡]C\b",
)
# No text has these; ESC and the line's and page's ends are left out.
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decoded(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """The text with line feeds as its only line ends, and a note when it was not UTF-8.

    `declared` is the encoding that the document itself names, if it does.

    Raises:
        DocumentRefused: no encoding fits surely enough, or the bytes are no text.
    """
    try:
        text, note = data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        text, note = _otherwise(data, declared)
    if CONTROLS.search(text):
        raise DocumentRefused("not text: it has control characters, as programs and pictures do")
    return re.sub(r"\r\n?", "\n", text), note


def _otherwise(data: bytes, declared: str | None) -> tuple[str, str]:
    """The text and the note."""
    for named in (_marked(data), _usable(declared)):
        if named and (text := _as(named, data)) is not None:
            return text, f"read as {named}, not UTF-8"
    text, encoding = _as(WESTERN, data), WESTERN
    if text is None or FOREIGN.search(text) or MISREAD.search(text):
        text, encoding = _recognised(data)
    return text, f"read as {encoding}, not UTF-8; look at its special characters"


def _as(encoding: str, data: bytes) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):  # Python also knows encodings of other things than text
        return None


def _marked(data: bytes) -> str | None:
    return next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), None)


def _usable(declared: str | None) -> str | None:
    """What browsers take a declared encoding for: latin-1 is cp1252, and UTF-16 cannot be declared in plain letters."""
    try:
        name = codecs.lookup(declared or "utf-8").name
    except LookupError:
        return None
    return WESTERN if name in ("iso8859-1", "ascii") else None if name.startswith("utf") else name


def _recognised(data: bytes) -> tuple[str, str]:
    """The text in the code page in which it is most like a language; the western one, if others are no better."""
    matches = from_bytes(data, cp_isolation=CODE_PAGES)
    found = [match for match in matches if match.coherence and not MISREAD.search(str(match))]
    if not found:
        raise DocumentRefused("not text in UTF-8, UTF-16 or a code page of Windows; if it is text, save it as UTF-8")
    best = max(found, key=lambda match: (match.coherence, match.encoding == WESTERN))
    return str(best), best.encoding
