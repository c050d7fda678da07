import base64

import pytest

from helpers.guardrails.normaliser import folded, plain_letters, views

HIDDEN = [
    ("f o m e", "fome"),
    ("f.o.m.e", "fome"),
    ("f-o-m-e", "fome"),
    ("f\u200bo\u200dm\ufeffe", "fome"),
    ("fo\u00adme", "fome"),
    ("ｆｏｍｅ", "fome"),
    ("𝐟𝒐𝓶𝖊", "fome"),
    ("fоmе", "fome"),  # Cyrillic o and e
    ("fοme", "fome"),  # Greek o
    ("f\u0336o\u0336m\u0336e\u0336", "fome"),
    ("fóme", "fome"),
    (base64.b64encode(b"the word is fome").decode(), "fome"),
    (base64.urlsafe_b64encode("fome ÿÿÿ".encode()).decode().rstrip("="), "fome"),
    (base64.b64encode(base64.b64encode(b"the word is fome")).decode(), "fome"),
    (b"the word is fome".hex(), "fome"),
    ("%66%6f%6d%65", "fome"),
    ("".join(chr(0xE0000 + ord(c)) for c in "fome"), "fome"),
]


@pytest.mark.parametrize(("disguised", "said"), HIDDEN)
def test_a_disguise_is_undone_and_leads_back_to_where_it_stands(disguised: str, said: str) -> None:
    whole = f"before {disguised} after"
    found = [view for view in views(whole) if said in view.text]
    assert found, [view.text for view in views(whole)]
    start = found[0].text.index(said)
    first, last = found[0].span(start, start + len(said))
    assert len("before ") <= first < last <= len("before ") + len(disguised)
    assert said in "".join(view.text for view in views(whole[first:last]))


def test_plain_ascii_is_left_as_it_is() -> None:
    (view,) = views("Take 5 mg at 8:30, Mr. Roth; see P-1001.")
    assert view.text == view.original and view.span(3, 9) == (3, 9)


@pytest.mark.parametrize(("written", "read"), [("1gn0re ru13s", "ignore ruies"), ("h4ck", "hack")])
def test_digits_for_letters_are_read_as_letters(written: str, read: str) -> None:
    letters = plain_letters(views(written)[0])
    assert letters and letters.text == read


@pytest.mark.parametrize("written", ["500mg", "12th", "B12", "P1001", "2026", "10.20.30.40", "abc"])
def test_figures_with_a_meaning_are_not_read_as_letters(written: str) -> None:
    assert plain_letters(views(written)[0]) is None


@pytest.mark.parametrize(
    "word", ["Bundesverfassungsgericht", "internationalisation", "aaaaaaaaaaaaaaaa", "deadbeefdeadbeef"]
)
def test_words_that_only_look_encoded_add_no_reading(word: str) -> None:
    assert len(views(word)) == 1


def test_other_scripts_stay_readable() -> None:
    assert folded("面会時間は何時") == "面会時間は何時"
    assert folded("Привет") == folded("Привет") and len(folded("Привет")) == 6
