"""The ways in which a text can be read: as it stands, and with what is wrapped around it undone.

Undone are JSON escapes (a text may hold JSON), percent escapes and Base64, each also inside the other, and the many
characters that look like a hyphen or like nothing. Not undone is Base64 that happens to look like a word in small
letters or like a hexadecimal number: every one of these would be.
"""

import re
import unicodedata
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

LEVELS = 3  # JSON in Base64 in JSON is common, deeper is not
WORD = 8  # characters at least; shorter Base64 cannot be told from words
LONG = 4096  # a longer word of Base64 begins where the value does
OPAQUE = 1024  # a longer one that is no text is a file, an image, a vector
BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{WORD},}}")
NO_BASE64 = re.compile(r"[a-z/+_-]+|[0-9a-f-]+")
FOLDED = re.compile(r"\n(?<=[A-Za-z0-9+/]{60}\n)(?=[A-Za-z0-9+/])")  # as mail does
BETWEEN, FILL = "AQEB", ("", "", "AA", "A")  # Base64 of bytes that no text has
TEXT = re.compile(rf"[^\ufffd\x00-\x08\x0e-\x1f]{{{WORD * 3 // 4},}}")  # what is shorter is an accident
UNICODE_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
ESCAPES = {r"\/": "/", r"\"": '"', r"\n": "\n", r"\r": "\n", r"\t": "\t", r"\b": " ", r"\f": " ", r"\\": "\\"}
HYPHENS, NOTHING = "\u2010\u2011\u2012\u2013\u2014\u2212", "\u00ad\u200b\u200c\u200d\u2060\ufeff"
# The Turkish capital is the one letter whose small form is longer, which would shift all places after it.
MEANT = dict.fromkeys(HYPHENS, "-") | dict.fromkeys(NOTHING, "") | {"\u0130": "I"}
ALIKE = re.compile(f"[{''.join(MEANT)}]")


def normal(text: str) -> str:
    """`text` in the one spelling of all that look the same."""
    if text.isascii():
        return text
    return ALIKE.sub(lambda found: MEANT[found[0]], unicodedata.normalize("NFKC", text))


def readings(text: str, levels: int = LEVELS) -> Iterator[str]:
    """`text` as it stands, and every reading with something undone."""
    layers = _layers(normal(text))
    for layer in layers:
        yield layer
        if "+" in layer:
            yield layer.replace("+", " ")  # what forms and queries make of a space
    if levels and (decoded := _decoded(layers)):
        yield from readings(decoded, levels - 1)


def texts(content: bytes) -> str:
    """Whatever in `content` looks like text."""
    return "\n".join(TEXT.findall(content.replace(b"\0", b"").decode("utf-8", "replace")))


def opaque(text: str) -> int:
    """How many characters of `text` are Base64 of something that is no text, so that nobody can read it."""
    if len(text) < OPAQUE:
        return 0
    return sum(len(word) for word in BASE64.findall(text) if len(word) >= OPAQUE and not _is_text(word))


def _layers(text: str) -> list[str]:
    layers = [text]
    for _ in range(LEVELS):
        before = len(layers)
        for undo in (_unescaped, unquote):
            undone = normal(undo(layers[-1]))
            if undone != layers[-1]:
                layers.append(undone)
        if len(layers) == before:
            break
    return layers


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    for escape, meant in ESCAPES.items():
        text = text.replace(escape, meant)
    return UNICODE_ESCAPES.sub(_characters, text)


def _characters(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace(r"\u", "")).decode("utf-16-be", "replace")


def _decoded(layers: Iterable[str]) -> str:
    words = dict.fromkeys(word for layer in layers for word in BASE64.findall(FOLDED.sub("", layer)))
    encoded = [word for word in words if not NO_BASE64.fullmatch(word)]
    if not encoded:
        return ""
    short = [word for word in encoded if len(word) <= LONG]
    # A word may begin before the Base64 does: with a folder of its path, or in the middle of a longer piece.
    starts = (encoded, *([word[start:] for word in short] for start in (1, 2, 3)))
    return "\n".join(filter(None, (texts(_bytes(words)) for words in starts)))


def _bytes(words: Iterable[str]) -> bytes:
    """What the words encode, one after the other; decoded together, which is much faster than one by one."""
    whole = BETWEEN.join([word[:-1] if len(word) % 4 == 1 else word + FILL[len(word) % 4] for word in words])
    return a2b_base64(whole.replace("-", "+").replace("_", "/"))


def _is_text(word: str) -> bool:
    if NO_BASE64.fullmatch(word):
        return True
    try:
        _bytes([word]).rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True
