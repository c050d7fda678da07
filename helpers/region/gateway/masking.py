"""What a target was shown, taken out of what it says: some servers repeat it, in their errors above all."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cached_property
from typing import Any, Self
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

MASK = "***"
LEAST = 6  # characters; what is shorter is no secret, and found in any text
ESCAPED = ("<>&", "<>&='", "<>&+'`")  # what JSON of Go, of Java and of .NET writes as numbers
RUN = re.compile("[A-Za-z0-9]*")  # which is written alike everywhere


class Mask:
    """Takes secrets out of text, JSON and bytes. What has none in it costs no more than a search for each."""

    def __init__(self, secrets: set[str] | frozenset[str] = frozenset()) -> None:
        self.secrets = [secret for secret in secrets if len(secret) >= LEAST]
        self.signs = {max(RUN.findall(secret), key=len).encode() for secret in self.secrets}

    @classmethod
    def of(cls, url: str, sent: str, shown: Mapping[str, str]) -> Self:
        """For the headers `shown` to a target, and what `sent`, its address, has in its query beyond `url`."""
        secrets = {part for value in shown.values() for part in (value, value.rpartition(" ")[2])}
        if sent != url:
            known = set(parse_qsl(urlsplit(url).query))
            secrets |= {pair[1] for pair in parse_qsl(urlsplit(sent).query) if pair not in known}
        return cls(secrets)

    @cached_property
    def written(self) -> list[str]:
        """All ways in which the secrets may be written, the longest first."""
        once = {each for secret in self.secrets for each in _written(secret)}
        return sorted(once | {_quoted(each) for each in once}, key=len, reverse=True)  # JSON in JSON, too

    def finds(self, said: bytes) -> bool:
        """Whether there may be a secret in what was said."""
        return any(sign in said for sign in self.signs)

    def text(self, said: str) -> str:
        """A text without secrets."""
        for each in self.written:
            said = said.replace(each, MASK)
        return said

    def json(self, said: Any) -> Any:  # noqa: ANN401 - any JSON
        """JSON without secrets in its texts.

        Raises:
            RecursionError: it is nested too deeply.
        """
        if isinstance(said, dict):
            return {self.text(name): self.json(value) for name, value in said.items()}
        if isinstance(said, list):
            return [self.json(value) for value in said]
        return self.text(said) if isinstance(said, str) else said

    def body(self, said: bytes) -> bytes:
        """Bytes without secrets, whatever else they are."""
        for each in self.written if self.finds(said) else ():
            said = said.replace(each.encode(), MASK.encode())
        return said

    async def pieces(self, said: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces of a stream; only bytes that a secret may begin with wait for the next piece."""
        rest = b""
        async for piece in said:
            whole = self.body(rest + piece)
            ready = len(whole) - max((_begun(whole, each.encode()) for each in self.written), default=0)
            rest = whole[ready:]
            if ready:
                yield whole[:ready]
        if rest:
            yield rest


def _begun(said: bytes, secret: bytes) -> int:
    """How many bytes at the end of what was said are the beginning of a secret."""
    place = said.find(secret[:1], max(0, len(said) - len(secret) + 1))
    while place >= 0 and not secret.startswith(said[place:]):
        place = said.find(secret[:1], place + 1)
    return len(said) - place if place >= 0 else 0


def _written(secret: str) -> Iterator[str]:
    """The ways in which a text stands in JSON and in addresses."""
    quoted = _quoted(secret)
    yield from (secret, quoted, quoted.replace("/", "\\/"))
    for escaped in ESCAPED:
        yield quoted.translate({ord(each): f"\\u{ord(each):04x}" for each in escaped})
        yield quoted.translate({ord(each): f"\\u{ord(each):04X}" for each in escaped})
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))


def _quoted(text: str) -> str:
    """As it stands between the quotes of JSON."""
    return json.dumps(text)[1:-1]
