"""A text in another encoding than UTF-8 is read rightly or refused: a dose must not become another one."""

import random

import pytest

from helpers.knowledge.documents import read
from helpers.knowledge.encodings import CODE_PAGES, decoded
from helpers.knowledge.errors import DocumentRefused
from tests.knowledge.samples import checked_chunks

LOOK = "not UTF-8; look at its special characters"
GERMAN = "Die Händehygiene schützt Patienten und Ärzte. Für die Prüfung genügen fünf Minuten täglich.\n"
WESTERN = [
    "Dose: 5 µg/kg\n" * 20,
    "Dose: 5 µg/kg\n",
    "5 µg daily",
    "37 °C",
    "±5 %",
    "½ tablet, 2 × 10³/m², W/m²K",
    "Größe",
    "über 60 Jahre",
    "Ångström, Ärzte, Øre, ñandú",
    "l’hôpital, N°IPP créée, déjà vu",
    "Mean±SD 20±3, 5 \xa0mg",
    "„Sofort“ – 20 €",
    GERMAN * 5,
]


@pytest.mark.parametrize("text", WESTERN, ids=lambda text: ascii(text[:16]))
def test_western_text_however_short_is_read_as_it_was_written(text):
    assert decoded(text.encode("cp1252")) == (text, f"read as cp1252, {LOOK}")


@pytest.mark.parametrize("text", [text for text in WESTERN if max(text) <= "ÿ"], ids=lambda text: ascii(text[:16]))
def test_so_is_latin_1(text):
    assert decoded(text.encode("latin-1")) == (text, f"read as cp1252, {LOOK}")


OTHERS = {
    "Czech": ("cp1250", "Podejte pacientovi příslušnou dávku a změřte teplotu každé čtyři hodiny. Dobrý den.\n"),
    "Greek": ("cp1253", "Δώστε στον ασθενή την κατάλληλη δόση, 5 µg, και μετρήστε τη θερμοκρασία.\n"),
    "Polish": ("cp1250", "Podać właściwą dawkę leku każdemu pacjentowi i mierzyć temperaturę co cztery godziny.\n"),
    "Russian": ("cp1251", "Дайте пациенту нужную дозу лекарства, 5 мг, и измеряйте температуру: 37 °C.\n"),
}


@pytest.mark.parametrize(("encoding", "text"), OTHERS.values(), ids=OTHERS)
def test_a_language_that_is_recognised_is_read_in_its_code_page(encoding, text):
    assert decoded(text.encode(encoding)) == (text, f"read as {encoding}, {LOOK}")


def test_no_code_page_that_may_be_chosen_makes_another_dose_of_a_dose():
    assert {b"5 \xb5g \xb110 %, 37 \xb0C".decode(page) for page in CODE_PAGES} == {"5 µg ±10 %, 37 °C"}


UNCERTAIN = {
    "DOS": "Größe täglich, 5 µg".encode("cp850"),
    "a device with DOS": "37 °C".encode("cp850"),
    "an old Mac": "Größe messen".encode("mac_roman"),
    "an old Mac's degrees": "37 °C".encode("mac_roman"),
    "UTF-8 and latin-1": "Größe\n".encode() + "Größe\n".encode("latin-1"),
    "Japanese": "患者に適切な用量の薬を投与し".encode("cp932"),
    "noise": random.Random(7).randbytes(400),
}


@pytest.mark.parametrize("data", UNCERTAIN.values(), ids=UNCERTAIN)
def test_what_would_be_a_guess_is_refused_with_the_remedy(data):
    with pytest.raises(DocumentRefused, match=r"not text in UTF-8, .* if it is text, save it as UTF-8"):
        decoded(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(encoding):
    assert decoded("37 °C in 温度".encode(encoding)) == ("37 °C in 温度", f"read as {encoding}, not UTF-8")


@pytest.mark.parametrize(
    ("declared", "data", "text"),
    [
        ("windows-1251", "Доза".encode("cp1251"), "Доза"),
        ("ISO-8859-1", "„5 µg“".encode("cp1252"), "„5 µg“"),
        ("utf-16", "5 µg".encode("latin-1"), "5 µg"),
        ("no-such", "5 µg".encode("latin-1"), "5 µg"),
        ("base64", "5 µg".encode("latin-1"), "5 µg"),
    ],
)
def test_what_a_page_says_of_itself_counts_if_it_can_be_true(written, declared, data, text):
    page = b'<head><meta charset="%s"></head><p>%s</p>' % (declared.encode(), data)
    assert read(written("a.html", page)).text.strip() == text


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.csv"])
def test_other_encodings_are_taken_with_a_note(written, name, encoding):
    document = read(written(name, (GERMAN * 5).encode(encoding)))
    assert "Die Händehygiene schützt Patienten und Ärzte. Für" in document.text
    assert document.note.startswith("read as ") and "not UTF-8" in document.note
    checked_chunks(document)
