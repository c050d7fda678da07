"""Foreign texts, made fit to be shown to a person."""

import re
import unicodedata

MOST_TEXT = 2000  # characters
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")  # controls, direction marks, private and half characters, separators


def plain(text: object, most: int = MOST_TEXT, lines: bool = False) -> str:
    """A foreign text without escape sequences and characters that cannot be seen; with `lines`, it keeps its lines."""
    words = "".join(_seen(c, lines) for c in ANSI.sub("", str(text)[: 4 * most])).strip()
    return words if len(words) <= most else words[: most - 1] + "…"


def _seen(character: str, lines: bool) -> str:
    if character in "\t\n\r":
        return "\n" if lines and character == "\n" else " "
    return "" if unicodedata.category(character) in UNSEEN else character
