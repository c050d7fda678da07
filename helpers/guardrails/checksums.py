"""What tells a number of some kind from other figures: python-stdnum's checksums, libphonenumber's countries."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import ModuleType

import phonenumbers
from stdnum import bic, iban, luhn
from stdnum.ca import bc_phn, sin
from stdnum.gb import nhs, utr
from stdnum.us import itin, rtn, ssn

Check = Callable[[str], bool]
WORLD = ("US", "GB", "DE", "CA")  # whose telephone numbers are recognised without a country code
DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d+\.\d+")
# ISO 3779 as North America uses it: a value for each letter, a weight for each place.
VIN_LETTERS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
VIN_VALUES = dict(zip(VIN_LETTERS, [*range(10), *range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)], strict=True))
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _valid(module: ModuleType) -> Check:
    """A checksum over figures, whatever stands between them."""
    return lambda value: bool(module.is_valid(_digits(value)))


def _digits(value: str) -> str:
    return re.sub(r"\D", "", value)


def _card(value: str) -> bool:
    """13 to 19 figures that begin as a card's do and meet Luhn's checksum; the same figure throughout is no card."""
    digits = _digits(value)
    return 12 < len(digits) < 20 and digits[0] in "23456" and len(set(digits)) > 1 and bool(luhn.is_valid(digits))


def _iban(value: str) -> bool:
    return bool(iban.is_valid(value, check_country=False))


def _ip_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _canadian_health(value: str) -> bool:
    return bool(luhn.is_valid(_digits(value)) or bc_phn.is_valid(_digits(value)))


def _vin(value: str) -> bool:
    """The ninth character checks the others; figures alone are no vehicle's."""
    total = sum(VIN_VALUES[character] * weight for character, weight in zip(value.upper(), VIN_WEIGHTS, strict=True))
    return value[8].upper() == "0123456789X"[total % 11] and not value.isdigit()


def _phone(value: str, holds: Callable[[phonenumbers.PhoneNumber], bool]) -> bool:
    """A number of a country in `WORLD`, or of any with its code."""
    for country in (None,) if value.startswith("+") else WORLD:
        try:
            if holds(phonenumbers.parse(value, country)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def _separated_phone(value: str) -> bool:
    """A number that is given out; figures without any gap are seldom one, dates and amounts never."""
    separated = value.startswith("+") or re.search(r"[ ().-]", value)
    return bool(separated) and not DATE.fullmatch(value) and _phone(value, phonenumbers.is_valid_number)


def _named_phone(value: str) -> bool:
    """After a word that names it, also a number that is not given out."""
    return not DATE.fullmatch(value) and _phone(value, phonenumbers.is_possible_number)


def _secret(value: str) -> bool:
    """A value, not a word of the sentence: "password reset" and "user name is required" give none away."""
    return not value.isalpha() or len(value) > 15 or not (value.islower() or value.istitle())


CHECKS: Mapping[str, Check] = {
    "bic": lambda value: bool(bic.is_valid(value)),
    "canadian_health": _canadian_health,
    "card": _card,
    "iban": _iban,
    "ip_address": _ip_address,
    "itin": _valid(itin),
    "named_phone": _named_phone,
    "nhs": _valid(nhs),
    "routing": _valid(rtn),
    "secret": _secret,
    "separated_phone": _separated_phone,
    "sin": _valid(sin),
    "ssn": _valid(ssn),
    "utr": _valid(utr),
    "vin": _vin,
}
