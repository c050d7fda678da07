"""Twice the text is at most two and a half times the work, for texts that are hard in different ways."""

import base64
import time
from collections.abc import Callable

import pytest

from helpers.guardrails import EdgeGuardrail
from helpers.guardrails.recognisers import RECOGNISED
from tests.guardrails.policies import by_words, content_filter, policy, private, text, topic, words

SIZE, MOST, TRIES = 60_000, 2.6, 4
MEGABYTE = 1_000_000
EVERYTHING = policy(
    **topic(),
    **content_filter(),
    **words("fome", *(f"word{n}" for n in range(500))),
    **private(dict.fromkeys(sorted(RECOGNISED), "ANONYMIZE"), {"patient": (r"P-\d{4}", "ANONYMIZE")}),
)
TEXTS: dict[str, Callable[[int], str]] = {
    "prose": lambda size: "P-1001 should rest, and call 212-555-0187 or a@b.example at nine. " * (size // 66),
    "one letter": lambda size: "a" * size,
    "figures": lambda size: "1" * size,
    "figures apart": lambda size: "1 " * (size // 2),
    "spaced": lambda size: "f o m e " * (size // 8),
    "signs": lambda size: "+1(2)-3@4.5:6/" * (size // 14),
    "accents": lambda size: "é\u0301\u200b" * (size // 3),
    "scripts": lambda size: "Привет мир 面会時間は何時 नमस्ते مرحبا שלום. " * (size // 40),
    "base64": lambda size: (base64.b64encode(b"see fome and a@b.example ").decode() + " ") * (size // 37),
    "one base64": lambda size: base64.b64encode(b"see fome now. " * (size // 19)).decode(),
    "sentences": lambda size: " ".join(f"Idiot number {n} sells roses." for n in range(size // 30)),
}


def _seconds(guardrail: EdgeGuardrail, said: str) -> float:
    started = time.process_time()
    guardrail.apply("INPUT", [text(said)])
    return time.process_time() - started


@pytest.mark.parametrize("kind", TEXTS)
def test_twice_the_text_is_not_much_more_than_twice_the_work(kind: str) -> None:
    guardrail = EdgeGuardrail(EVERYTHING, embed=by_words)
    guardrail.apply("INPUT", [text(TEXTS[kind](SIZE))])
    for _ in range(TRIES):  # another program may be in the way once
        short, long = (min(_seconds(guardrail, TEXTS[kind](size)) for _ in range(2)) for size in (SIZE, 2 * SIZE))
        if long < MOST * short:
            return
    pytest.fail(f"{short * 1000:.0f} ms became {long * 1000:.0f} ms")


@pytest.mark.parametrize("kind", ["prose", "scripts", "one base64"])
def test_a_text_of_a_megabyte_is_judged_and_masked(kind: str) -> None:
    said = TEXTS[kind](MEGABYTE - 100) + " b@c.example"
    answer = EdgeGuardrail(policy(**private({"EMAIL": "ANONYMIZE"}), **topic()), embed=by_words).apply(
        "OUTPUT", [text(said)]
    )
    assert answer["outputs"][0]["text"].endswith(" {EMAIL}")
    assert "@" not in answer["outputs"][0]["text"]
