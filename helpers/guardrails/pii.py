"""Personal data in a text, by the recognisers of the types that a policy names."""

from collections.abc import Iterator, Mapping, Sequence

from helpers.guardrails.findings import Finding, distinct
from helpers.guardrails.policy import Action, PiiType
from helpers.guardrails.recognisers import RECOGNISERS, Recogniser
from helpers.guardrails.views import View

SEVERITY = {"NONE": 0, "ANONYMIZE": 1, "BLOCK": 2}


class Pii:
    """Finds the types it is given, each with what is done to it.

    Where one type lies within another, that which is dealt with more severely stands, then the certain one, then the
    longer: a telephone number in a card's is no second find, but what blocks is never lost to what only masks.
    """

    def __init__(self, types: Mapping[PiiType, Action]) -> None:
        self._severity = {kind: SEVERITY[action] for kind, action in types.items()}
        self._recognisers = [recogniser for recogniser in RECOGNISERS if recogniser.type in types]

    def find(self, views: Sequence[View]) -> list[Finding]:
        """Where personal data stands, named by its type."""
        found = [each for view in views for recogniser in self._recognisers for each in self._matches(recogniser, view)]
        found.sort(key=lambda each: (each[0].start, -each[0].end, each[1]))
        return distinct(_standing(found))

    def _matches(self, recogniser: Recogniser, view: View) -> Iterator[tuple[Finding, tuple[int, bool, int]]]:
        """With the rank of each: severity, certainty, length."""
        group = recogniser.group
        for match in recogniser.pattern.finditer(view.text):
            if recogniser.check(match.group(group)):
                finding = Finding(*view.span(*match.span(group)), recogniser.type)
                yield finding, (self._severity[recogniser.type], recogniser.certain, len(finding))


def _standing(found: list[tuple[Finding, tuple[int, bool, int]]]) -> Iterator[Finding]:
    """Without those within another of higher rank; `found` is in the order of the text."""
    held: tuple[Finding, tuple[int, bool, int]] | None = None
    for finding, rank in found:
        if held and finding.end <= held[0].end and rank <= held[1]:
            continue
        if held and not (finding.start <= held[0].start and finding.end >= held[0].end):
            yield held[0]
        held = (finding, rank)
    if held:
        yield held[0]
