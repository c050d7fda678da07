import time

import pytest

from helpers.guardrails.errors import CheckFailed, PolicyInvalid
from helpers.guardrails.expressions import Expressions
from helpers.guardrails.normaliser import views


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(.*a){25}$", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_catastrophic_expression_is_bounded_and_counts_as_failed(pattern: str) -> None:
    started = time.process_time()
    with pytest.raises(CheckFailed, match="'slow' took too long"):
        Expressions({"slow": pattern}, seconds=0.2).find(views("a" * 40_000 + "!"))
    assert time.process_time() - started < 5


def test_what_matches_is_found_in_the_original_and_in_disguise() -> None:
    expressions = Expressions({"patient": r"\bP-\d{4}\b"})
    text = "P-1001, P\u200b-10\u200b02 and Ｐ－１００３"
    assert [text[f.start : f.end] for f in expressions.find(views(text))] == [
        "P-1001",
        "P\u200b-10\u200b02",
        "Ｐ－１００３",
    ]


def test_a_pattern_with_accents_or_other_scripts_matches_what_was_written() -> None:
    text = "café Привет"
    found = Expressions({"a": "café", "b": "Привет"}).find(views(text))
    assert {f.rule for f in found} == {"a", "b"}


def test_empty_matches_count_for_nothing() -> None:
    assert Expressions({"empty": "x*"}).find(views("abc")) == []


def test_a_pattern_that_cannot_be_compiled_is_named() -> None:
    with pytest.raises(PolicyInvalid, match="'bad' cannot be compiled"):
        Expressions({"bad": "(a"})
