from typing import get_args

import pytest

from helpers.guardrails.normaliser import views
from helpers.guardrails.pii import Pii
from helpers.guardrails.policy import Action, PiiType
from helpers.guardrails.recognisers import RECOGNISED

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # of AWS's documentation
TRUE = [
    ("EMAIL", "write to hanna.vogt+x@falkenried.example.", "hanna.vogt+x@falkenried.example"),
    ("URL", "see https://falkenried.example/a?b=c now", "https://falkenried.example/a?b=c"),
    ("IP_ADDRESS", "the pump is at 10.20.30.41.", "10.20.30.41"),
    ("IP_ADDRESS", "at 2001:db8::8a2e:370:7334 today", "2001:db8::8a2e:370:7334"),
    ("MAC_ADDRESS", "card 00:1B:44:11:3A:B7 here", "00:1B:44:11:3A:B7"),
    ("CREDIT_DEBIT_CARD_NUMBER", "card 4111 1111 1111 1111 was", "4111 1111 1111 1111"),
    ("CREDIT_DEBIT_CARD_NUMBER", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
    ("CREDIT_DEBIT_CARD_CVV", "CVV: 123", "123"),
    ("CREDIT_DEBIT_CARD_EXPIRY", "exp 12/27", "12/27"),
    ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "to DE89 3704 0044 0532 0130 00.", "DE89 3704 0044 0532 0130 00"),
    ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "to GB82WEST12345698765432 on Monday", "GB82WEST12345698765432"),
    ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "to BE68 5390 0754 7034 BIC", "BE68 5390 0754 7034"),
    ("SWIFT_CODE", "BIC COBADEFFXXX", "COBADEFFXXX"),
    ("US_BANK_ROUTING_NUMBER", "routing number 021000021", "021000021"),
    ("US_BANK_ACCOUNT_NUMBER", "account number 1234567890", "1234567890"),
    ("US_SOCIAL_SECURITY_NUMBER", "it is 536-90-4399", "536-90-4399"),
    ("US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "ITIN 912-70-1234", "912-70-1234"),
    ("US_PASSPORT_NUMBER", "passport number 123456789", "123456789"),
    ("UK_NATIONAL_HEALTH_SERVICE_NUMBER", "for 943 476 5919.", "943 476 5919"),
    ("UK_NATIONAL_INSURANCE_NUMBER", "NI AB 12 34 56 C", "AB 12 34 56 C"),
    ("UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "UTR 1955839661", "1955839661"),
    ("CA_SOCIAL_INSURANCE_NUMBER", "SIN 123 456 782", "123 456 782"),
    ("CA_HEALTH_NUMBER", "PHN 9698 658 215", "9698 658 215"),
    ("VEHICLE_IDENTIFICATION_NUMBER", "the car 1M8GDM9AXKP042788", "1M8GDM9AXKP042788"),
    ("LICENSE_PLATE", "license plate B-AB 123", "B-AB 123"),
    ("DRIVER_ID", "driving licence MORGA657054SM9IJ", "MORGA657054SM9IJ"),
    ("AWS_ACCESS_KEY", "found AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_KEY", f"secret_access_key={SECRET}", SECRET),
    ("PHONE", "at +49 6131 5550142 or", "+49 6131 5550142"),
    ("PHONE", "on (212) 555-0187.", "(212) 555-0187"),
    ("PHONE", "p\u200bhone 2\u200b12-555-0187", "2\u200b12-555-0187"),
    ("PIN", "my PIN is 4821", "4821"),
    ("PASSWORD", "password: Tr0ub4dor&3", "Tr0ub4dor&3"),
    ("USERNAME", "username: j.doe", "j.doe"),
    ("AGE", "she is 45 years old", "45 years old"),
    ("AGE", "aged 81, alone", "81"),
]  # fmt: skip
NEAR = [
    ("EMAIL", "at hanna.vogt @ work"),
    ("IP_ADDRESS", "version 1.2.3.4.5 or 300.1.1.1"),
    ("CREDIT_DEBIT_CARD_NUMBER", "order 4111 1111 1111 1112"),
    ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "DE88 3704 0044 0532 0130 00"),
    ("SWIFT_CODE", "the HOSPITAL is open"),
    ("US_BANK_ROUTING_NUMBER", "routing number 021000022"),
    ("US_SOCIAL_SECURITY_NUMBER", "part 000-12-3456"),
    ("UK_NATIONAL_HEALTH_SERVICE_NUMBER", "number 943 476 5918"),
    ("CA_SOCIAL_INSURANCE_NUMBER", "123 456 789"),
    ("VEHICLE_IDENTIFICATION_NUMBER", "1M8GDM9A0KP042788"),
    ("PHONE", "on 2026-03-02 at 08:30, 120/80, 1,000.00, 49.99"),
    ("PASSWORD", "How do I reset my password please"),
    ("USERNAME", "a user name is required"),
    ("AGE", "from the age of retirement, 5 years of work"),
    ("PIN", "pin it to the wall in 2026"),
]


def find(text: str, **types: Action) -> list[tuple[str, str]]:
    return [(each.rule, text[each.start : each.end]) for each in Pii(types).find(views(text))]  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "text", "match"), TRUE)
def test_each_type_is_recognised(kind: str, text: str, match: str) -> None:
    assert find(text, **{kind: "BLOCK"}) == [(kind, match)]
    assert (kind, match) in find(text, **dict.fromkeys(RECOGNISED, "BLOCK"))


@pytest.mark.parametrize(("kind", "text"), NEAR)
def test_what_only_looks_alike_is_not(kind: str, text: str) -> None:
    assert find(text, **{kind: "BLOCK"}) == []


def test_every_type_that_the_table_has_is_tested() -> None:
    assert {kind for kind, *_ in TRUE} == RECOGNISED
    assert set(get_args(PiiType)) - RECOGNISED == {"NAME", "ADDRESS"}


def test_a_telephone_number_inside_a_card_number_is_no_second_find() -> None:
    assert find("4111 1111 1111 1111", CREDIT_DEBIT_CARD_NUMBER="ANONYMIZE", PHONE="ANONYMIZE") == [
        ("CREDIT_DEBIT_CARD_NUMBER", "4111 1111 1111 1111")
    ]


def test_what_blocks_is_not_lost_to_what_only_masks() -> None:
    found = find("https://x.example/?mail=a@b.example", URL="ANONYMIZE", EMAIL="BLOCK")
    assert "EMAIL" in dict(found)
