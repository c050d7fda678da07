"""How a gateway reaches its targets: with its credentials, to this machine and nowhere else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from helpers.region.gateway.masking import masked
from helpers.region.gateway.messages import MOST, TOO_LARGE, Json
from helpers.region.outbound import Outbound
from helpers.region.tokens import is_here


@dataclass(frozen=True)
class Reach:
    """Sends requests to targets."""

    http: aiohttp.ClientSession
    outbound: Outbound

    async def send(
        self, credentials: Json, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> aiohttp.ClientResponse:
        """The answer, whose body has not been read; a token that is not taken any more is fetched anew, once.

        Raises:
            NoCredentials, aiohttp.ClientError, TimeoutError: there is none.
        """
        _, _, answer = await self._sent(credentials, method, url, headers, body)
        return answer

    async def ask(
        self, credentials: Json, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str]:
        """Status and text of the answer, without what the target was shown.

        Raises:
            ValueError: it is too large; and what `send` raises.
        """
        sent, shown, answer = await self._sent(credentials, method, url, headers, body)
        async with answer:
            return answer.status, masked((await read(answer)).decode(errors="replace"), url, sent, shown)

    async def _sent(
        self, credentials: Json, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[str, dict[str, str], aiohttp.ClientResponse]:
        """The address and the headers that were shown, and the answer."""
        sent, shown = await self.outbound.headers(credentials, method, url, headers, body)
        answer = await send(self.http, method, sent, {**headers, **shown}, body)
        if answer.status == 401 and credentials.get("credentialProviderType") == "OAUTH":
            answer.release()
            self.outbound.forget(credentials, shown)
            sent, shown = await self.outbound.headers(credentials, method, url, headers, body)
            answer = await send(self.http, method, sent, {**headers, **shown}, body)
        return sent, shown, answer


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
