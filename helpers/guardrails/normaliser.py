"""Undoes what hides words from a check: invisible and look-alike characters, spacing, base64, hex, digits for letters.

`views` gives the text as it is read by a person, and one more view for each disguise found in it. Offsets lead back to
the original, so that what is masked is what was written. Look-alikes are Unicode's (confusable-homoglyphs).
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import chain

from confusable_homoglyphs import confusables

from helpers.guardrails.views import View, each_character

DEEPEST = 3  # base64 in base64
NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
# Control characters but for the white ones: a reader does not see them.
INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]+")
# Single letters or digits with the same kind of gap between them, three or more: "f o m e", "f.o.m.e", "f-o-m-e".
SPACED = re.compile(r"(?<![^\W_])[^\W_](?:([ .\-_*|,/~+])[^\W_])(?:\1[^\W_])+(?![^\W_])")
BASE64 = re.compile(r"(?<![A-Za-z0-9+/_\-=])[A-Za-z0-9+/_\-]{12,}={0,2}(?![A-Za-z0-9+/_\-=])")
HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x|\\x)?(?:[0-9a-fA-F]{2}(?:[ :]|\\x)?){8,}(?![0-9A-Za-z])")
PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}|[A-Za-z0-9+_.\-]){2,}")
LEET = str.maketrans("013457@$", "oieastas")
LEETSPEAK = re.compile(r"[a-zA-Z0-9@$]+")
LETTERS, DIGITS = re.compile(r"[a-zA-Z]"), re.compile(r"[013457@$]")
# Numbers with a unit, and codes: 500mg, 12th, B12, P1001.
MEASURE = re.compile(r"\d+[a-zA-Z]{1,3}|[a-zA-Z]{1,3}\d+")
ACCENTS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800") | {chr(n) for n in range(0xFE00, 0xFE10)}
TAGS = range(0xE0020, 0xE007F)  # invisible copies of ASCII


def views(text: str) -> list[View]:
    """The readings of `text`: folded, with spaced words joined if there are any, and what is encoded in it, decoded."""
    return list(_views(View(text, text), DEEPEST))


def folded(text: str) -> str:
    """`text` as `views` folds it, for what is to be compared with them."""
    return fold(View(text, text)).text


def fold(view: View) -> View:
    """Without invisible characters and accents, look-alikes as ASCII letters, widths and styles undone."""
    if INVISIBLE.search(view.text):
        view = view.replaced(INVISIBLE, "")
    if view.text.isascii():
        return view
    table = {character: _folded(character) for character in set(view.text) if not character.isascii()}
    return view.rewritten(chain.from_iterable(each_character(run, table) for run in NOT_ASCII.finditer(view.text)))


def plain_letters(view: View) -> View | None:
    """`view` with digits and signs for letters undone, "1gn0re" as "ignore"; None if nothing looks like that."""
    found = [
        (*word.span(), word.group().translate(LEET))
        for word in LEETSPEAK.finditer(view.text)
        if DIGITS.search(word.group()) and _is_leetspeak(word.group())
    ]
    return view.rewritten(found) if found else None


def _views(view: View, depth: int) -> Iterator[View]:
    plain = fold(view)
    yield plain
    spaced = [match.span() for match in SPACED.finditer(plain.text)]
    if spaced:
        yield _joined(plain, spaced)
    if depth:
        for start, end, text in _decoded(plain.text):
            first, last = plain.span(start, end)
            whole = View(text, view.original, [first] * len(text), [last] * len(text))
            yield from _views(whole, depth - 1)


def _joined(view: View, spans: list[tuple[int, int]]) -> View:
    """The gaps between single characters closed, and where that was."""
    gaps = [(at, at + 1, "") for start, end in spans for at in range(start + 1, end, 2)]
    joined, ranges, lost = view.rewritten(gaps), [], 0
    for start, end in spans:
        length = (end - start + 1) // 2
        ranges.append((start - lost, start - lost + length))
        lost += end - start - length
    return View(joined.text, joined.original, joined.starts, joined.ends, tuple(ranges))


def _decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """What is written in base64, hex or percent signs, and decodes to a text."""
    for pattern, decode in ((BASE64, _base64), (HEX, _hex), (PERCENT, _percent)):
        if pattern is PERCENT and "%" not in text:
            continue
        for match in pattern.finditer(text):
            found = _text(decode(match.group()))
            if found is not None:
                yield *match.span(), found


def _base64(word: str) -> bytes:
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    if len(word) % 4 == 1:
        return b""
    return base64.b64decode(word + "=" * (-len(word) % 4))


def _hex(word: str) -> bytes:
    digits = re.sub(r"0x|\\x|[ :]", "", word)
    return binascii.unhexlify(digits) if len(digits) % 2 == 0 else b""


def _percent(word: str) -> bytes:
    if word.count("%") < 2:
        return b""
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: binascii.unhexlify(match.group(1)), word.encode())


def _text(found: bytes) -> str | None:
    """Bytes as a text; None if they are none: chance seldom gives UTF-8 without a control character."""
    try:
        text = found.decode("utf-8")
    except UnicodeDecodeError:
        return None
    seen = sum(character.isprintable() or character in "\t\n\r" for character in text)
    return text if len(text) >= 4 and seen == len(text) else None


def _is_leetspeak(word: str) -> bool:
    letters = len(LETTERS.findall(word))
    return (
        len(word) >= 4
        and letters >= 2
        and letters + len(DIGITS.findall(word)) == len(word)
        and not MEASURE.fullmatch(word)
    )


@cache
def _folded(character: str) -> str:
    if ord(character) in TAGS:
        return chr(ord(character) - 0xE0000)
    category = unicodedata.category(character)
    if category == "Cf" or character in FILLERS or ACCENTS.match(character):
        return ""
    if category == "Pd" or character == "\u2212":
        return "-"
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in ("Zl", "Zp"):
        return "\n"
    compatible = unicodedata.normalize("NFKC", character)
    bases = ACCENTS.sub("", unicodedata.normalize("NFD", compatible))
    return "".join(base if base.isascii() else _look_alike(base) for base in bases)


def _look_alike(character: str) -> str:
    """The ASCII letter that `character` looks like, or itself."""
    for alike in confusables.confusables_data.get(character, ()):
        if len(alike["c"]) == 1 and alike["c"].isascii() and alike["c"].isalnum():
            return str(alike["c"])
    return character
