"""The policy's own regular expressions, each within a time: a catastrophic one fails, and the text is not let through.

Patterns are compiled by the `regex` package, whose dialect is near that of the service, which AWS does not name.
"""

import time
from collections.abc import Mapping, Sequence

import regex

from helpers.guardrails.errors import CheckFailed, PolicyInvalid
from helpers.guardrails.findings import Finding, distinct
from helpers.guardrails.views import View

SECONDS = 1.0  # for all expressions on a text of up to 100,000 characters, and in proportion beyond
CHARACTERS = 100_000
MOST = 100_000  # finds of one expression; one that matches everywhere would fill the memory


class Expressions:
    """Finds what each pattern matches; `patterns` by name.

    Raises:
        PolicyInvalid: one cannot be compiled.
    """

    def __init__(self, patterns: Mapping[str, str], seconds: float = SECONDS) -> None:
        self._patterns = {name: compiled(name, pattern) for name, pattern in patterns.items()}
        self._seconds = seconds

    def find(self, views: Sequence[View]) -> list[Finding]:
        """Where the expressions match, by their names; empty matches count for nothing.

        Raises:
            CheckFailed: the time is over.
        """
        views = [*_as_written(views), *views]
        length = sum(len(view.text) for view in views)
        ends = time.monotonic() + self._seconds * max(1.0, length / CHARACTERS)
        return distinct(each for name in self._patterns for view in views for each in self._matches(name, view, ends))

    def _matches(self, name: str, view: View, ends: float) -> list[Finding]:
        found = list[Finding]()
        try:
            for match in self._patterns[name].finditer(view.text, timeout=max(ends - time.monotonic(), 0.001)):
                if match.end() > match.start():
                    found.append(Finding(*view.span(*match.span()), name))
                if len(found) > MOST:
                    raise TimeoutError
        except TimeoutError as error:
            raise CheckFailed(
                f"The regular expression {name!r} took too long on {len(view.text):,} characters, so that the text "
                "counts as unsafe. Rewrite the pattern without nested repeats, such as (a+)+."
            ) from error
        return found


def _as_written(views: Sequence[View]) -> list[View]:
    """The original, where folding has changed it: a pattern may have accents, or letters of another script."""
    original = views[0].original if views else ""
    return [View(original, original)] if views and views[0].text != original else []


def compiled(name: str, pattern: str) -> "regex.Pattern[str]":
    """The pattern.

    Raises:
        PolicyInvalid: it cannot be compiled.
    """
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise PolicyInvalid(
            f"The regular expression {name!r} cannot be compiled: {error}. Correct its pattern."
        ) from error
