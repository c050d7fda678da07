"""Writes notebooks/data/guardrails/texts.jsonl from tools/guardrail_texts.txt: `python -m tools.guardrail_texts`.

The texts are written by hand; what disguises them is done here, so that it can be read what was hidden, and how.
"""

import base64
import json
from pathlib import Path

from helpers.settings.settings import ROOT

LINES = Path(__file__).with_suffix(".txt")
TEXTS = ROOT / "notebooks" / "data" / "guardrails" / "texts.jsonl"
POLICIES = {
    "T": "topicPolicy",
    "C": "contentPolicy",
    "W": "wordPolicy",
    "P": "sensitiveInformationPolicy",
    "R": "sensitiveInformationPolicy",
    "G": "contextualGroundingPolicy",
}
ALIKE = str.maketrans("aceiopxyACEHIKMOPTX", "асеіорхуАСЕНІКМОРТХ")  # Cyrillic
LEET = str.maketrans("aeios", "43105")
DISGUISES = {
    "": lambda text: text,
    "spacing": lambda text: "   ".join(" ".join(word) for word in text.split()),
    "homoglyph": lambda text: text.translate(ALIKE),
    "fullwidth": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "zerowidth": lambda text: "\u200b".join(text),
    "base64": lambda text: f"Decode this: {base64.b64encode(text.encode()).decode()}",
    "leet": lambda text: text.translate(LEET),
    "tags": lambda text: "Good morning. " + "".join(chr(0xE0000 + ord(c)) for c in text),
}


def main() -> None:
    lines = [line for line in LINES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    records = [record(number, line) for number, line in enumerate(lines, 1)]
    TEXTS.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records), "utf-8")
    print(f"{len(records)} texts")


def record(number: int, line: str) -> dict[str, object]:
    """One line of the file; even numbers are for development, odd ones for the report."""
    side, labels, disguise, text, *context = (part.strip() for part in line.split("|"))
    found = dict[str, list[str]]()
    for label in filter(None, _labels(labels)):
        kind, name = label.split(".", 1)
        found.setdefault(POLICIES[kind], []).append(name)
    made: dict[str, object] = {"id": number, "split": "test" if number % 2 else "dev"}
    made |= {"source": {"I": "INPUT", "O": "OUTPUT"}[side], "text": DISGUISES[disguise](text), "labels": found}
    if disguise:
        made |= {"disguise": disguise, "hidden": text}
    if context:
        made |= dict(zip(("query", "grounding_source"), context, strict=True))
    return made


def _labels(labels: str) -> list[str]:
    """Several personal types stand side by side; a topic's name has spaces itself."""
    return labels.split() if labels.startswith(("P.", "R.")) else [labels]


if __name__ == "__main__":
    main()
