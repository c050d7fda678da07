"""What a target was shown, taken out of what it says: some servers repeat it, in their errors above all."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

MASK = "***"
LEAST = 6  # characters; what is shorter is no secret, and found in any text


def masked(said: str, url: str, sent: str, shown: Mapping[str, str]) -> str:
    """A target's words without the headers `shown` to it, and without what `sent` has in its query beyond `url`."""
    known = set(parse_qsl(urlsplit(url).query))
    secrets = {value for pair in parse_qsl(urlsplit(sent).query) if pair not in known for value in pair[1:]}
    secrets |= {part for value in shown.values() for part in (value, value.rpartition(" ")[2])}
    for text in sorted({each for secret in secrets for each in _written(secret)}, key=len, reverse=True):
        said = said.replace(text, MASK)
    return said


def _written(secret: str) -> Iterator[str]:
    """The ways in which a text stands in JSON and in addresses."""
    if len(secret) >= LEAST:
        yield from (secret, json.dumps(secret)[1:-1], secret.replace("/", "\\/"))
        yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
