"""Classified values are found whatever is wrapped around them, and kept out of what is written down."""

import base64
import json

import pytest

from helpers.sites.classified import Classified, Reader

PATIENTS = ["P-1001", "P-1002", "Ada Byron", "Björn Müller"]
LOOKED_FOR = Classified({"patient": PATIENTS, "account": r"AC-[0-9]{5}"})


def found(text, classified=LOOKED_FOR):
    return {value for _, value in classified.find(text)}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def test_values_and_patterns_are_found_whatever_their_case():
    text = "p-1001 of ADA BYRON has ac-12345"
    assert LOOKED_FOR.find(text) == {("patient", "p-1001"), ("patient", "ada byron"), ("account", "ac-12345")}
    assert found("BJÖRN MÜLLER") == {"björn müller"}


def test_what_is_not_there_is_not_found():
    assert found("P-1003, Ada, Byron, AC-1234, Björn") == set()


@pytest.mark.parametrize("text", ["P-10011", "XP-1001", "P-1001a", "1P-1001"])
def test_a_longer_word_is_another_word(text):
    assert found(text) == set()


@pytest.mark.parametrize("text", ["(P-1001)", "P-1001.", "id_P-1001_x", "/P-1001/", '"P-1001"', "a P-1001", "P-1001"])
def test_a_value_between_other_signs_is_found(text):
    assert found(text) == {"p-1001"}


def test_one_value_may_have_two_classifications():
    both = Classified({"patient": ["P-1001"], "staff": ["p-1001"]})
    assert both.find("P-1001") == {("patient", "p-1001"), ("staff", "p-1001")}


def test_a_pattern_may_be_anchored_at_a_text_of_a_message():
    anchored = Reader(Classified({"account": r"^AC-[0-9]{5}$"}))
    anchored.read([(None, "first"), (None, "AC-12345"), (None, "last")])
    assert anchored.counts == {"account": 1}


WRAPPED = {
    "percent": "/records/%50%2D1001?name=x",
    "percent twice": "q=%2550-1001",
    "Base64": f"file {encoded('The record of P-1001')} end",
    "Base64 for URLs": base64.urlsafe_b64encode(b"??>>~~ P-1001").decode(),
    "Base64 without padding": encoded("of P-1001, a").rstrip("="),
    "Base64 after a folder": f"/files/v1/{encoded('P-1001 has come')}",
    "Base64 of UTF-16": base64.b64encode("the patient P-1001".encode("utf-16-le")).decode(),
    "Base64 in Base64": encoded(encoded("The record of P-1001")),
    "Base64 in lines, as in mail": base64.encodebytes(f"{'x ' * 27} P-1001 {'y ' * 60}".encode()).decode(),
    "Base64 of bytes and a text": base64.b64encode(b"\xff\xd8\x00\x01 P-1001 \xfe\xfe").decode(),
    "JSON escapes": json.dumps({"text": "the patient\nP-1001"}),
    "JSON escapes of letters": r'{"id": "\u0050-1001"}',
    "JSON in JSON": json.dumps({"text": json.dumps({"text": json.dumps({"id": "x\nP-1001"})})}),
    "JSON in Base64": encoded(r'{"id": "\u0050\u002d1001"}'),
    "other hyphens": "P\u20111001",
    "nothing between": "P-\u200b10\u00ad01",
    "wide letters": "\uff30\uff0d\uff11\uff10\uff10\uff11",
}


@pytest.mark.parametrize("how", WRAPPED)
def test_what_is_wrapped_around_a_value_is_undone(how):
    assert found(WRAPPED[how]) == {"p-1001"}


@pytest.mark.parametrize(
    "text",
    [
        "q=Ada+Byron",
        "q=Ada%20Byron",
        '{"name": "Bj\\u00f6rn M\\u00fcller"}',
        "Bjo\u0308rn Mu\u0308ller",
        encoded("an Björn Müller, Weg 3"),
        "Bj%C3%B6rn+M%C3%BCller",
    ],
)
def test_names_with_spaces_and_umlauts_are_found_in_queries_json_and_every_way_of_writing_them(text):
    assert len(found(text)) == 1


def test_a_value_is_found_in_a_token():
    parts = [{"alg": "EdDSA"}, {"sub": "campus-a", "patient": "P-1001"}]
    words = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    assert found(f"Bearer {'.'.join(words)}.c2ln") == {"p-1001"}


