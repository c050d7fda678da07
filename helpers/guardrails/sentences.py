"""A text as sentences, which is what embeddings compare well."""

import re
from collections.abc import Iterable, Iterator

LONGEST = 400  # characters; a longer one is cut in two
FEWEST = 3  # words; a shorter one joins the next
SENTENCE = re.compile(r"[^.!?\n;]{1,400}(?:[.!?;]+|\n|$)?|[.!?;]{1,400}")


def sentences(text: str) -> list[str]:
    """The sentences of `text`, with those of a word or two joined to the next."""
    return list(_grouped(match.group().strip() for match in SENTENCE.finditer(text)))


def _grouped(parts: Iterable[str]) -> Iterator[str]:
    held = ""
    for part in parts:
        if not any(map(str.isalnum, part)):
            continue
        held = f"{held} {part}".strip()
        if len(held.split()) >= FEWEST or len(held) > LONGEST // 2:
            yield held
            held = ""
    if held:
        yield held
