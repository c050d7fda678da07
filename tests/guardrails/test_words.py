import pytest

from helpers.guardrails.normaliser import views
from helpers.guardrails.words import Words


def found(words: list[str], text: str) -> list[tuple[str, str]]:
    return [(each.rule, text[each.start : each.end]) for each in Words(words).find(views(text))]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Buy Fome now", "Fome"),
        ("buy f o m e now", "f o m e"),
        ("buyfomenow is one word, FOME is another", "FOME"),
        ("b u y f o m e n o w", "f o m e"),
        ("f0me", "f0me"),
        ("ｆｏｍｅ!", "ｆｏｍｅ"),
        ("(f\u200bome)", "f\u200bome"),
    ],
)
def test_a_word_is_found_as_it_was_written(text: str, match: str) -> None:
    assert found(["fome"], text) == [("fome", match)]


@pytest.mark.parametrize("text", ["fomes", "chrome", "xfome", "fo me", "fome_x", "f. Ome"])
def test_a_part_of_another_word_is_no_find(text: str) -> None:
    assert found(["fome"], text) == []


def test_phrases_are_found_over_line_breaks_and_wide_gaps() -> None:
    assert found(["miracle cure"], "a MIRACLE\n   cure!") == [("miracle cure", "MIRACLE\n   cure")]


def test_words_of_scripts_without_spaces_are_found() -> None:
    assert found(["秘密"], "これは秘密です") == [("秘密", "秘密")]
    assert found(["тайна"], "это тайна.") == [("тайна", "тайна")]


def test_l_and_i_are_both_read_from_a_one() -> None:
    assert found(["pill", "disk"], "p1ll and d1sk") == [("pill", "p1ll"), ("disk", "d1sk")]


def test_two_spellings_of_one_word_are_both_named() -> None:
    assert {rule for rule, _ in found(["Fome", "fome"], "fome")} == {"Fome", "fome"}


def test_ten_thousand_words_are_one_pass() -> None:
    words = [f"word{n}x" for n in range(10_000)]
    assert found(words, "see word9999x and word1x") == [("word9999x", "word9999x"), ("word1x", "word1x")]