def test_a_word_in_small_letters_is_not_taken_for_base64():
    assert base64.b64decode("c29u") == b"son"
    assert found("c29uc29uc29u", Classified({"child": ["sonsonson"]})) == {"sonsonson"}
    assert found("medication laboratory", Classified({"any": r"\S+"})) == {"medication", "laboratory"}


def test_base64_that_is_no_text_is_counted_as_unread_when_it_is_a_file():
    picture = base64.b64encode(bytes(range(256)) * 8).decode()
    reader = Reader(LOOKED_FOR)
    reader.read([(None, picture), (None, encoded("text " * 400)), (None, "a" * 5000), (None, "A" * 5000)])
    assert reader.counts == {} and reader.unread == len(picture.rstrip("="))


def test_a_text_in_pieces_is_read_across_the_seams():
    reader = Reader(LOOKED_FOR)
    for piece in "Ask for P-10", "01", " and Ada", " By", "ron":
        reader.read([("text", piece), ("other", "same")])
    assert reader.counts == {"patient": 2}


def test_a_text_after_another_of_the_same_place_is_read_by_itself_as_well():
    reader = Reader(LOOKED_FOR)
    for text in "hello", "P-1001", "Ada Byron", "hello":
        reader.read([("text", text)])
    assert reader.counts == {"patient": 2}


def test_pieces_of_different_places_are_not_joined():
    reader = Reader(LOOKED_FOR)
    reader.read([("a", "P-10"), ("b", "01"), (None, "P-10"), (None, "01")])
    assert reader.counts == {}


@pytest.mark.parametrize("size", [1, 3, 7, 100, 300])
def test_a_long_value_in_escapes_is_found_however_small_the_pieces(size):
    name = "Ada " * 60 + "Byron"
    reader = Reader(Classified({"patient": [name]}))
    text = "to " + "".join(f"%{ord(letter):02x}" for letter in name) + " now"
    for start in range(0, len(text), size):
        reader.read([("text", text[start : start + size])])
    assert reader.counts == {"patient": 1}


@pytest.mark.parametrize(
    "text, redacted",
    [
        ("/records/P-1001", "/records/[patient]"),
        ("/records/%50%2d1001?x=Ada+Byron", "/records/[patient]?x=[patient]"),
        ("POST /a/AC-12345/b/P-1002", "POST /a/[account]/b/[patient]"),
        ("tools/call record_P-1001", "tools/call record_[patient]"),
        ("/İ/p-1001", "/I/[patient]"),
        ("nothing here, 100 %", "nothing here, 100 %"),
        (f"/files/{encoded('P-1001 has come')}", "[patient]"),
    ],
)
def test_what_is_written_down_names_the_classification_in_place_of_the_value(text, redacted):
    assert LOOKED_FOR.redact(text) == redacted


def test_values_that_overlap_are_redacted_to_the_last_letter():
    names = Classified({"patient": ["Ada", "Ada Byron", "Byron King", "King"], "p": ["A"]})
    assert names.redact("x Ada Byron King y") == "x [patient] y"
    assert names.redact("x Ada Byron y") == "x [patient] y"
    assert Classified({"patient": ["Ada Byron King", "Byron"]}).redact("x Ada Byron King y") == "x [patient] y"


@pytest.mark.parametrize(
    "given, told",
    [
        ({"patient": [""]}, "'patient' is empty or longer than 256"),
        ({"patient": ["P-1", "  "]}, "'patient' is empty or longer than 256"),
        ({"patient": ["x" * 257]}, "'patient' is empty or longer than 256"),
        ({"patient": []}, "no value of 'patient'"),
        ({"account": "AC-[0-9"}, "'account' is no regular expression"),
        ({"account": ""}, "'account' is empty"),
    ],
)
def test_what_could_never_be_found_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        Classified(given)


def test_the_longest_value_and_a_number_are_accepted():
    assert found("x" * 256, Classified({"any": ["x" * 256]})) == {"x" * 256}
    assert found("id 1001", Classified({"any": [1001]})) == {"1001"}


def test_many_values_are_looked_for_at_once():
    many = Classified({"patient": (f"P-{number}" for number in range(100_000))})
    assert found("P-99999 P-100000 P-7", many) == {"p-99999", "p-7"}
