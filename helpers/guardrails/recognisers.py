"""How each type of personal data is recognised: the table `recognisers.toml`, compiled.

What only a person or a language model can recognise, names and addresses, has no recogniser; `coverage` says so.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from re import Pattern

from helpers.guardrails.checksums import CHECKS, Check
from helpers.guardrails.policy import PiiType

TABLE = Path(__file__).with_name("recognisers.toml")
# Between a label and its value: "PIN: 1234", "the PIN is 1234", "pin=1234", "account no. 1234".
BETWEEN = r"(?:['\"]?[ \t]{0,3}(?:[:=#]|is|was|are|no\.?|number|->){0,2}[ \t]{0,3}){1,2}['\"]?[ \t]{0,2}"


@dataclass(frozen=True)
class Recogniser:
    """A group named `value` is the find, else the whole match; `how` is what a person is told."""

    type: PiiType
    pattern: Pattern[str]
    how: str
    check: Check
    certain: bool

    @property
    def group(self) -> int | str:
        """The group of the pattern that is the find."""
        return "value" if "value" in self.pattern.groupindex else 0


def _recogniser(row: dict[str, str]) -> Recogniser:
    form, how = row.get("form"), "a pattern"
    if form is None:
        form, how = f"(?i:{row['label']}){BETWEEN}(?P<value>{row['value']})", "a pattern after a word that names it"
    if "check" in row:
        how += ", and a check of its figures"
    pattern = re.compile(rf"(?<![^\W_])(?:{form})(?![^\W_])")
    return Recogniser(row["type"], pattern, how, CHECKS.get(row.get("check", ""), bool), bool(row.get("certain")))  # type: ignore[arg-type]


RECOGNISERS: tuple[Recogniser, ...] = tuple(map(_recogniser, tomllib.loads(TABLE.read_text("utf-8"))["recogniser"]))
RECOGNISED = frozenset(recogniser.type for recogniser in RECOGNISERS)
