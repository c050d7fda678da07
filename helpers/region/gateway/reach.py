"""How a gateway reaches its targets: with its credentials, to this machine and nowhere else."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import aiohttp
from yarl import URL

from helpers.region.gateway.masking import Mask
from helpers.region.gateway.messages import MOST, TOO_DEEP, TOO_LARGE, Json, decode
from helpers.region.outbound import Outbound
from helpers.region.tokens import is_here


@dataclass(frozen=True)
class Answer:
    """A target's answer, whose body has not been read; what is read of it here is without what the target was shown."""

    http: aiohttp.ClientResponse
    mask: Mask

    async def __aenter__(self) -> Self:
        """The answer itself."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Let go of its connection."""
        self.http.release()
        await self.http.wait_for_close()

    @property
    def headers(self) -> dict[str, str]:
        """What it says beside its body."""
        return {name: self.mask.text(value) for name, value in self.http.headers.items()}

    async def body(self) -> bytes:
        """All of its body.

        Raises:
            ValueError: it is too large.
        """
        return self.mask.body(await read(self.http))

    def pieces(self) -> AsyncIterator[bytes]:
        """Its body as it comes."""
        return self.mask.pieces(self.http.content.iter_any())

    def message(self, data: bytes) -> Json:
        """A message of its body, which is JSON, from its bytes as they came.

        Raises:
            ValueError: it is none.
        """
        found = decode(data)
        try:
            return self.mask.json(found) if self.mask.finds(data) else found
        except RecursionError as error:
            raise ValueError(TOO_DEEP) from error


@dataclass(frozen=True)
class Reach:
    """Sends requests to targets."""

    http: aiohttp.ClientSession
    outbound: Outbound

    async def send(self, credentials: Json, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, whose body has not been read; a token that is not taken any more is fetched anew, once.

        Raises:
            NoCredentials, aiohttp.ClientError, TimeoutError: there is none.
        """
        sent, shown = await self.outbound.headers(credentials, method, url, headers, body)
        answer = await send(self.http, method, sent, {**headers, **shown}, body)
        if answer.status == 401 and credentials.get("credentialProviderType") == "OAUTH":
            answer.release()
            self.outbound.forget(credentials, shown)
            sent, shown = await self.outbound.headers(credentials, method, url, headers, body)
            answer = await send(self.http, method, sent, {**headers, **shown}, body)
        return Answer(answer, Mask.of(url, sent, shown))

    async def ask(
        self, credentials: Json, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str]:
        """Status and text of the answer, without what the target was shown.

        Raises:
            ValueError: it is too large; and what `send` raises.
        """
        async with await self.send(credentials, method, url, headers, body) as answer:
            return answer.http.status, (await answer.body()).decode(errors="replace")


async def send(
    http: aiohttp.ClientSession, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> aiohttp.ClientResponse:
    """Send a request to just this address, as it was signed: it is not quoted anew, and no redirect is followed."""
    return await http.request(method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False)


async def read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, if it is not larger than `MOST`.

    Raises:
        ValueError: it is larger.
    """
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > MOST:
            raise ValueError(TOO_LARGE)
    return bytes(body)


def beyond(urls: Iterable[str]) -> list[str]:
    """Why these addresses cannot be reached; empty if all can."""
    away = sorted({url for url in urls if not is_here(url)})
    return [f"This Region on a laptop reaches servers of this machine only, and not {url}." for url in away]
